//! Sorts out the entries of an `index.json`: which are images with a name, which refer to one of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{PackageImage, Referrer, StoredDocument, Unused};
use crate::{
    error::Result,
    fuse::Incoming,
    image::{Digest, Document, Entry, REF_NAME, RawObject, entries_text, types},
};

/// containerd and docker put the full reference into this annotation, and only the tag into
/// `ref.name`.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The prefix of the kinds that cosign and hauler give to entries.
const COSIGN_KIND: &str = "dev.cosignproject.cosign/";
/// The longest part of a digest in the tag that stands for it ([OCI distribution, "Referrers Tag Schema"]).
///
/// [OCI distribution, "Referrers Tag Schema"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
const MAX_HEX_IN_TAG: usize = 64;

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
    /// The digest of the document that it refers to: its `subject`, or the one in its tag.
    subject: Option<Digest>,
}

impl LayoutEntry {
    pub(super) fn new(entry: &Entry, image: PackageImage) -> Self {
        let annotations = &entry.descriptor().annotations;
        let reference = reference_of(entry);
        let tag = annotations.get(REF_NAME).filter(|_| reference.is_none()).cloned();
        let kind = annotations.get("kind").and_then(|kind| kind.strip_prefix(COSIGN_KIND));
        let states_platform = entry.descriptor().platform.as_ref().is_some_and(|p| !p.is_unknown());
        let in_tag = tag.as_deref().and_then(digest_in_tag);
        let subject = in_tag.or_else(|| subject_of(image.incoming.document()));
        let (kind, entry) = (kind.map(Into::into), entry.without_names());
        Self { reference, tag, kind, states_platform, entry, image, subject }
    }

    fn is_named(&self) -> bool {
        self.reference.is_some() || self.tag.is_some()
    }

