//! The manifests, indexes and blobs that have to be sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BlobOrigin, NamedImage, Observed, Origin, Presence};
use crate::{
    fuse::TagState,
    image::{Digest, Document, Index},
    package::{Blob, BlobPlace, ReadOrder, StoredDocument},
};

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

/// The manifests and nested indexes to push: those that the document lists, and that the tag did not list
/// or the target has lost. All that are not there where an incoming document is written unchanged.
pub(super) fn pushes(
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
    // A lost index that no source has as it is, because fusing made it.
    if let Some(root) = now.document().filter(|root| before.is_missing(root.digest()))
        && done.insert(root.digest().clone())
    {
        let (digest, document) = (root.digest().clone(), Some(root.clone()));
        pushes.push(Push { digest, blobs: Vec::new(), document });
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

/// One document to send.
pub(super) fn push(
    stored: &StoredDocument,
    origin: Origin,
    observed: &Observed,
    repository: &str,
) -> Push {
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
