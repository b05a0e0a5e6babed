//! The plan for one name in the target.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BlobOrigin, NamedImage, Observed, Options, Origin, Presence};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    fuse::{Decision, Incoming, TagState, add_attestations, fuse_again, put_back},
    image::{Digest, Document, Index, PlatformKey},
    package::{Blob, BlobPlace, IncompleteImage, ReadOrder, StoredDocument},
};

/// What happens to one name in the target.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedImage {
    /// The name in the target.
    pub name: TargetName,
    /// The references it had in the packages.
    pub references: Vec<String>,
    /// What the tag holds now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What the tag will hold; `None` where nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// One decision per incoming platform.
    pub decisions: Vec<PlannedDecision>,
    /// The platforms that the tag will hold.
    pub platforms: Vec<PlatformKey>,
    /// The manifests and nested indexes that the tag needs and may lack, in this order, with their
    /// blobs. The tag's own document may be among them: it is written with the tag.
    pub(crate) pushes: Vec<Push>,
    /// Bytes of its blobs that the repository lacks; a blob that several images need counts for each.
    pub bytes_to_send: u64,
    /// What a package was to bring, has only in parts, and the tag does not have either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<Error>,
    /// Attestations that a package has, but whose image is not at the tag.
    #[serde(skip)]
    pub(crate) unplaced: Vec<(Origin, Digest)>,
    /// Why the image cannot be imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// The document with the digest `after`; `None` in a plan that was read from JSON.
    #[serde(skip)]
    pub(crate) document: Option<Document>,
}

/// A decision, and where its image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedDecision {
    /// Where the image comes from.
    pub origin: Origin,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// A manifest or nested index, and the blobs it needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Push {
    /// Digest of the document.
    pub(crate) digest: Digest,
    /// The blobs it needs, except foreign layers.
    pub(crate) blobs: Vec<PlannedBlob>,
    /// The document; `None` in a plan that was read from JSON.
    #[serde(skip)]
    pub(crate) document: Option<Document>,
}

/// A blob that must be in the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedBlob {
    pub(crate) digest: Digest,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// True where the repository has it.
    pub(crate) present: bool,
    pub(crate) origin: BlobOrigin,
}

impl PlannedBlob {
    /// Its place in the order in which blobs are sent.
    pub(crate) fn read_order(&self) -> ReadOrder {
        match &self.origin {
            BlobOrigin::Package { number, locator } => locator.read_order(*number),
            BlobOrigin::Target { .. } => ReadOrder::default(),
        }
    }

    /// The position of its package in the plan's list; `None` for a blob from the target.
    pub(super) fn package(&self) -> Option<usize> {
        match self.origin {
            BlobOrigin::Package { number, .. } => Some(number),
            BlobOrigin::Target { .. } => None,
        }
    }
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
        planned.error = Some(error.of_image(name));
        planned.after = None;
        planned.pushes.clear();
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

/// Plans documents that are found by what they refer to, and need no tag.
pub(super) fn plan_referrers(
    repository: &str,
    named: &[NamedImage],
    observed: &Observed,
) -> PlannedImage {
    let mut planned = PlannedImage::empty(&named[0].name, named);
    for named in named {
        for stored in referrer_documents(std::slice::from_ref(named)) {
            let digest = stored.document.digest();
            let is_new = planned.pushes.iter().all(|push| push.digest != *digest);
            if is_new && observed.has_manifest(repository, digest) != Some(true) {
                planned.pushes.push(push(stored, named.origin, observed, repository));
            }
        }
    }
    planned.count_bytes();
    planned
}

/// True where these images are lists of referrers, which a registry may keep by itself.
pub(super) fn is_list_of_referrers(named: &[NamedImage]) -> bool {
    !named.is_empty() && named.iter().all(|named| named.is_fallback)
}

/// The documents of lists of referrers, without the lists.
pub(super) fn referrer_documents(named: &[NamedImage]) -> impl Iterator<Item = &StoredDocument> {
    named.iter().flat_map(|named| {
        let list = named.incoming.document().digest();
        named.image.documents.iter().filter(move |stored| stored.document.digest() != list)
    })
}

impl PlannedImage {
    /// A plan in which nothing is done.
    fn empty(name: &TargetName, named: &[NamedImage]) -> Self {
        let mut references: Vec<String> =
            named.iter().map(|image| image.reference.clone()).collect();
        references.sort();
        references.dedup();
        Self {
            name: name.clone(),
            references,
            before: None,
            after: None,
            decisions: Vec::new(),
            platforms: Vec::new(),
            pushes: Vec::new(),
            bytes_to_send: 0,
            lost: Vec::new(),
            unplaced: Vec::new(),
            error: None,
            document: None,
        }
    }

