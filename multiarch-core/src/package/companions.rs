//! Sorts out the entries of an `index.json`: which are images with a name, which belong to one of them.

use std::sync::Arc;

use super::{Companion, PackageImage, Unused};
use crate::{
    fuse::Incoming,
    image::{Digest, Document, Entry, REF_NAME, RawObject, entries_text, types},
};

/// containerd and docker put the full reference into this annotation, and only the tag into
/// `ref.name`.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The prefix of cosign's kinds.
const COSIGN_KIND: &str = "dev.cosignproject.cosign/";

/// The reference of an image; a `ref.name` that is only a tag is not one.
pub(super) fn reference_of(entry: &Entry) -> Option<String> {
    let annotations = &entry.descriptor().annotations;
    let name = annotations
        .get(CONTAINERD_NAME)
        .or_else(|| annotations.get(REF_NAME).filter(|name| name.contains(['/', ':'])))?;
    Some(name.clone())
}

/// One entry of an `index.json`.
pub(super) struct LayoutEntry {
    reference: Option<String>,
    /// A `ref.name` that is only a tag.
    tag: Option<String>,
    /// The kind that cosign and hauler give to the signatures of an image, which have the image's name.
    kind: Option<String>,
    states_platform: bool,
    entry: Entry,
    image: PackageImage,
    /// The digest of the document that it refers to.
    subject: Option<Digest>,
}

impl LayoutEntry {
    pub(super) fn new(entry: &Entry, image: PackageImage) -> Self {
        let annotations = &entry.descriptor().annotations;
        let reference = reference_of(entry);
        let tag = annotations.get(REF_NAME).filter(|_| reference.is_none()).cloned();
        let kind = annotations.get("kind").and_then(|kind| kind.strip_prefix(COSIGN_KIND));
        let states_platform = entry.descriptor().platform.as_ref().is_some_and(|p| !p.is_unknown());
        let subject = subject_of(image.incoming.document());
        let (kind, entry) = (kind.map(Into::into), entry.without_names());
        Self { reference, tag, kind, states_platform, entry, image, subject }
    }

    fn digest(&self) -> &Digest {
        self.entry.digest()
    }

    fn is_named(&self) -> bool {
        self.reference.is_some() || self.tag.is_some()
    }

    /// True for a signature, an attestation, a list of referrers: anything without an image in it.
    fn is_artifact(&self) -> bool {
        self.image.incoming.images().is_empty()
    }

    /// The image, with the name that the entry gives it.
    fn named(self) -> PackageImage {
        let mut image = self.image;
        image.references.extend(self.reference);
        image.tag = self.tag;
        image
    }
}

/// The digest of the document that a manifest or an index refers to.
fn subject_of(document: &Document) -> Option<Digest> {
    let members = RawObject::parse(document.raw()).ok()?;
    let subject: serde_json::Value = serde_json::from_str(members.get("subject").ok()??).ok()?;
    subject["digest"].as_str()?.parse().ok()
}

/// The images of a layout, each with what refers to it, and what belongs to none of them.
pub(super) fn sort_out(parts: Vec<LayoutEntry>) -> (Vec<PackageImage>, Vec<Unused>) {
    let parts = without_children(parts);
    let (companions, parts): (Vec<LayoutEntry>, Vec<LayoutEntry>) =
        parts.into_iter().partition(is_companion);
    let (artifacts, images): (Vec<LayoutEntry>, Vec<LayoutEntry>) =
        parts.into_iter().partition(LayoutEntry::is_artifact);
    let (beside, artifacts): (Vec<LayoutEntry>, Vec<LayoutEntry>) =
        artifacts.into_iter().partition(|artifact| {
            images.iter().any(|i| i.reference.is_some() && i.reference == artifact.reference)
        });
    let mut sorted = Sorted { images: unite(images), unused: Vec::new() };
    beside.into_iter().for_each(|part| sorted.add_beside(part));
    sorted.add_companions(companions);
    sorted.images.extend(artifacts.into_iter().map(LayoutEntry::named));
    (sorted.images, sorted.unused)
}

/// Leaves out entries without a name that an index among them lists: they come with it.
fn without_children(parts: Vec<LayoutEntry>) -> Vec<LayoutEntry> {
    let reached: Vec<bool> = parts
        .iter()
        .map(|part| {
            let lists = |other: &LayoutEntry| {
                other.digest() != part.digest() && other.image.reaches(part.digest())
            };
            !part.is_named() && parts.iter().any(lists)
        })
        .collect();
    parts.into_iter().zip(reached).filter(|(_, reached)| !reached).map(|(part, _)| part).collect()
}

/// True for an entry that refers to another document, by its subject or by a tag made of its digest, and
/// has no reference of its own.
fn is_companion(part: &LayoutEntry) -> bool {
    let by_tag = part.tag.as_deref().and_then(digest_in_tag).is_some();
    part.reference.is_none() && (by_tag || (part.subject.is_some() && part.tag.is_none()))
}

/// The digest in a tag such as `sha256-<hex>` or `sha256-<hex>.sig`.
fn digest_in_tag(tag: &str) -> Option<Digest> {
    let stem = tag.split('.').next().unwrap_or(tag);
    Digest::from_sha256_hex(stem.strip_prefix("sha256-")?)
}

