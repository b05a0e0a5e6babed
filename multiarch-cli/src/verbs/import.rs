//! `multiarch import`, and the installer's verbs `import-addon`, `cluster-create` and `import-artifact`.

use std::path::PathBuf;

use multiarch_core::{Cancel, Plan, Report, Result};

use super::{Completion, setup, snapshot};
use crate::{
    args::{ClusterCreate, Import, ImportAddon, ImportArtifact, Installer, Keep, Show, Work},
    output,
    progress::{self, Shown},
    signals,
};

pub(crate) fn run(args: &Import, cancel: &Cancel) -> Result<Completion> {
    import(&args.packages, (&args.work, &args.keep), None, args.strict, cancel)
}

pub(crate) fn run_addon(args: &ImportAddon, cancel: &Cancel) -> Result<Completion> {
    import(&args.addon_path, (&args.work, &args.keep), Some(&args.installer), false, cancel)
}

pub(crate) fn run_create(args: &ClusterCreate, cancel: &Cancel) -> Result<Completion> {
    output::note("cluster-create: only the addon packages are imported; nothing else is created");
    import(&[], (&args.work, &args.keep), Some(&args.installer), false, cancel)
}

pub(crate) fn run_artifact(args: &ImportArtifact, cancel: &Cancel) -> Result<Completion> {
    for path in args.iso_path.iter().chain(&args.os_pkgs_path) {
        output::note(&format!("{}: left alone", path.display()));
    }
    let left_alone = |plan: &Plan| {
        for (package, what) in plan.left_alone().filter(|(_, what)| !what.is_empty()) {
            output::note(&format!(
                "{package}: also holds {}, which is left alone",
                what.join(", ")
            ));
        }
    };
    let options = (&args.work, &args.keep);
    import_and(&args.offline_path, options, Some(&args.installer), false, cancel, left_alone)
}

fn import(
    packages: &[PathBuf],
    options: (&Work, &Keep),
    installer: Option<&Installer>,
    strict: bool,
    cancel: &Cancel,
) -> Result<Completion> {
    import_and(packages, options, installer, strict, cancel, |_| {})
}

/// The same, with something to do when the plan is known.
fn import_and(
    packages: &[PathBuf],
    (work, keep): (&Work, &Keep),
    installer: Option<&Installer>,
    strict: bool,
    cancel: &Cancel,
    look_at: impl FnOnce(&Plan),
) -> Result<Completion> {
    let shown = progress::shown(work.show.style());
    let import = setup::import(packages, work, &shown, cancel)?;
    if installer.is_some_and(|words| words.debug) {
        output::note(&format!("images go to {}", import.target()));
        let charts = import.chart_address().unwrap_or_else(|| "nowhere".into());
        output::note(&format!("charts go to {charts}"));
    }
    let plan = import.plan()?;
    look_at(&plan);
    let report = apply(&plan, shown, &work.show, keep)?;
    let found = strict && !report.findings.is_empty();
    Ok(Completion::from(report.complete && !found))
}

/// Applies a plan and prints what happened.
pub(super) fn apply(plan: &Plan, shown: Shown, show_as: &Show, keep: &Keep) -> Result<Report> {
    let report = write(plan, shown, keep)?;
    show(&report, show_as);
    Ok(report)
}

/// Applies a plan, of which a snapshot is kept before.
pub(super) fn write(plan: &Plan, shown: Shown, keep: &Keep) -> Result<Report> {
    let snapshot = snapshot::keep(plan, keep)?;
    signals::writing_begins();
    let mut report = plan.apply();
    signals::writing_ends();
    drop(shown);
    report.snapshot = snapshot.and_then(|snapshot| snapshot.complete(&report));
    Ok(report)
}

pub(super) fn show(report: &Report, show: &Show) {
    output::result(report, show);
    output::remarks(report.errors(), report.findings.iter());
    if let Some(snapshot) = &report.snapshot {
        output::note(&format!("to take this import back: multiarch rollback {snapshot}"));
    }
    if report.cancelled {
        output::note("stopped; the same command goes on from here");
    }
}
