//! `multiarch import`, and the same in the installer's words.

use std::path::PathBuf;

use multiarch_core::{Result, apply::Cancel, plan::Plan, report::Report, target::Target};

use super::{Outcome, make_plan, open, setup::Setup};
use crate::{
    args::{ClusterCreate, Import, ImportAddon, Installer, Show, Work},
    output,
    progress::{self, Shown},
};

pub(crate) fn run(args: &Import, cancel: &Cancel) -> Result<Outcome> {
    import(&args.packages, &args.work, None, args.strict, cancel)
}

pub(crate) fn run_addon(args: &ImportAddon, cancel: &Cancel) -> Result<Outcome> {
    import(&args.addon_path, &args.work, Some(&args.installer), false, cancel)
}

pub(crate) fn run_create(args: &ClusterCreate, cancel: &Cancel) -> Result<Outcome> {
    output::note("cluster-create: only the addon packages are imported; nothing else is created");
    import(&[], &args.work, Some(&args.installer), false, cancel)
}

fn import(
    packages: &[PathBuf],
    work: &Work,
    installer: Option<&Installer>,
    strict: bool,
    cancel: &Cancel,
) -> Result<Outcome> {
    let shown = progress::shown(&work.show);
    let setup = Setup::of(packages, &work.to, work.options()?, &shown, cancel)?;
    if installer.is_some_and(|words| words.debug) {
        output::note(&format!("images go to {}", setup.target));
        let charts = setup.target.charts().map_or("nowhere".into(), ToString::to_string);
        output::note(&format!("charts go to {charts}"));
    }
    let mut opened = open(&setup.packages, &work.show, &shown, cancel)?;
    let plan = make_plan(&mut opened, &setup.target, &setup.options, &shown, cancel)?;
    let report = apply(&plan, &setup.target, shown, &work.show, cancel);
    let found = strict && !report.findings.is_empty();
    Ok(Outcome::from(report.complete && !found))
}

/// Applies a plan and prints what happened.
pub(super) fn apply(
    plan: &Plan<'_>,
    target: &Target,
    shown: Shown,
    show_as: &Show,
    cancel: &Cancel,
) -> Report {
    let report = plan.apply(target, &**shown.progress(), cancel);
    drop(shown);
    show(&report, show_as);
    report
}

fn show(report: &Report, show: &Show) {
    if show.json {
        output::json(report);
    } else {
        output::print(&report.to_string());
    }
    output::remarks(report.errors(), report.findings.iter());
    if report.cancelled {
        output::note("stopped; the same command goes on from here");
    }
}
