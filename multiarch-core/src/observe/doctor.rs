//! Looks for what is wrong with a target.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    examination::{Examined, Examiner, damage},
    read_earlier_import,
    stored_charts::StoredImages,
    take_inventory,
};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    image::{Digest, PlatformKey},
    package::Package,
    plan::{Inventory, NamedImage, Options},
    report::{Damage, DamageKind, Diagnosis, DiagnosisOptions, Severity},
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
    damages.extend(lacking_platforms(&tags, &inventory, options));
    damages.extend(lonely_tags(&tags, &stored, &inventory));
    damages.extend(helper_tags(&tags));
    damages.extend(dangling(&tags, &stored));
    damages.extend(inventory.charts_not_stored().into_iter().map(|chart| Damage {
        severity: Severity::Error,
        kind: DamageKind::MissingChart,
        image: None,
        says: "a package holds this chart, and the chart repository does not".into(),
        chart: Some(chart),
        platforms: Vec::new(),
        digest: None,
    }));
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

/// Tags that lack a platform which a package holds.
fn lacking_platforms(
    tags: &BTreeMap<&TargetName, Examined>,
    inventory: &Inventory,
    options: &Options,
) -> Vec<Damage> {
    let mut damages = Vec::new();
    for (name, named) in inventory.images() {
        let held = named.iter().flat_map(|named| named.incoming.images());
        let held: BTreeSet<PlatformKey> =
            held.map(|image| image.platform().key()).filter(|p| !p.os().is_empty()).collect();
        let Some(tag) = tags.get(name).filter(|_| options.select.means_tag(name)) else { continue };
        damages.extend(other_images(name, named, tag));
        let lacks = held.difference(&tag.platforms).filter(|lacks| !tag.broken.contains(lacks));
        let lacks: Vec<PlatformKey> = lacks.cloned().collect();
        // A tag that cannot be read says so itself.
        if lacks.is_empty() || (tag.digest.is_none() && !tag.damages.is_empty()) {
            continue;
        }
        let says = match &tag.digest {
            None => "a package holds this image, and the tag is not there".into(),
            Some(_) => format!("the packages hold it for {}, which the tag lacks", list(&lacks)),
        };
        let platforms = lacks;
        let found = damage(Severity::Error, DamageKind::Collapsed, name, says);
        damages.push(Damage { platforms, ..found });
    }
    damages
}

/// Images that the tag and a package have for one platform, and that are different ones.
fn other_images(name: &TargetName, named: &[NamedImage], tag: &Examined) -> Vec<Damage> {
    let mut damages = Vec::new();
    for image in named.iter().flat_map(|named| named.incoming.images()) {
        let platform = image.platform().key();
        let digest = image.document().digest();
        let Some(there) = tag.by_platform.get(&platform) else { continue };
        // Several packages may hold several images for it.
        let is_one_of_them = named.iter().flat_map(|named| named.incoming.images()).any(|other| {
            other.platform().key() == platform
                && (there.contains(other.document().digest())
                    || there.contains(other.config().digest()))
        });
        if is_one_of_them {
            continue;
        }
        let says = format!(
            "the tag has another image for {platform} than the packages, which hold {digest}"
        );
        let found = damage(Severity::Warning, DamageKind::OtherImage, name, says);
        damages.push(Damage { platforms: vec![platform], digest: Some(digest.clone()), ..found });
    }
    damages
}

/// Tags with fewer platforms than their neighbours: the other images of a chart, and the other tags of the
/// repository. That may be meant, unless packages show that it is not.
fn lonely_tags(
    tags: &BTreeMap<&TargetName, Examined>,
    stored: &[StoredImages],
    inventory: &Inventory,
) -> Vec<Damage> {
    let mut groups: Vec<(String, Vec<&TargetName>)> = Vec::new();
    let with = |names: &BTreeSet<TargetName>| -> Vec<&TargetName> {
        names.iter().filter_map(|name| tags.get_key_value(name).map(|(name, _)| *name)).collect()
    };
    for chart in stored {
        groups.push((format!("the other images of {}", chart.chart), with(&chart.names)));
    }
    for (chart, names) in inventory.charts() {
        groups.push((format!("the other images of {chart}"), with(names)));
    }
    let mut by_repository: BTreeMap<&str, Vec<&TargetName>> = BTreeMap::new();
    for name in tags.keys() {
        by_repository.entry(name.repository()).or_default().push(name);
    }
    let of_repository = by_repository
        .into_iter()
        .map(|(repository, names)| (format!("other tags of {repository}"), names));
    groups.extend(of_repository);
    let mut damages = BTreeMap::new();
    for (neighbours, names) in groups {
        let images: Vec<(&TargetName, &Examined)> = names
            .iter()
            .filter(|name| helped(name).is_none() && !is_own_helper(name))
            .filter_map(|name| Some((*name, tags.get(*name)?)))
            .filter(|(_, tag)| !tag.platforms.is_empty())
            .collect();
        let count = |platform: &PlatformKey| {
            images.iter().filter(|(_, tag)| tag.platforms.contains(platform)).count()
        };
        let all: BTreeSet<&PlatformKey> =
            images.iter().flat_map(|(_, tag)| &tag.platforms).collect();
        // What most of them have. Of two tags of one repository, one is enough.
        let enough =
            if neighbours.starts_with("other tags") { 1 } else { images.len().div_ceil(2) };
        let common: BTreeSet<&PlatformKey> =
            all.into_iter().filter(|platform| count(platform) >= enough).collect();
        for (name, tag) in &images {
            // A package that has it says for what it is.
            if inventory.images().any(|(known, _)| known == *name) {
                continue;
            }
            let lacks: Vec<PlatformKey> = common
                .iter()
                .filter(|p| !tag.platforms.contains(**p))
                .map(|p| (*p).clone())
                .collect();
            if lacks.is_empty() {
                continue;
            }
            let says = format!(
                "the tag has {}; {neighbours} have {}, too",
                list(&tag.platforms),
                list(&lacks)
            );
            let found = damage(Severity::Warning, DamageKind::Collapsed, name, says);
            damages.entry(*name).or_insert(Damage { platforms: lacks, ..found });
        }
    }
    damages.into_values().collect()
}

