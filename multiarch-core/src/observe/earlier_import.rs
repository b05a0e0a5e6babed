//! Asking what an earlier import left: charts say names, names are looked up.

use std::{collections::BTreeSet, sync::Arc};

use super::target_images;
use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind, Result},
    image::is_registry,
    package::Package,
    plan::{EarlierImport, Options},
    run::{Context, workers},
    store::OpenTarget,
};

/// Asks the chart repository for the charts of these packages, and the target for the names that they
/// render. Without a chart repository nothing was left that could be asked for.
///
/// # Errors
/// [`ErrorKind::Usage`] where charts are to be relocated and the registry is not known; where the
/// chart repository or the target cannot be asked.
pub(crate) fn ask_earlier_import(
    target: &OpenTarget,
    packages: &[Arc<Package>],
    options: &Options,
    context: &Context,
) -> Result<EarlierImport> {
    // From here on the target is asked; what exactly depends on the first answers.
    context.meter.asking(0);
    let Some(charts) = &target.charts else {
        let mut earlier = EarlierImport::new(None);
        earlier.solve(packages, options, Ok)?;
        return Ok(earlier);
    };
    let registry = registry(target)?;
    charts.repo.check()?;
    let mut earlier = EarlierImport::new(Some(registry));
    let bundles = packages.iter().flat_map(|package| package.bundles());
    let keys: BTreeSet<(String, String)> = bundles.map(|bundle| bundle.key()).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let repo = &charts.repo;
    let answers = workers::ask(repo.jobs(), &keys, context, |(name, version)| {
        match repo.get(name, version) {
            Err(error) if error.kind().is_of_the_whole() => Err(error),
            answer => Ok(answer),
        }
    })?;
    for (key, answer) in keys.into_iter().zip(answers) {
        earlier.add_stored(key, answer?, options);
    }
    earlier.solve(packages, options, |names| existing(target, names, context))?;
    target_images::read(target, &mut earlier, context)?;
    Ok(earlier)
}

/// The registry that charts name.
fn registry(target: &OpenTarget) -> Result<&str> {
    let registry = target.registry.as_deref().ok_or_else(|| {
        let message =
            "charts must say where their images are pulled from, and a directory does not tell";
        Error::new(ErrorKind::Usage, message).with_detail(Detail::RegistryUnknown)
    })?;
    if !is_registry(registry) {
        let message = "the registry that charts name is no host with an optional port and path";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(registry)
}

/// The names, of these, that the target holds.
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
        if answer.map_err(|error| error.of_image(&name))? {
            existing.insert(name);
        }
    }
    Ok(existing)
}
