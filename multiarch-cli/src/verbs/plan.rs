//! `multiarch plan`

use multiarch_core::{Error, Result, apply::Cancel};

use super::{Outcome, make_plan, open};
use crate::{args::Plan, output, progress};

pub(crate) fn run(args: &Plan, cancel: &Cancel) -> Result<Outcome> {
    let progress = progress::shown(&args.show);
    let target = args.to.open(cancel)?;
    let options = args.fusion.options(args.to.connection.jobs);
    let mut opened = open(&args.packages, &progress, cancel)?;
    let plan = make_plan(&mut opened, &target, &options, cancel)?;
    drop(progress);
    if let Some(path) = &args.output {
        let text = serde_json::to_vec_pretty(&plan).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(path, text))
            .map_err(|e| Error::from_io("saving the plan", e).at_path(path.display()))?;
    }
    if args.show.json {
        output::json(&plan);
    } else {
        output::print(&plan.to_string());
    }
    let charts = plan.charts.iter().flat_map(|chart| &chart.problems);
    let images = plan.images.iter().filter_map(|image| image.error.as_ref());
    output::remarks(plan.problems.iter().chain(charts).chain(images), plan.findings.iter());
    Ok(Outcome::from(plan.is_complete()))
}
