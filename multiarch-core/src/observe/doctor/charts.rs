//! Charts and what they name.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    chart::{OwnTag, TargetName},
    image::Digest,
    observe::{
        examination::{Examined, chart_damage},
        stored_charts::StoredImages,
    },
    plan::Inventory,
    report::{Damage, DamageKind, Severity},
};

/// Charts that a package holds and the chart repository does not.
pub(super) fn missing(inventory: &Inventory) -> impl Iterator<Item = Damage> {
    inventory.charts_not_stored().into_iter().map(|chart| {
        let says = "a package holds this chart, and the chart repository does not".into();
        chart_damage(Severity::Error, DamageKind::MissingChart, chart, says)
    })
}

/// What stored charts name and the target does not have.
pub(super) fn dangling(
    tags: &BTreeMap<&TargetName, Examined>,
    stored: &[StoredImages],
) -> Vec<Damage> {
    let held: BTreeSet<&Digest> = tags.values().flat_map(|tag| &tag.digests).collect();
    let mut damages = Vec::new();
    for chart in stored {
        let mut add = |severity, kind, image: Option<&TargetName>, says| {
            damages.push(Damage {
                image: image.cloned(),
                ..chart_damage(severity, kind, chart.chart.clone(), says)
            });
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
            let tag = OwnTag::Pinned.of(digest);
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