/// What older tools append to a tag.
const ENDINGS: [&str; 6] =
    ["-amd64", "-arm64", "-x86_64", "-aarch64", "-linux-amd64", "-linux-arm64"];

/// True for a tag by which this library keeps a manifest from being deleted, or holds a pinned image.
fn is_own_helper(name: &TargetName) -> bool {
    let tag = name.tag();
    let digits = tag.strip_prefix("child-").or_else(|| tag.strip_prefix("pinned-"));
    digits.is_some_and(|digits| digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The tag that a helper tag stands beside, by its name.
fn helped(name: &TargetName) -> Option<TargetName> {
    let tag = ENDINGS.iter().rev().find_map(|ending| name.tag().strip_suffix(ending))?;
    TargetName::new(name.repository(), tag).ok()
}

/// Tags for single architectures beside the tag that holds all of them.
fn helper_tags(tags: &BTreeMap<&TargetName, Examined>) -> Vec<Damage> {
    let mut damages = Vec::new();
    for (name, tag) in tags {
        let (Some(beside), Some(digest)) = (helped(name), &tag.digest) else { continue };
        if !tags.get(&beside).is_some_and(|main| main.digests.contains(digest)) {
            continue;
        }
        let says = format!(
            "a tag for one architecture, which {beside} lists, too; it is of use only where a clean-up deletes what has no tag"
        );
        damages.push(damage(Severity::Note, DamageKind::HelperTag, name, says));
    }
    damages
}

/// What stored charts name and the target does not have.
fn dangling(tags: &BTreeMap<&TargetName, Examined>, stored: &[StoredImages]) -> Vec<Damage> {
    let held: BTreeSet<&Digest> = tags.values().flat_map(|tag| &tag.digests).collect();
    let mut damages = Vec::new();
    for chart in stored {
        let mut add = |severity, kind, image: Option<&TargetName>, says| {
            let (platforms, digest) = (Vec::new(), None);
            let (image, chart) = (image.cloned(), Some(chart.chart.clone()));
            damages.push(Damage { severity, kind, image, chart, platforms, digest, says });
        };
        for name in &chart.names {
            if tags.get(name).is_some_and(|tag| tag.digest.is_none()) {
                let says =
                    format!("the chart {} names this image, which is not there", chart.chart);
                add(Severity::Error, DamageKind::DanglingName, Some(name), says);
            }
        }
        for elsewhere in &chart.elsewhere {
            let says = format!("the chart names an image outside of the target: {elsewhere}");
            add(Severity::Warning, DamageKind::DanglingName, None, says);
        }
        let mentioned = chart.mentions.names.difference(&chart.names);
        for name in mentioned.filter(|name| tags.get(name).is_none_or(|tag| tag.digest.is_none())) {
            let says = format!(
                "values of the chart {} mention this image, which is not there",
                chart.chart
            );
            add(Severity::Warning, DamageKind::DanglingName, Some(name), says);
        }
        // A tag that stands for a pinned image is named by a hint, and was looked for.
        let is_held_by_tag = |digest: &Digest| {
            let tag = format!("pinned-{}", &digest.hex()[..12]);
            chart.names.iter().any(|name| name.tag() == tag)
        };
        let lost = chart.mentions.digests.iter();
        let lost = lost.filter(|(_, digest)| !held.contains(digest) && !is_held_by_tag(digest));
        for (path, digest) in lost {
            let says = format!("the value {path} holds {digest}, which no tag of the target lists");
            add(Severity::Error, DamageKind::DanglingPin, None, says);
        }
    }
    damages
}
