//! `multiarch apply`

use multiarch_core::{Cancel, Error, ErrorKind, Import, Plan, Result};

use super::{Completion, import, setup};
use crate::{args::Apply, progress};

pub(crate) fn run(args: &Apply, cancel: &Cancel) -> Result<Completion> {
    let path = args.plan.display();
    let text = std::fs::read(&args.plan)
        .map_err(|e| Error::from_io("reading the plan", e).at_path(&path))?;
    let saved: Plan = serde_json::from_slice(&text)
        .map_err(|e| Error::caused_by(ErrorKind::Usage, "not a saved plan", e).at_path(&path))?;
    let shown = progress::shown(&args.show);
    let import = Import::from_saved_plan(&saved)?;
    let import = setup::of_saved(import, &saved, args, &shown, cancel)?;
    let report = import::apply(&import.plan()?, shown, &args.show);
    // An incomplete plan stays incomplete, even when all of it was applied.
    Ok(Completion::from(saved.complete && report.complete))
}
