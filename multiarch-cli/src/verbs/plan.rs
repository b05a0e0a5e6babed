//! `multiarch plan`

use multiarch_core::{Cancel, Result};

use super::{Completion, setup};
use crate::{args::Plan, output, progress, saved};

pub(crate) fn run(args: &Plan, cancel: &Cancel) -> Result<Completion> {
    let shown = progress::shown(args.work.show.style());
    let import = match &args.output {
        // A saved plan has absolute paths, so that it can be applied from any folder.
        Some(_) => setup::absolute_import(&args.packages, &args.work, &shown, cancel)?,
        None => setup::import(&args.packages, &args.work, &shown, cancel)?,
    };
    let plan = import.plan()?;
    drop(shown);
    if let Some(path) = &args.output {
        saved::write(&plan, path, "saving the plan")?;
    }
    output::result(&plan, &args.work.show);
    output::remarks(plan.errors(), plan.findings.iter());
    Ok(Completion::from(plan.complete))
}
