//! One entry of the index in the making.

use std::collections::{BTreeMap, BTreeSet};

use super::{Child, IncomingImage};
use crate::image::{
    Digest, Document, DocumentType, Entry, Family, PlatformKey, RawObject, entries_text,
};

/// An entry and the part it plays.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    /// The platform it provides, by its descriptor or, where that is silent, by its config.
    pub(super) key: Option<PlatformKey>,
    /// The descriptor itself names the platform: only then is it sorted by it.
    described: bool,
    /// The image it is an attestation of.
    pub(super) attests: Option<Digest>,
}

impl Slot {
    pub(super) fn of_entry(entry: Entry, children: &BTreeMap<Digest, Child>) -> Self {
        let attests = entry.attests();
        let descriptor = entry.descriptor();
        let plain = attests.is_none() && !descriptor.is_artifact() && !entry.is_index();
        let described = match &descriptor.platform {
            Some(platform) if plain && !platform.is_unknown() => Some(platform.key()),
            _ => None,
        };
        let key = described.clone().or_else(|| match children.get(entry.digest())? {
            Child::Image(config) if plain && !config.platform().is_unknown() => {
                Some(config.platform().key())
            }
            _ => None,
        });
        Self { entry, key, described: described.is_some(), attests }
    }

    /// A tag's single manifest as an entry; `None` where it is no image.
    pub(super) fn of_manifest(
        document: &Document,
        children: &BTreeMap<Digest, Child>,
    ) -> Option<Self> {
        match children.get(document.digest())? {
            Child::Image(config) => {
                Some(Self::of_image(&IncomingImage::new(document.clone(), config.clone(), None)))
            }
            _ => None,
        }
    }

    pub(super) fn of_image(image: &IncomingImage) -> Self {
        let key = (!image.platform.is_unknown()).then(|| image.platform.key());
        Self { entry: image.entry.clone(), described: key.is_some(), key, attests: None }
    }

    pub(super) fn digest(&self) -> &Digest {
        self.entry.digest()
    }

    /// True where only the content can tell what this is.
    pub(super) fn is_open(&self) -> bool {
        self.key.is_none() && self.attests.is_none() && !self.entry.descriptor().is_artifact()
    }
}

/// The one order: images by platform, then digest, each with its attestations behind it; what has
/// no platform last, in its old order.
pub(super) fn in_order(slots: Vec<Slot>) -> Vec<Slot> {
    let images: BTreeSet<Digest> =
        slots.iter().filter(|s| s.described).map(|s| s.digest().clone()).collect();
    let (mut attestations, mut loose, mut sorted) = (Vec::new(), Vec::new(), Vec::new());
    for slot in slots {
        match &slot.attests {
            Some(subject) if images.contains(subject) => attestations.push(slot),
            _ if slot.described => sorted.push(slot),
            _ => loose.push(slot),
        }
    }
    sorted.sort_by(|a, b| (&a.key, a.digest()).cmp(&(&b.key, b.digest())));
    attestations.sort_by(|a, b| a.digest().cmp(b.digest()));
    let mut ordered = Vec::new();
    for slot in sorted {
        let (mine, rest): (Vec<_>, Vec<_>) =
            attestations.into_iter().partition(|a| a.attests.as_ref() == Some(slot.digest()));
        attestations = rest;
        ordered.push(slot);
        ordered.extend(mine);
    }
    ordered.extend(loose);
    ordered
}

/// The one compact writer: the members that were there as they were, or a fresh index.
pub(super) fn write(before: Option<(&Document, &RawObject)>, slots: &[Slot]) -> Document {
    let docker = slots.iter().all(|slot| {
        let name = slot.entry.descriptor().media_type.as_str();
        matches!(
            DocumentType::from_media_type(name),
            Some(DocumentType::Manifest(Family::Docker) | DocumentType::Index(Family::Docker))
        )
    });
    let was_oci =
        before.is_some_and(|(document, _)| document.kind() == DocumentType::Index(Family::Oci));
    let family = if docker && !was_oci { Family::Docker } else { Family::Oci };
    let kind = DocumentType::Index(family);
    let manifests = entries_text(slots.iter().map(|slot| &slot.entry));
    let text = match before {
        Some((document, members)) => members.write(|name| match name {
            "manifests" => Some(manifests.clone()),
            "mediaType" if document.kind() != kind => Some(format!("\"{}\"", kind.media_type())),
            _ => None,
        }),
        None => format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":{manifests}}}"#,
            kind.media_type()
        )
        .into_bytes(),
    };
    Document::written(text, kind)
}
