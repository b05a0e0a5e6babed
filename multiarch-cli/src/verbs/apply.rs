//! `multiarch apply`

use std::io::Read as _;

use multiarch_core::{Cancel, Error, ErrorKind, Import, Plan, Result};

use super::{Completion, import, setup};
use crate::{args::Apply, progress};

/// The plan of 300 charts has some 3 MiB.
const MAX_PLAN: u64 = 64 << 20;

pub(crate) fn run(args: &Apply, cancel: &Cancel) -> Result<Completion> {
    let path = args.plan.display();
    let mut text = Vec::new();
    std::fs::File::open(&args.plan)
        .and_then(|file| file.take(MAX_PLAN + 1).read_to_end(&mut text))
        .map_err(|e| Error::from_io("reading the plan", e).at_path(&path))?;
    if text.len() as u64 > MAX_PLAN {
        return Err(Error::new(ErrorKind::TooLarge, "a plan of more than 64 MiB").at_path(&path));
    }
    let saved: Plan = serde_json::from_slice(&text)
        .map_err(|e| Error::caused_by(ErrorKind::Usage, "not a saved plan", e).at_path(&path))?;
    let shown = progress::shown(args.show.style());
    let import = Import::from_saved_plan(&saved)?;
    let import = setup::of_saved(import, &saved, args, &shown, cancel)?;
    let report = import::apply(&import.plan()?, shown, &args.show);
    // An incomplete plan stays incomplete, even when all of it was applied.
    Ok(Completion::from(saved.complete && report.complete))
}
