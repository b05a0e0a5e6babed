//! `multiarch inspect`

use std::sync::Arc;

use multiarch_core::{Cancel, Error, Inspection, OpenOptions, Package, Result};

use super::Completion;
use crate::{args::Inspect, output, progress};

pub(crate) fn run(args: &Inspect, cancel: &Cancel) -> Result<Completion> {
    let shown = progress::shown(args.show.style());
    let mut options = OpenOptions::new().meter(shown.meter()).cancel(cancel);
    if args.elf {
        options = options.read_programs();
    }
    if let Some(folder) = args.show.cache() {
        options = options.cache(folder);
    }
    let (mut packages, mut problems): (Vec<Arc<Package>>, Vec<Error>) = Default::default();
    for opened in options.open_all(&args.packages)? {
        match opened {
            Ok(package) => packages.push(Arc::new(package)),
            Err(error) => problems.push(error),
        }
    }
    let packages = args.select.selection()?.of_packages(packages)?;
    drop(shown);
    let inspections: Vec<_> = packages.iter().map(|package| package.inspect()).collect();
    if args.show.json {
        output::json(&Inspection::list(&inspections, &problems));
    } else {
        for inspection in &inspections {
            output::table(inspection, &args.show);
        }
    }
    let errors = inspections.iter().flat_map(|inspection| inspection.errors()).chain(&problems);
    output::remarks(errors, inspections.iter().flat_map(|inspection| inspection.findings()));
    let sound = inspections.iter().all(|inspection| inspection.is_sound());
    Ok(Completion::from(sound && problems.is_empty()))
}
