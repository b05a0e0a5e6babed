//! `multiarch inspect`

use multiarch_core::{Result, apply::Cancel, report::Inspection};

use super::{Outcome, open};
use crate::{args::Inspect, output, progress};

pub(crate) fn run(args: &Inspect, cancel: &Cancel) -> Result<Outcome> {
    let shown = progress::shown(&args.show);
    let opened = open(&args.packages, &args.show, &shown, cancel)?;
    drop(shown);
    let inspections: Vec<_> = opened.packages.iter().map(Inspection::of).collect();
    if args.show.json {
        let problems = &opened.problems;
        output::json(&serde_json::json!({
            "schema": "multiarch.inspections/v1", "packages": inspections, "problems": problems,
        }));
    } else {
        for inspection in &inspections {
            output::print(&inspection.to_string());
        }
    }
    let bundles = inspections.iter().flat_map(|i| &i.bundles).flat_map(|b| b.problems);
    let problems = inspections.iter().flat_map(|i| i.problems).chain(&opened.problems);
    output::remarks(problems.chain(bundles), inspections.iter().flat_map(|i| i.findings));
    let sound = inspections.iter().all(Inspection::is_sound) && opened.problems.is_empty();
    Ok(Outcome::from(sound))
}
