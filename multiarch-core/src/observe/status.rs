//! Reads the status of everything that a target holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{observe_image, read_earlier_import, stored_charts::StoredImages, take_inventory};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Digest, Manifest, PlatformKey, layer_is_foreign},
    package::Package,
    plan::{Observed, Options, Question},
    report::{ChartStatus, Coverage, Status, TagPlatform, TagStatus},
    run::{Context, workers},
    store::{ImageStore, OpenTarget},
};

/// Reads every tag of a target, and every chart of its chart repository, if it has one. If packages
/// are given, reads only their image names and charts.
///
/// # Errors
/// If the target or the chart repository as a whole cannot be read.
pub(crate) fn status(
    target: &OpenTarget,
    packages: &[Arc<Package>],
    problems: Vec<Error>,
    options: &Options,
    context: &Context,
) -> Result<Status> {
    let earlier = read_earlier_import(target, packages, options, context)?;
    let inventory = take_inventory(packages, options, &earlier, Vec::new(), context)?;
    let all = packages.is_empty();
    let mut stored = Vec::new();
    for charts in target.charts.repos().iter().filter(|_| all) {
        stored.extend(StoredImages::all(target, charts, &options.select, context)?);
    }
    stored.sort_by(|a, b| a.chart.cmp(&b.chart));
    // Not every registry can list its tags, so packages and stored charts contribute names.
    let names: BTreeSet<TargetName> = if all {
        let listed = target.images.tags()?.into_iter();
        let of_charts = stored.iter().flat_map(|stored| stored.names.iter().cloned());
        listed.chain(of_charts).filter(|name| options.select.means_tag(name)).collect()
    } else {
        inventory.image_names().cloned().collect()
    };
    options.select.check_found(names.is_empty())?;
    let mut tags = read_tags(target, &names.into_iter().collect::<Vec<_>>(), options, context)?;
    if options.select.has_platforms() {
        tags.retain(|tag| tag.digest.is_none() || tag.error.is_some() || !tag.platforms.is_empty());
    }
    let charts = {
        let seen = SeenTags::new(&tags);
        let of_packages = inventory.charts().filter(|_| !all);
        let absent = inventory.charts_not_stored();
        let of_packages = of_packages.map(|(chart, names)| {
            let itself = absent.contains(&chart).then(|| "the chart".to_owned());
            seen.chart(&chart, names, itself.as_slice())
        });
        let of_repo = stored.iter().map(|s| seen.chart(&s.chart, &s.names, &s.elsewhere));
        of_packages.chain(of_repo).collect()
    };
    let blocked = if all { Vec::new() } else { inventory.problems().cloned().collect() };
    let target = target.name.clone();
    Ok(Status { schema: Status::SCHEMA, target, tags, charts, problems, blocked })
}

fn read_tags(
    target: &OpenTarget,
    names: &[TargetName],
    options: &Options,
    context: &Context,
) -> Result<Vec<TagStatus>> {
    let store = &*target.images;
    let looked_at = workers::ask(store.jobs(), names, context, |name| {
        let mut observed = Observed::new(store.shares_blobs(), false);
        let question = Question::Tag(name.clone());
        let verifies = options.verify || store.is_local();
        match store.get_tag(name) {
            Ok(now) => observe_image(store, &mut observed, (name, now), &[], options)?,
            Err(error) => observed.answer(question, Err(error))?,
        }
        tag(store, &observed, name, options, verifies)
    })?;
    looked_at.into_iter().collect()
}

/// The status of one tag. Every manifest that it lists is asked for, since a listing does not show what was
/// deleted since; with `verifies`, so are their blobs.
fn tag(
    store: &dyn ImageStore,
    observed: &Observed,
    name: &TargetName,
    options: &Options,
    verifies: bool,
) -> Result<TagStatus> {
    let read = || -> Result<_> {
        let state = observed.tag(name)?;
        let Some(document) = state.document() else { return Ok((None, Vec::new())) };
        let mut platforms = state.platforms()?;
        platforms.retain(|(platform, _)| options.select.means_platform(platform));
        Ok((Some(document.digest().clone()), platforms))
    };
    let name = name.clone();
    let (digest, listed) = match read() {
        Ok(read) => read,
        Err(error) => {
            return Ok(TagStatus { name, digest: None, platforms: Vec::new(), error: Some(error) });
        }
    };
    let (mut platforms, mut failed) = (Vec::new(), None);
    for (platform, manifest) in listed {
        let is_root = digest.as_ref() == Some(&manifest);
        let is_there = match is_root && !verifies {
            true => Ok(true),
            false => is_whole(store, name.repository(), &manifest, verifies),
        };
        let missing = match is_there {
            Ok(is_there) => !is_there,
            Err(error) if error.concerns_whole_run() => return Err(error),
            // What is damaged is not there.
            Err(error) if error.kind() == ErrorKind::DigestMismatch => true,
            Err(error) => {
                failed.get_or_insert(error.of_image(&name));
                continue;
            }
        };
        platforms.push(TagPlatform { platform, digest: manifest, missing });
    }
    Ok(TagStatus { name, digest, platforms, error: failed })
}

/// Whether a manifest is there, and with `verifies` its blobs.
fn is_whole(
    store: &dyn ImageStore,
    repository: &str,
    digest: &Digest,
    verifies: bool,
) -> Result<bool> {
    if !verifies {
        return store.has_manifest(repository, digest);
    }
    let Some(document) = store.get_manifest(repository, digest)? else { return Ok(false) };
    let manifest = Manifest::parse(&document)?;
    for blob in manifest.blobs().filter(|blob| !layer_is_foreign(&blob.media_type)) {
        if !store.has_blob(repository, &blob.digest, blob.size)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tags that were read, by name.
struct SeenTags<'a> {
    platforms: BTreeMap<&'a TargetName, Vec<PlatformKey>>,
    there: BTreeSet<&'a TargetName>,
}

impl<'a> SeenTags<'a> {
    fn new(tags: &'a [TagStatus]) -> Self {
        let of = |tag: &TagStatus| {
            let there = tag.platforms.iter().filter(|platform| !platform.missing);
            there.map(|platform| platform.platform.clone()).collect()
        };
        let there = tags.iter().filter(|tag| tag.digest.is_some()).map(|tag| &tag.name);
        Self {
            platforms: tags.iter().map(|tag| (&tag.name, of(tag))).collect(),
            there: there.collect(),
        }
    }

    fn chart(
        &self,
        chart: &str,
        images: &BTreeSet<TargetName>,
        elsewhere: &[String],
    ) -> ChartStatus {
        let of = |name| self.platforms.get(name).map(Vec::as_slice).unwrap_or_default();
        let missing = images.iter().filter(|name| !self.there.contains(name));
        ChartStatus {
            chart: chart.into(),
            coverage: Coverage::new(images.iter().map(|name| (name, of(name)))),
            missing: missing.map(ToString::to_string).chain(elsewhere.iter().cloned()).collect(),
        }
    }
}
