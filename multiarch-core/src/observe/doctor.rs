//! Looks for what is wrong with a target.

mod charts;
mod neighbours;
mod packages;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    examination::{Examined, Examiner},
    read_earlier_import,
    stored_charts::StoredImages,
    take_inventory,
};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    image::Digest,
    package::Package,
    plan::{Inventory, Options},
    report::{Damage, Diagnosis, DiagnosisOptions, Severity},
    run::{Context, workers},
    store::OpenTarget,
};

/// Looks at every tag of a target and at every chart of its chart repository. With packages, tags are also compared
/// with what the packages hold.
///
/// # Errors
/// Where the target or the chart repository as a whole cannot be read.
pub(crate) fn diagnose(
    target: &OpenTarget,
    packages: &[Arc<Package>],
    problems: Vec<Error>,
    (options, how): (&Options, DiagnosisOptions),
    context: &Context,
) -> Result<Diagnosis> {
    let inventory = match packages.is_empty() {
        true => Inventory::default(),
        false => {
            let earlier = read_earlier_import(target, packages, options, context)?;
            take_inventory(packages, options, &earlier, Vec::new(), context)?
        }
    };
    let mut stored = Vec::new();
    for charts in target.charts.repos() {
        stored.extend(StoredImages::all(target, charts, &options.select, context)?);
    }
    stored.sort_by(|a, b| a.chart.cmp(&b.chart));
    let store = &*target.images;
    // Not every registry lists its tags; packages and charts name some, too.
    let listed = match (store.tags(), packages.is_empty() && stored.is_empty()) {
        (Err(error), true) => return Err(error),
        (Err(error), _) if error.concerns_whole_run() => return Err(error),
        (listed, _) => listed.unwrap_or_default(),
    };
    let named = stored.iter().flat_map(|stored| stored.names.iter().cloned());
    let names: BTreeSet<TargetName> = listed
        .into_iter()
        .chain(named)
        .chain(inventory.image_names().cloned())
        .filter(|name| options.select.means_tag(name))
        .collect();
    options.select.check_found(names.is_empty())?;
    let names: Vec<TargetName> = names.into_iter().collect();
    let how = DiagnosisOptions { read_programs: how.read_programs || store.is_local() };
    let examiner = Examiner::new(store, how);
    let looked = workers::ask(store.jobs(), &names, context, |name| examiner.examine(name))?;
    let looked: Result<Vec<Examined>> = looked.into_iter().collect();
    let tags: BTreeMap<&TargetName, Examined> = names.iter().zip(looked?).collect();
    let mut damages: Vec<Damage> = tags.values().flat_map(|tag| tag.damages.clone()).collect();
    damages.extend(packages::lacking_platforms(&tags, &inventory, options));
    damages.extend(neighbours::lonely_tags(&tags, &stored, &inventory));
    damages.extend(neighbours::helper_tags(&tags));
    damages.extend(charts::dangling(&tags, &stored));
    damages.extend(charts::missing(&inventory));
    let means = |damage: &Damage| {
        damage.platforms.is_empty()
            || damage.platforms.iter().any(|platform| options.select.means_platform(platform))
    };
    damages.retain(means);
    damages.sort();
    damages.dedup();
    let images: BTreeSet<&Digest> = tags.values().flat_map(|tag| &tag.images).collect();
    Ok(Diagnosis {
        schema: Diagnosis::SCHEMA,
        target: target.name.clone(),
        complete: problems.is_empty()
            && damages.iter().all(|damage| damage.severity != Severity::Error),
        tags: tags.values().filter(|tag| tag.digest.is_some()).count(),
        images: images.len(),
        charts: stored.len(),
        damages,
        problems,
        repair: None,
    })
}

fn list<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}
