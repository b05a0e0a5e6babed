//! Plans one name in the target.

use std::collections::BTreeSet;

use super::{
    Inventory, NamedImage, Observed, Options, Origin, PlannedDecision, PlannedImage,
    push::pushes,
    referrer_list::{is_list_of_referrers, plan_referrers},
};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    fuse::{Incoming, TagState, add_attestations, fuse_again, put_back},
    image::{Digest, PlatformKey},
    package::IncompleteImage,
};

/// Plans every image from what the target was observed to hold.
pub(crate) fn plan_images(inventory: &Inventory, observed: &Observed) -> Vec<PlannedImage> {
    let images = inventory.images();
    images.map(|(name, named)| plan_image(name, named, observed, &inventory.options)).collect()
}

/// Plans one image from what the target was observed to hold.
pub(crate) fn plan_image(
    name: &TargetName,
    named: &[NamedImage],
    observed: &Observed,
    options: &Options,
) -> PlannedImage {
    if is_list_of_referrers(named) && observed.has_referrers_api(name.repository()) {
        return PlannedImage {
            name: name.clone(),
            ..plan_referrers(name.repository(), named, observed)
        };
    }
    let mut planned = PlannedImage::empty(name, named);
    if let Err(error) = fill(&mut planned, named, observed, options) {
        planned.refuse(error);
    }
    planned
}

fn fill(
    planned: &mut PlannedImage,
    named: &[NamedImage],
    observed: &Observed,
    options: &Options,
) -> Result<()> {
    let before = observed.tag_with_missing(&planned.name, named)?;
    planned.platforms = platforms(&before);
    planned.before = before.document().map(|document| document.digest().clone());
    let (mut now, mut changed) = (before.clone(), None);
    named.iter().for_each(|image| now.add_incoming(&image.incoming));
    let mut seen = BTreeSet::new();
    for image in named {
        // The same image from another bundle or package changes nothing more. Two sources with the same
        // index may hold different parts of it.
        if !seen.insert(parts_of(&image.incoming)) {
            continue;
        }
        let known = observed.known(&planned.name);
        let fusion = fuse_again(&now, &image.incoming, &options.fuse, known)?;
        planned.decisions.extend(
            fusion
                .decisions
                .into_iter()
                .map(|decision| PlannedDecision { origin: image.origin, decision }),
        );
        now = fusion.state;
        changed = fusion.document.or(changed);
    }
    for image in named {
        if let Some(state) = add_attestations(&now, &image.incoming)? {
            changed = state.document().cloned();
            now = state;
        }
    }
    for earlier in observed.earlier(&planned.name) {
        if let Some(state) = put_back(&now, earlier)? {
            changed = state.document().cloned();
            now = state;
        }
    }
    planned.platforms = platforms(&now);
    planned.lost = lost(&now, named);
    planned.unplaced = unplaced(&now, named);
    let changed = changed.filter(|document| Some(document.digest()) != planned.before.as_ref());
    planned.after = changed.as_ref().map(|document| document.digest().clone());
    planned.pushes = pushes(&now, &before, named, observed, planned.name.repository());
    planned.count_bytes();
    planned.document = changed;
    Ok(())
}

/// Identifies what a source holds: its document, and the parts of it that it has.
fn parts_of(incoming: &Incoming) -> (&Digest, Vec<(&Digest, Option<PlatformKey>)>) {
    let images = incoming.images().iter();
    let images = images.map(|image| (image.document().digest(), Some(image.platform().key())));
    let parts = images.chain(incoming.others().iter().map(|entry| (entry.digest(), None)));
    (incoming.document().digest(), parts.collect())
}

/// The manifests that packages hold only in parts, and that are not in the tag afterwards.
fn lost(now: &TagState, named: &[NamedImage]) -> Vec<Error> {
    let (listed, mut seen) = (now.listed(), BTreeSet::new());
    let mut brought = named.iter().flat_map(|named| named.incoming.images());
    let brought: BTreeSet<&Digest> = brought.by_ref().map(|i| i.document().digest()).collect();
    let is_there = |digest: &Digest| {
        brought.contains(digest) || (listed.contains(digest) && !now.is_missing(digest))
    };
    let mut errors = Vec::new();
    for named in named {
        for IncompleteImage { digest, platform, error } in &named.image.incomplete {
            let (Some(platform), Some(error)) = (platform, error) else { continue };
            if is_there(digest) || !seen.insert((digest, &named.reference)) {
                continue;
            }
            let message = format!("the image for {platform} is not whole in the package");
            let whole = Error::caused_by(error.kind(), message, error.clone());
            errors.push(whole.of_image(&named.reference).with_digest(digest));
        }
    }
    errors
}

/// The attestations that sources have, and the tag does not list.
fn unplaced(now: &TagState, named: &[NamedImage]) -> Vec<(Origin, Digest)> {
    let listed = now.listed();
    let mut unplaced = BTreeSet::new();
    for named in named.iter().filter(|named| !named.is_fallback) {
        let others = named.incoming.others().iter().map(|entry| entry.digest());
        let others = others.filter(|digest| !listed.contains(*digest)).cloned();
        unplaced.extend(others.map(|digest| (named.origin, digest)));
    }
    unplaced.into_iter().collect()
}

/// The platforms that a tag holds; empty where its document cannot be read.
pub(crate) fn platforms(state: &TagState) -> Vec<PlatformKey> {
    state.platforms().into_iter().flatten().map(|(platform, _)| platform).collect()
}