    /// True where it refers to another document, and has no reference of its own.
    fn is_referrer(&self) -> bool {
        self.reference.is_none() && self.subject.is_some()
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

/// The digest in a tag such as `sha256-<hex>` or `sha256-<hex>.sig`.
fn digest_in_tag(tag: &str) -> Option<Digest> {
    let stem = tag.split('.').next().unwrap_or(tag);
    Digest::from_sha256_hex(stem.strip_prefix("sha256-")?)
}

/// The tag that stands for a digest.
fn tag_of(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{}-{}", digest.algorithm().name(), &hex[..hex.len().min(MAX_HEX_IN_TAG)])
}

/// The images of a layout, each with what refers to it, and what belongs to none of them.
pub(super) fn sort_out(entries: Vec<LayoutEntry>) -> (Vec<PackageImage>, Vec<Unused>) {
    let entries = without_children(entries);
    let (referrers, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(LayoutEntry::is_referrer);
    let (artifacts, images): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.image.is_artifact());
    let mut sorted = SortedImages { images: unite(images), ..SortedImages::default() };
    sorted.add_referrers(referrers);
    for artifact in artifacts {
        sorted.add_artifact(artifact);
    }
    sorted.finish()
}

/// The digests that the indexes among these entries list.
pub(super) fn listed(entries: &[LayoutEntry]) -> BTreeSet<Digest> {
    let digests = entries
        .iter()
        .flat_map(|entry| entry.image.reachable().filter(|digest| digest != entry.entry.digest()));
    digests.collect()
}

/// Leaves out entries without a name that an index among them lists: they come with it.
fn without_children(entries: Vec<LayoutEntry>) -> Vec<LayoutEntry> {
    let listed = listed(&entries);
    let stays = |entry: &LayoutEntry| entry.is_named() || !listed.contains(entry.entry.digest());
    entries.into_iter().filter(stays).collect()
}

/// Unites images that the layout lists one platform at a time under one name: they are one statement.
fn unite(entries: Vec<LayoutEntry>) -> Vec<PackageImage> {
    let (mut united, mut places): (Vec<PackageImage>, BTreeMap<_, usize>) = Default::default();
    for entry in entries {
        let is_platform = entry.states_platform && !entry.image.incoming.is_index();
        if !is_platform || !entry.is_named() {
            united.push(entry.named());
            continue;
        }
        let name = (entry.reference.clone(), entry.tag.clone());
        match places.get(&name) {
            Some(place) => united[*place].unite(entry.image),
            None => {
                places.insert(name, united.len());
                united.push(entry.named());
            }
        }
    }
    united
}

/// The images of a layout, and what was found to belong to them.
#[derive(Default)]
struct SortedImages {
    images: Vec<PackageImage>,
    /// The documents that refer to a digest by their `subject`, by the image's place.
    lists: BTreeMap<(usize, Digest), Vec<PackageImage>>,
    unused: Vec<Unused>,
}

impl SortedImages {
    /// Adds documents that refer to an image, or to another such document, to every image that they belong
    /// to. Where what they refer to is not here, nothing could bring them into a repository.
    fn add_referrers(&mut self, mut open: Vec<LayoutEntry>) {
        let mut owners: BTreeMap<Digest, BTreeSet<usize>> = BTreeMap::new();
        for (place, image) in self.images.iter().enumerate() {
            for digest in image.reachable() {
                owners.entry(digest).or_default().insert(place);
            }
        }
        loop {
            let before = open.len();
            let mut left = Vec::new();
            for entry in open {
                let subject = entry.subject.clone();
                match subject.and_then(|subject| Some((owners.get(&subject)?.clone(), subject))) {
                    Some((places, subject)) => {
                        for digest in entry.image.reachable() {
                            owners.entry(digest).or_default().extend(&places);
                        }
                        self.add_referrer(&places, subject, entry);
                    }
                    None => left.push(entry),
                }
            }
            open = left;
            if open.len() == before || open.is_empty() {
                break;
            }
        }
        self.unused.extend(open.into_iter().map(|entry| Unused {
            what: entry.entry.digest().to_string(),
            because: "what it refers to is not in the package",
        }));
    }

    fn add_referrer(&mut self, places: &BTreeSet<usize>, subject: Digest, entry: LayoutEntry) {
        let by_tag = entry.tag.filter(|tag| digest_in_tag(tag).is_some());
        let image = Arc::new(entry.image);
        for place in places {
            match &by_tag {
                Some(tag) => self.images[*place].referrers.push(Referrer {
                    tag: tag.clone(),
                    is_fallback: false,
                    image: image.clone(),
                }),
                None => {
                    let list = self.lists.entry((*place, subject.clone())).or_default();
                    list.push(PackageImage::clone(&image));
                }
            }
        }
    }

    /// Adds an artifact that refers to nothing. One that has the name of an image is a signature of it where
    /// cosign's kind says so; otherwise, and without any name, it is not imported beside images.
    fn add_artifact(&mut self, entry: LayoutEntry) {
        let ending = match entry.kind.as_deref() {
            Some("sigs") => Some(".sig"),
            Some("atts") => Some(".att"),
            Some("sboms" | "sbom") => Some(".sbom"),
            _ => None,
        };
        let has_name = |image: &PackageImage| {
            entry.reference.as_ref().is_some_and(|name| image.references.contains(name))
        };
        let subject = self.images.iter().position(has_name);
        if let (Some(place), Some(_)) = (subject, entry.entry.attests()) {
            // One statement with the images that the layout lists under this name.
            return self.images[place].add_attestation(entry.entry, entry.image);
        }
        let because = match (subject, ending) {
            (Some(subject), Some(ending)) => {
                let subject = &mut self.images[subject];
                let tag = format!("{}{ending}", tag_of(subject.incoming.document().digest()));
                let image = Arc::new(entry.image);
                subject.referrers.push(Referrer { tag, is_fallback: false, image });
                return;
            }
            (Some(_), None) => {
                "an artifact has the name of an image, and only the image is imported"
            }
            (None, _) if entry.reference.is_some() || self.images.is_empty() => {
                self.images.push(entry.named());
                return;
            }
            (None, _) => "an artifact without a name, which refers to no image of its file",
        };
        let what = entry.reference.unwrap_or_else(|| entry.entry.digest().to_string());
        self.unused.push(Unused { what, because });
    }

    fn finish(mut self) -> (Vec<PackageImage>, Vec<Unused>) {
        for ((place, subject), referrers) in self.lists {
            match PackageImage::list_of_referrers(referrers) {
                Ok(list) => self.images[place].referrers.push(Referrer {
                    tag: tag_of(&subject),
                    is_fallback: true,
                    image: Arc::new(list),
                }),
                Err(_) => self.unused.push(Unused {
                    what: subject.to_string(),
                    because: "more documents refer to it than a list of referrers can hold",
                }),
            }
        }
        (self.images, self.unused)
    }
}

impl PackageImage {
    /// Adds the image of another platform that has the same name.
    fn unite(&mut self, other: Self) {
        let mut seen = BTreeSet::new();
        let images = self.incoming.images().iter().chain(other.incoming.images());
        let images = images.filter(|i| seen.insert((i.document().digest(), i.platform().key())));
        if let Some(incoming) = Incoming::images_of_one_name(images.cloned().collect()) {
            self.incoming = incoming;
        }
        self.documents.extend(other.documents);
    }

    fn add_attestation(&mut self, entry: Entry, attestation: Self) {
        self.incoming.add_other(entry);
        self.documents.extend(attestation.documents);
    }

    /// The list that a tag holds of the documents with one subject, with these documents.
    fn list_of_referrers(referrers: Vec<Self>) -> Result<Self> {
        let entries: Vec<Entry> =
            referrers.iter().map(|r| Entry::of_referrer(r.incoming.document())).collect();
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":{}}}"#,
            types::OCI_INDEX,
            entries_text(&entries)
        );
        let document = Document::new(text.into_bytes(), None)?;
        let mut documents: Vec<StoredDocument> =
            referrers.into_iter().flat_map(|referrer| referrer.documents).collect();
        documents.push(StoredDocument { document: document.clone(), blobs: Vec::new() });
        let incoming = Incoming::index(document, Vec::new(), entries, &[])?;
        Ok(Self::new(incoming, documents))
    }
}

impl Entry {
    /// True where a layout's `index.json` gives it a name.
    pub(super) fn has_name(&self) -> bool {
        let annotations = &self.descriptor().annotations;
        [REF_NAME, CONTAINERD_NAME].iter().any(|name| annotations.contains_key(*name))
    }

    /// The same entry without the names that a layout's `index.json` gives it.
    pub(super) fn without_names(&self) -> Self {
        self.without_annotations(&[REF_NAME, CONTAINERD_NAME, "kind"])
    }
}
