//! Finds out what an earlier import left: reads the stored charts, and looks up the image names that
//! they render.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::target_images;
use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind, Result},
    image::is_registry,
    limit::{self, SharedBudget},
    package::Package,
    plan::{ChartKey, EarlierImport, Options, StoredAnswer, StoredChart},
    run::{Context, workers},
    store::{ChartRepos, OpenCharts, OpenTarget},
};

/// Reads the charts of these packages from the chart repository, and asks the target for the names
/// that they render. Without a chart repository there are no stored charts to read.
///
/// # Errors
/// [`ErrorKind::Usage`] if charts are to be relocated and the registry is not known; if the chart
/// repository or the target cannot be read.
pub(crate) fn read_earlier_import(
    target: &OpenTarget,
    packages: &[Arc<Package>],
    options: &Options,
    context: &Context,
) -> Result<EarlierImport> {
    // The progress phase begins here; how many questions follow depends on the first answers.
    context.meter.expect_answers(0);
    let charts = &target.charts;
    if charts.text().is_none() {
        let mut earlier = EarlierImport::new(None, BTreeMap::new());
        earlier.solve(packages, options, Ok)?;
        return Ok(earlier);
    }
    let registry = registry(target)?;
    charts.needed().iter().try_for_each(|charts| charts.repo.check())?;
    let mut earlier = EarlierImport::new(Some(registry), charts.by_folder().clone());
    earlier.note_unknown_folders(charts.unknown(), packages);
    let bundles = packages.iter().flat_map(|package| package.bundles());
    let own: BTreeSet<ChartKey> = bundles.map(|bundle| earlier.chart_key(bundle)).collect();
    let memory = limit::STORED_CHARTS.budget().shared();
    for (key, answer) in read_charts(charts, own, &memory, context)? {
        match answer {
            Err(error) if error.concerns_whole_run() => return Err(error),
            answer => earlier.add_stored(key, answer, options),
        }
    }
    // A chart that has moved to another folder is stored where it was before, and has its names there.
    let elsewhere = earlier.keys_elsewhere(packages, charts.repos().len());
    for (key, answer) in read_charts(charts, elsewhere, &memory, context)? {
        // Nothing is written there, so nothing needs to be right there.
        if answer.is_ok() {
            earlier.add_stored(key, answer, options);
        }
    }
    earlier.solve(packages, options, |names| existing(target, names, context))?;
    target_images::read(target, &mut earlier, context)?;
    Ok(earlier)
}

/// Asks the chart repositories for these charts.
fn read_charts(
    charts: &ChartRepos,
    keys: BTreeSet<ChartKey>,
    memory: &SharedBudget,
    context: &Context,
) -> Result<Vec<(ChartKey, StoredAnswer)>> {
    let mut all = Vec::new();
    for (number, OpenCharts { repo, .. }) in charts.repos().iter().enumerate() {
        let keys: Vec<&ChartKey> = keys.iter().filter(|key| key.repo == number).collect();
        let get = |key: &&ChartKey| -> StoredAnswer {
            let packed = repo.get(&key.name, &key.version)?;
            let place = |error| repo.place(error, &key.name, &key.version);
            let unpack = |packed: Vec<u8>| memory.attempt(|m| StoredChart::unpack(&packed, m));
            Ok(packed.map(|packed| unpack(packed).map_err(place)))
        };
        let answers = workers::ask(repo.jobs(), &keys, context, get)?;
        all.extend(keys.into_iter().cloned().zip(answers));
    }
    Ok(all)
}

/// The registry that relocated charts name.
fn registry(target: &OpenTarget) -> Result<&str> {
    let registry = target.registry.as_deref().ok_or_else(|| {
        let message =
            "charts must say where their images are pulled from, and a directory does not say that";
        Error::new(ErrorKind::Usage, message).with_detail(Detail::RegistryUnknown)
    })?;
    if !is_registry(registry) {
        let message = "the registry that charts name is not a host with an optional port and path";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(registry)
}

/// Those of these names that the target holds.
fn existing(
    target: &OpenTarget,
    names: BTreeSet<TargetName>,
    context: &Context,
) -> Result<BTreeSet<TargetName>> {
    let (store, names): (_, Vec<TargetName>) = (&target.images, names.into_iter().collect());
    let answers =
        workers::ask(store.jobs(), &names, context, |name| Ok(store.get_tag(name)?.is_some()))?;
    let mut existing = BTreeSet::new();
    for (name, answer) in names.into_iter().zip(answers) {
        match answer {
            // Where there is no project, there is no tag.
            Err(error) if error.case() == Some(Detail::ProjectUnknown) => {}
            Err(error) => return Err(error.of_image(&name)),
            Ok(true) => drop(existing.insert(name)),
            Ok(false) => {}
        }
    }
    Ok(existing)
}
