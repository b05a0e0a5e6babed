//! Tags beside what packages hold for them.

use std::collections::{BTreeMap, BTreeSet};

use super::list;
use crate::{
    chart::TargetName,
    image::PlatformKey,
    observe::examination::{Examined, damage},
    plan::{Inventory, NamedImage, Options},
    report::{Damage, DamageKind, Severity},
};

/// Tags that lack a platform which a package holds.
pub(super) fn lacking_platforms(
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
