//! `multiarch check`

use multiarch_core::{Cancel, Result};

use super::{Completion, setup};
use crate::{args::Check, output, progress};

pub(crate) fn run(args: &Check, cancel: &Cancel) -> Result<Completion> {
    let shown = progress::shown(args.work.show.style());
    let options = args.work.options()?;
    let import =
        setup::look(&args.packages, &args.work.to, options, &args.work.show, &shown, cancel)?;
    let report = import.preflight()?;
    drop(shown);
    output::result(&report, &args.work.show);
    output::remarks(report.problems.iter(), std::iter::empty());
    Ok(Completion::from(report.complete))
}
