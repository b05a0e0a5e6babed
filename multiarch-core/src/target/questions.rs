//! Asking a server several things at once.

use crate::{
    apply::{Cancel, Progress, parallel},
    error::Result,
};

/// Asks all of these, and tells how far that is. The answers are in the order of the questions.
///
/// # Errors
/// Where the run is to stop.
pub(crate) fn ask_all<Q: Sync, A: Send>(
    jobs: usize,
    questions: &[Q],
    progress: &dyn Progress,
    cancel: &Cancel,
    ask: impl Fn(&Q) -> Result<A> + Sync,
) -> Result<Vec<Result<A>>> {
    progress.asking(questions.len() as u64);
    let answers = parallel::map(jobs, questions, |question| {
        let answer = cancel.check().and_then(|()| ask(question));
        progress.answered();
        answer
    });
    cancel.check()?;
    Ok(answers)
}
