//! `multiarch apply`

use multiarch_core::{Cancel, Import, Plan, Result};

use super::{Completion, import, setup};
use crate::{args::Apply, progress, saved};

pub(crate) fn run(args: &Apply, cancel: &Cancel) -> Result<Completion> {
    let saved: Plan = saved::read(&args.plan, "a saved plan")?;
    let shown = progress::shown(args.show.style());
    let import = Import::from_saved_plan(&saved)?;
    let import = setup::of_saved(import, &saved, args, &shown, cancel)?;
    let report = import::apply(&import.plan()?, shown, &args.show, &args.keep)?;
    // An incomplete plan stays incomplete, even when all of it was applied.
    Ok(Completion::from(saved.complete && report.complete))
}