    fn count_bytes(&mut self) {
        let blobs = self.pushes.iter().flat_map(|push| &push.blobs);
        self.bytes_to_send = blobs.filter(|blob| !blob.present).map(|blob| blob.size).sum();
    }

    /// True where the tag stays as it is, and something that it needs is sent.
    pub(crate) fn restores(&self) -> bool {
        self.after.is_none() && !self.pushes.is_empty()
    }
}

/// The platforms that a tag holds; empty where its document cannot be read.
pub(crate) fn platforms(state: &TagState) -> Vec<PlatformKey> {
    state.platforms().into_iter().flatten().map(|(platform, _)| platform).collect()
}

/// The manifests and nested indexes to push: those that the document lists, and that the tag did not list
/// or the target has lost. All that are not there where an incoming document is written unchanged.
fn pushes(
    now: &TagState,
    before: &TagState,
    named: &[NamedImage],
    observed: &Observed,
    repository: &str,
) -> Vec<Push> {
    let (needed, there) = (now.listed(), before.listed());
    let (mut pushes, mut done) = (Vec::new(), BTreeSet::new());
    for image in named {
        let root = now.document().map(Document::digest);
        let whole = root == Some(image.incoming.document().digest());
        for stored in &image.image.documents {
            let digest = stored.document.digest();
            let is_there = there.contains(digest) && !before.is_missing(digest);
            let is_needed = whole || needed.contains(digest) || before.is_missing(digest);
            if is_needed && !is_there && done.insert(digest.clone()) {
                pushes.push(push(stored, image.origin, observed, repository));
            }
        }
    }
    children_first(pushes)
}

/// Sorts documents so that each comes after those that it lists: several sources hold parts of one index.
fn children_first(pushes: Vec<Push>) -> Vec<Push> {
    let (mut indexes, mut sorted): (Vec<Push>, Vec<Push>) = pushes
        .into_iter()
        .partition(|push| push.document.as_ref().is_some_and(|d| d.kind().is_index()));
    while !indexes.is_empty() {
        let open: BTreeSet<Digest> = indexes.iter().map(|push| push.digest.clone()).collect();
        let lists_open = |push: &Push| {
            let index = push.document.as_ref().and_then(|d| Index::from_document(d).ok());
            index.is_some_and(|index| index.entries().iter().any(|e| open.contains(e.digest())))
        };
        let (waiting, ready): (Vec<_>, Vec<_>) = indexes.into_iter().partition(lists_open);
        let is_stuck = ready.is_empty();
        sorted.extend(ready);
        indexes = waiting;
        if is_stuck {
            // No document can list itself, as its digest would change.
            sorted.append(&mut indexes);
        }
    }
    sorted
}

fn push(stored: &StoredDocument, origin: Origin, observed: &Observed, repository: &str) -> Push {
    let mut seen = BTreeSet::new();
    let blobs = stored.blobs.iter().filter(|blob| seen.insert(blob.descriptor.digest.clone()));
    let blobs = blobs.filter_map(|blob| {
        let digest = blob.descriptor.digest.clone();
        Some(PlannedBlob {
            present: observed.has_blob(repository, &digest) == Presence::Present,
            digest,
            size: blob.descriptor.size,
            origin: blob_origin(blob, origin)?,
        })
    });
    Push {
        digest: stored.document.digest().clone(),
        blobs: blobs.collect(),
        document: Some(stored.document.clone()),
    }
}

/// Where a blob is taken from; `None` for a foreign layer, which is not stored.
fn blob_origin(blob: &Blob, origin: Origin) -> Option<BlobOrigin> {
    match (&blob.place, origin) {
        (BlobPlace::Package(locator), Origin::Package(number)) => {
            Some(BlobOrigin::Package { number, locator: *locator })
        }
        (BlobPlace::Target(repository), _) => {
            Some(BlobOrigin::Target { repository: repository.clone() })
        }
        (BlobPlace::Foreign, _) | (BlobPlace::Package(_), Origin::Target) => None,
    }
}
