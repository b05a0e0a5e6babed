//! Runs several calls at once, on a bounded number of threads.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Context;
use crate::error::Result;

/// How many calls at a time keep the processors busy.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Calls `act` for every item, in order, with at most `jobs` calls at a time. Where the system allows fewer
/// threads, there are fewer calls at a time.
pub(crate) fn for_each<T: Sync>(jobs: usize, items: &[T], act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            act(item);
        }
    };
    std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let threads: Vec<_> = (1..jobs.min(items.len())).map_while(start).collect();
        work();
        // The scope itself waits for the work, but not for the end of the threads.
        join_all(threads);
    });
}

/// Waits until scoped threads are gone; a panic in one of them goes on here.
pub(crate) fn join_all<'scope>(
    threads: impl IntoIterator<Item = std::thread::ScopedJoinHandle<'scope, ()>>,
) {
    for thread in threads {
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Calls `act` for every item as [`for_each`] does, and returns the results in the order of the items.
pub(crate) fn map<T: Sync, A: Send>(
    jobs: usize,
    items: &[T],
    act: impl Fn(&T) -> A + Sync,
) -> Vec<A> {
    map_prepared(jobs, items, |_| (), |item, ()| act(item))
}

/// The same for items of which a part is done in order, one at a time: `prepare`, such as what reads a file that can
/// only be read front to back.
pub(crate) fn map_prepared<T: Sync, P, A: Send>(
    jobs: usize,
    items: &[T],
    prepare: impl Fn(&T) -> P + Sync,
    act: impl Fn(&T, P) -> A + Sync,
) -> Vec<A> {
    let slots: Vec<_> = items.iter().map(|item| (item, Mutex::new(None))).collect();
    let next = Mutex::new(slots.iter());
    let prepare_next = || {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let (item, slot) = next.next()?;
        Some((item, slot, prepare(item)))
    };
    // As many calls as items, and each takes the next one, whichever it was called for.
    for_each(jobs, items, |_| {
        if let Some((item, slot, prepared)) = prepare_next() {
            let answer = act(item, prepared);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    });
    let answers = slots.into_iter().map(|(_, slot)| slot.into_inner());
    answers.filter_map(|answer| answer.unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Sends all of these requests to a server, and reports to the meter. The answers are in the order of
/// the requests.
///
/// # Errors
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
pub(crate) fn ask<Q: Sync, A: Send>(
    jobs: usize,
    questions: &[Q],
    context: &Context,
    answer: impl Fn(&Q) -> Result<A> + Sync,
) -> Result<Vec<Result<A>>> {
    context.meter.expect_answers(questions.len() as u64);
    let answers = map(jobs, questions, |question| {
        let answer = context.cancel.check().and_then(|()| answer(question));
        context.meter.count_answer();
        answer
    });
    context.cancel.check()?;
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn one_item_needs_no_other_thread() {
        let threads = map(8, &[()], |()| thread::current().id());
        assert_eq!(threads, [thread::current().id()]);
    }

    #[test]
    fn items_are_prepared_in_order_and_answered_in_order() {
        let (items, prepared): (Vec<_>, _) = ((0..100).collect(), Mutex::new(Vec::new()));
        let prepare = |item: &i32| prepared.lock().expect("a lock").push(*item);
        let answers = map_prepared(4, &items, prepare, |item, ()| *item);
        assert_eq!((&answers, &*prepared.lock().expect("a lock")), (&items, &items));
    }
}
