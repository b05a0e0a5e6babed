//! The entries of the index that a fusion writes.

use std::collections::{BTreeMap, BTreeSet};

use super::{IncomingImage, TagChild};
use crate::image::{
    Digest, Document, DocumentType, Entry, Family, Platform, PlatformKey, RawObject, entries_text,
};

/// An entry of an index, with what fusion needs to know about it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    /// The platform it provides: the one that its descriptor states, completed by its config where that
    /// is known.
    pub(super) key: Option<PlatformKey>,
    /// The platform as the descriptor states it. It decides the order, which must not depend on what was
    /// read.
    stated: Option<PlatformKey>,
    /// The image that it attests.
    pub(super) attests: Option<Digest>,
}

impl Slot {
    pub(super) fn of_entry(entry: Entry, children: &BTreeMap<Digest, TagChild>) -> Self {
        let attests = entry.attests();
        let descriptor = entry.descriptor();
        let plain = attests.is_none() && !descriptor.is_artifact() && !entry.is_index();
        let stated = descriptor.platform.as_ref().filter(|p| plain && !p.is_unknown());
        let own = children.get(entry.digest()).and_then(TagChild::config);
        let own = own.map(|config| config.platform()).filter(|p| plain && !p.is_unknown());
        let key = match (stated, own) {
            (Some(stated), Some(own)) => Some(stated.completed_by(own).key()),
            (stated, own) => stated.or(own).map(Platform::key),
        };
        let stated = stated.map(Platform::key);
        Self { entry, key, stated, attests }
    }

    /// A tag's single manifest as an entry; `None` where it is not an image.
    pub(super) fn of_manifest(
        document: &Document,
        children: &BTreeMap<Digest, TagChild>,
    ) -> Option<Self> {
        let config = children.get(document.digest())?.config()?;
        Some(Self::of_image(&IncomingImage::new(document.clone(), config.clone(), None)))
    }

    pub(super) fn of_image(image: &IncomingImage) -> Self {
        let key = (!image.platform.is_unknown()).then(|| image.platform.key());
        let stated = image.entry.descriptor().platform.as_ref().filter(|p| !p.is_unknown());
        let stated = stated.map(Platform::key);
        Self { entry: image.entry.clone(), key, stated, attests: None }
    }

    pub(super) fn digest(&self) -> &Digest {
        self.entry.digest()
    }

    /// True where only reading the manifest shows what this entry is.
    pub(super) fn must_be_read(&self) -> bool {
        self.key.is_none() && self.attests.is_none() && !self.entry.descriptor().is_artifact()
    }

    /// True where it may provide this platform, or its config may say that it provides another variant or
    /// version than its descriptor leaves open.
    pub(super) fn may_provide(&self, platform: &PlatformKey) -> bool {
        let Some(key) = &self.key else { return false };
        let stated = self.entry.descriptor().platform.as_ref();
        let is_open = stated.is_some_and(|p| p.variant.is_empty() || p.os_version.is_empty());
        let of_one_kind = |a: &PlatformKey, b: &PlatformKey| {
            (a.os(), a.architecture()) == (b.os(), b.architecture())
        };
        key == platform || (is_open && of_one_kind(key, platform))
    }
}

/// Sorts entries, so that the order in which they were fused does not matter: images by platform, then
/// digest, each followed by its attestations; entries without a platform last, in their old order.
pub(super) fn in_order(slots: Vec<Slot>) -> Vec<Slot> {
    let images: BTreeSet<Digest> =
        slots.iter().filter(|s| s.stated.is_some()).map(|s| s.digest().clone()).collect();
    let (mut loose, mut sorted) = (Vec::new(), Vec::new());
    let mut attestations: BTreeMap<Digest, Vec<Slot>> = BTreeMap::new();
    for slot in slots {
        match &slot.attests {
            Some(subject) if images.contains(subject) => {
                attestations.entry(subject.clone()).or_default().push(slot);
            }
            _ if slot.stated.is_some() => sorted.push(slot),
            _ => loose.push(slot),
        }
    }
    sorted.sort_by(|a, b| (&a.stated, a.digest()).cmp(&(&b.stated, b.digest())));
    let mut ordered = Vec::new();
    for slot in sorted {
        let mut own = attestations.remove(slot.digest()).unwrap_or_default();
        own.sort_by(|a, b| a.digest().cmp(b.digest()));
        ordered.push(slot);
        ordered.extend(own);
    }
    ordered.extend(loose);
    ordered
}

/// Writes an index compactly: all other members of `before` as they were, or a new index without it.
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