/// The tag that stands for a digest.
fn tag_of(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm().name(), digest.hex())
}

/// Unites images that the layout lists one platform at a time under one name: they are one statement.
fn unite(parts: Vec<LayoutEntry>) -> Vec<PackageImage> {
    let mut united: Vec<LayoutEntry> = Vec::new();
    for part in parts {
        let is_listed =
            |part: &LayoutEntry| part.states_platform && !part.image.incoming.is_index();
        let same = |other: &&mut LayoutEntry| {
            (&other.reference, &other.tag) == (&part.reference, &part.tag)
                && other.is_named()
                && is_listed(other)
        };
        match united.iter_mut().find(same).filter(|_| is_listed(&part)) {
            Some(other) => {
                let images =
                    other.image.incoming.images().iter().chain(part.image.incoming.images());
                let mut seen = std::collections::BTreeSet::new();
                let images: Vec<_> = images
                    .filter(|i| seen.insert((i.document().digest().clone(), i.platform().key())))
                    .cloned()
                    .collect();
                if let Some(incoming) = Incoming::images_of_one_name(images) {
                    other.image.incoming = incoming;
                }
                other.image.documents.extend(part.image.documents);
            }
            None => united.push(part),
        }
    }
    united.into_iter().map(LayoutEntry::named).collect()
}

struct Sorted {
    images: Vec<PackageImage>,
    unused: Vec<Unused>,
}

impl Sorted {
    /// Adds an artifact that has the name of an image. cosign's kinds say which tag it belongs under.
    fn add_beside(&mut self, part: LayoutEntry) {
        let ending = match part.kind.as_deref() {
            Some("sigs") => ".sig",
            Some("atts") => ".att",
            Some("sboms" | "sbom") => ".sbom",
            _ => {
                let what = part.reference.unwrap_or_default();
                let because =
                    "an artifact has the name of an image, and only the image is imported";
                return self.unused.push(Unused { what, because });
            }
        };
        let LayoutEntry { reference, image, .. } = part;
        let has_name = |image: &&mut PackageImage| {
            reference.as_ref().is_some_and(|name| image.references.contains(name))
        };
        if let Some(subject) = self.images.iter_mut().find(has_name) {
            let tag = format!("{}{ending}", tag_of(subject.incoming.document().digest()));
            subject.companions.push(Companion { tag, is_fallback: false, image: Arc::new(image) });
        }
    }

    /// Adds documents that refer to an image, or to another such document, to that image.
    fn add_companions(&mut self, mut open: Vec<LayoutEntry>) {
        loop {
            let before = open.len();
            let left = open.into_iter().filter_map(|part| self.add_companion(part).err());
            open = left.map(|part| *part).collect();
            if open.is_empty() || open.len() == before {
                break;
            }
        }
        // What they refer to is not here, so that only a name could bring them into a repository.
        self.images.extend(open.into_iter().map(|part| LayoutEntry { tag: None, ..part }.named()));
    }

    fn add_companion(&mut self, part: LayoutEntry) -> Result<(), Box<LayoutEntry>> {
        let by_tag = part.tag.as_deref().and_then(digest_in_tag);
        let Some(subject) = by_tag.or_else(|| part.subject.clone()) else {
            return Err(Box::new(part));
        };
        let Some(image) = self.images.iter_mut().find(|image| image.reaches(&subject)) else {
            return Err(Box::new(part));
        };
        match part.tag {
            Some(tag) => {
                let companion = Arc::new(part.image);
                image.companions.push(Companion { tag, is_fallback: false, image: companion });
            }
            None => image.add_referrer(&subject, part.image),
        }
        Ok(())
    }
}

impl PackageImage {
    /// Adds a document that has `subject` as its subject to the list of that subject's referrers.
    fn add_referrer(&mut self, subject: &Digest, referrer: Self) {
        let tag = tag_of(subject);
        let is_list = |companion: &&Companion| companion.is_fallback && companion.tag == tag;
        let earlier = self.companions.iter().position(|c| is_list(&c));
        let earlier = earlier.map(|place| self.companions.swap_remove(place));
        let earlier = earlier.map(|companion| Arc::unwrap_or_clone(companion.image));
        let (mut entries, mut documents) = (Vec::new(), Vec::new());
        if let Some(earlier) = earlier {
            entries.extend(earlier.incoming.others().iter().cloned());
            documents = earlier.documents;
            // The list itself comes last, and is made anew.
            documents.pop();
        }
        entries.push(Entry::of_referrer(referrer.incoming.document()));
        documents.extend(referrer.documents);
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":{}}}"#,
            types::OCI_INDEX,
            entries_text(&entries)
        );
        let list = Document::new(text.into_bytes(), None);
        let incoming = list.and_then(|list| Incoming::index(list, Vec::new(), entries, &[]));
        if let Ok(incoming) = incoming {
            let document = incoming.document().clone();
            documents.push(super::StoredDocument { document, blobs: Vec::new() });
            let image = Arc::new(Self::new(incoming, documents));
            self.companions.push(Companion { tag, is_fallback: true, image });
        }
    }
}

impl Entry {
    /// The same entry without the names that a layout's `index.json` gives it.
    pub(super) fn without_names(&self) -> Self {
        self.without_annotations(&[REF_NAME, CONTAINERD_NAME, "kind"])
    }
}
