//! `multiarch import`, and the same in the installer's words.

use std::{path::PathBuf, sync::Arc};

use multiarch_core::{
    Result,
    apply::{Cancel, Progress},
    plan::Plan,
    report::Report,
    target::Target,
};

use super::{Outcome, make_plan, open, setup::Setup};
use crate::{
    args::{ClusterCreate, Import, ImportAddon, Installer, Show, Work},
    output, progress,
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
    let setup = Setup::of(packages, &work.to, work.options()?, cancel)?;
    if installer.is_some_and(|words| words.debug) {
        output::note(&format!("images go to {}", setup.target));
        let charts = setup.target.charts().map_or("nowhere".into(), ToString::to_string);
        output::note(&format!("charts go to {charts}"));
    }
    let progress = progress::shown(&work.show);
    let mut opened = open(&setup.packages, &work.show, &progress, cancel)?;
    let plan = make_plan(&mut opened, &setup.target, &setup.options, cancel)?;
    let report = apply(&plan, &setup.target, progress, &work.show, cancel);
    let found = strict && !report.findings.is_empty();
    Ok(Outcome::from(report.complete && !found))
}

/// Applies a plan and prints what happened.
pub(super) fn apply(
    plan: &Plan<'_>,
    target: &Target,
    progress: Arc<dyn Progress>,
    show_as: &Show,
    cancel: &Cancel,
) -> Report {
    let report = plan.apply(target, &*progress, cancel);
    drop(progress);
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
