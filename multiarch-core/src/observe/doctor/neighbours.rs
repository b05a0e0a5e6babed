//! Tags beside other tags: those with fewer platforms than their neighbours, and those that older tools left.

use std::collections::{BTreeMap, BTreeSet};

use super::list;
use crate::{
    chart::{OwnTag, TargetName},
    image::PlatformKey,
    observe::{
        examination::{Examined, damage},
        stored_charts::StoredImages,
    },
    plan::Inventory,
    report::{Damage, DamageKind, Severity},
};

/// What a tag is compared with.
struct Neighbours {
    called: String,
    /// A platform that one of them has is one that all should have: of two tags of a repository that is enough.
    /// Among the images of a chart it is one that most of them have.
    is_one_enough: bool,
}

impl Neighbours {
    fn of_chart(chart: &str) -> Self {
        Self { called: format!("the other images of {chart}"), is_one_enough: false }
    }
}

/// Tags with fewer platforms than their neighbours: the other images of a chart, and the other tags of the
/// repository. That may be meant, unless packages show that it is not.
pub(super) fn lonely_tags(
    tags: &BTreeMap<&TargetName, Examined>,
    stored: &[StoredImages],
    inventory: &Inventory,
) -> Vec<Damage> {
    let of_stored =
        stored.iter().map(|stored| (Neighbours::of_chart(&stored.chart), &stored.names));
    let of_packages =
        inventory.charts().map(|(chart, names)| (Neighbours::of_chart(&chart), names));
    let mut groups: Vec<(Neighbours, Vec<&TargetName>)> = of_stored
        .chain(of_packages)
        .map(|(neighbours, names)| (neighbours, names.iter().collect()))
        .collect();
    let mut by_repository: BTreeMap<&str, Vec<&TargetName>> = BTreeMap::new();
    for name in tags.keys() {
        by_repository.entry(name.repository()).or_default().push(name);
    }
    groups.extend(by_repository.into_iter().map(|(repository, names)| {
        let called = format!("other tags of {repository}");
        (Neighbours { called, is_one_enough: true }, names)
    }));
    let mut damages = BTreeMap::new();
    for (neighbours, names) in groups {
        let images: Vec<(&TargetName, &Examined)> = names
            .into_iter()
            .filter(|name| helped(name).is_none() && !OwnTag::is_one(name.tag()))
            .filter_map(|name| Some((name, tags.get(name)?)))
            .filter(|(_, tag)| !tag.platforms.is_empty())
            .collect();
        let count = |platform: &PlatformKey| {
            images.iter().filter(|(_, tag)| tag.platforms.contains(platform)).count()
        };
        let all: BTreeSet<&PlatformKey> =
            images.iter().flat_map(|(_, tag)| &tag.platforms).collect();
        let enough = if neighbours.is_one_enough { 1 } else { images.len().div_ceil(2) };
        let common: BTreeSet<&PlatformKey> =
            all.into_iter().filter(|platform| count(platform) >= enough).collect();
        // A package that has an image says for what it is.
        for (name, tag) in images.iter().filter(|(name, _)| inventory.image(name).is_empty()) {
            let lacks: Vec<PlatformKey> = common
                .iter()
                .filter(|p| !tag.platforms.contains(**p))
                .map(|p| (*p).clone())
                .collect();
            if lacks.is_empty() {
                continue;
            }
            let says = format!(
                "the tag has {}; {} have {}, too",
                list(&tag.platforms),
                neighbours.called,
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

/// The tag that a helper tag stands beside, by its name.
fn helped(name: &TargetName) -> Option<TargetName> {
    let tag = ENDINGS.iter().rev().find_map(|ending| name.tag().strip_suffix(ending))?;
    TargetName::new(name.repository(), tag).ok()
}

/// Tags for single architectures beside the tag that holds all of them.
pub(super) fn helper_tags(tags: &BTreeMap<&TargetName, Examined>) -> Vec<Damage> {
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
