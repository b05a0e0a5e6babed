//! `multiarch plan`

use std::path::PathBuf;

use multiarch_core::{Error, Result, apply::Cancel};

use super::{Outcome, make_plan, open};
use crate::{args::Plan, output, progress};

fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let absolute = paths.iter().map(std::path::absolute).collect::<std::io::Result<_>>();
    absolute.map_err(|e| Error::from_io("finding the current folder", e))
}

/// An OCI layout is named by its path.
fn absolute_target(target: &str) -> Result<String> {
    match target.strip_prefix("oci:") {
        Some(path) if !path.is_empty() => {
            let path = std::path::absolute(path)
                .map_err(|e| Error::from_io("finding the current folder", e))?;
            Ok(format!("oci:{}", path.display()))
        }
        _ => Ok(target.to_owned()),
    }
}

pub(crate) fn run(args: &Plan, cancel: &Cancel) -> Result<Outcome> {
    let progress = progress::shown(&args.work.show);
    let named = &args.work.to.target;
    let named = if args.output.is_some() { absolute_target(named)? } else { named.clone() };
    let target = args.work.to.connection.open(&named, cancel)?;
    let options = args.work.fusion.options(args.work.to.connection.jobs);
    // A saved plan means the same from any folder.
    let saved = args.output.is_some();
    let paths = if saved { absolute(&args.work.packages)? } else { args.work.packages.clone() };
    let mut opened = open(&paths, &progress, cancel)?;
    let plan = make_plan(&mut opened, &target, &options, cancel)?;
    drop(progress);
    if let Some(path) = &args.output {
        let text = serde_json::to_vec_pretty(&plan).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(path, text))
            .map_err(|e| Error::from_io("saving the plan", e).at_path(path.display()))?;
    }
    if args.work.show.json {
        output::json(&plan);
    } else {
        output::print(&plan.to_string());
    }
    let charts = plan.charts.iter().flat_map(|chart| &chart.problems);
    let images = plan.images.iter().filter_map(|image| image.error.as_ref());
    output::remarks(plan.problems.iter().chain(charts).chain(images), plan.findings.iter());
    Ok(Outcome::from(plan.complete))
}
