//! `multiarch plan`

use std::path::PathBuf;

use multiarch_core::{Error, Result, apply::Cancel};

use super::{Outcome, make_plan, open, setup::Setup};
use crate::{args::Plan, output, progress};

fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let absolute = paths.iter().map(std::path::absolute).collect::<std::io::Result<_>>();
    absolute.map_err(|e| Error::from_io("finding the current folder", e))
}

/// A directory is named by its path, behind its scheme.
fn absolute_folder(target: &str, scheme: &str) -> Result<String> {
    match target.strip_prefix(scheme) {
        Some(path) if !path.is_empty() => {
            let path = std::path::absolute(path)
                .map_err(|e| Error::from_io("finding the current folder", e))?;
            Ok(format!("{scheme}{}", path.display()))
        }
        _ => Ok(target.to_owned()),
    }
}

pub(crate) fn run(args: &Plan, cancel: &Cancel) -> Result<Outcome> {
    let mut to = args.work.to.clone();
    if args.output.is_some() {
        // A saved plan means the same from any folder.
        to.target = to.target.as_deref().map(|t| absolute_folder(t, "oci:")).transpose()?;
        to.charts_to = to.charts_to.as_deref().map(|t| absolute_folder(t, "dir:")).transpose()?;
    }
    let shown = progress::shown(&args.work.show);
    let setup = Setup::of(&args.packages, &to, args.work.options()?, &shown, cancel)?;
    let (target, options) = (setup.target, setup.options);
    let paths = if args.output.is_some() { absolute(&setup.packages)? } else { setup.packages };
    let mut opened = open(&paths, &args.work.show, &shown, cancel)?;
    let plan = make_plan(&mut opened, &target, &options, &shown, cancel)?;
    drop(shown);
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
