//! `multiarch apply`

use std::path::PathBuf;

use multiarch_core::{Error, Result, apply::Cancel, plan::SavedPlan};

use super::{Outcome, import, make_plan, open, setup::open_saved};
use crate::{args::Apply, progress};

pub(crate) fn run(args: &Apply, cancel: &Cancel) -> Result<Outcome> {
    let path = args.plan.display();
    let text = std::fs::read(&args.plan)
        .map_err(|e| Error::from_io("reading the plan", e).at_path(&path))?;
    let saved = SavedPlan::parse(&text).map_err(|e| e.at_path(&path))?;
    let charts = saved.charts_to.as_deref();
    let shown = progress::shown(&args.show);
    let config = args.config.as_deref();
    let target = open_saved(&saved.target, charts, config, &args.connection, &shown, cancel)?;
    let packages: Vec<PathBuf> = saved.packages.iter().map(|p| p.path.clone().into()).collect();
    let mut opened = open(&packages, &args.show, &shown, cancel)?;
    let plan = make_plan(&mut opened, &target, &saved.options, &shown, cancel)?;
    saved.check(&plan)?;
    let report = import::apply(&plan, &target, shown, &args.show, cancel);
    // What the plan lacked is still lacking.
    Ok(Outcome::from(saved.complete && report.complete))
}
