//! `multiarch import`

use multiarch_core::{Result, apply::Cancel, plan::Plan, report::Report, target::Target};

use super::{Outcome, make_plan, open};
use crate::{
    args::{Import, Show},
    output, progress,
};

pub(crate) fn run(args: &Import, cancel: &Cancel) -> Result<Outcome> {
    let progress = progress::shown(&args.work.show);
    let target = args.work.to.open(cancel)?;
    let options = args.work.fusion.options(args.work.to.connection.jobs);
    let mut opened = open(&args.work.packages, &progress, cancel)?;
    let plan = make_plan(&mut opened, &target, &options, cancel)?;
    let report = plan.apply(&target, &*progress, cancel);
    drop(progress);
    show(&report, &args.work.show);
    let found = args.strict && !report.findings.is_empty();
    Ok(Outcome::from(report.complete && !found))
}

/// Applies a plan and prints what happened.
pub(super) fn apply(plan: &Plan<'_>, target: &Target, show_as: &Show, cancel: &Cancel) -> Outcome {
    let progress = progress::shown(show_as);
    let report = plan.apply(target, &*progress, cancel);
    drop(progress);
    show(&report, show_as);
    Outcome::from(report.complete)
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
