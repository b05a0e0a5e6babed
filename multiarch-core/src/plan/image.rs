//! The plan for one name in the target.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BlobOrigin, NamedImage, Observed, Options, Origin, Presence};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    fuse::{Decision, TagState, fuse},
    image::{Digest, Document, Index, PlatformKey},
    package::{Blob, BlobPlace, ReadOrder, StoredDocument},
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
    let mut references: Vec<String> = named.iter().map(|image| image.reference.clone()).collect();
    references.sort();
    references.dedup();
    let mut planned = PlannedImage {
        name: name.clone(),
        references,
        before: None,
        after: None,
        decisions: Vec::new(),
        platforms: Vec::new(),
        pushes: Vec::new(),
        bytes_to_send: 0,
        error: None,
        document: None,
    };
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
    let before = observed.tag(&planned.name)?;
    planned.platforms = platforms(before);
    planned.before = before.document().map(|document| document.digest().clone());
    let (mut now, mut changed) = (before.clone(), None);
    named.iter().for_each(|image| now.add_incoming(&image.incoming));
    let mut seen = BTreeSet::new();
    for image in named {
        // The same image from another bundle or package changes nothing more.
        if !seen.insert(image.incoming.document().digest()) {
            continue;
        }
        let fusion = fuse(&now, &image.incoming, &options.fuse)?;
        planned.decisions.extend(
            fusion
                .decisions
                .into_iter()
                .map(|decision| PlannedDecision { origin: image.origin, decision }),
        );
        now = fusion.state;
        changed = fusion.document.or(changed);
    }
    planned.platforms = platforms(&now);
    let Some(document) = changed else { return Ok(()) };
    planned.after = Some(document.digest().clone());
    planned.pushes = pushes(&document, before, named, observed, planned.name.repository())?;
    let blobs = planned.pushes.iter().flat_map(|push| &push.blobs);
    planned.bytes_to_send = blobs.filter(|blob| !blob.present).map(|blob| blob.size).sum();
    planned.document = Some(document);
    Ok(())
}

/// The platforms that a tag holds; empty where its document cannot be read.
pub(crate) fn platforms(state: &TagState) -> Vec<PlatformKey> {
    state.platforms().into_iter().flatten().map(|(platform, _)| platform).collect()
}

/// The manifests and nested indexes to push: those that the document lists and the tag did not. All of
/// them where an incoming document is written unchanged.
fn pushes(
    document: &Document,
    before: &TagState,
    named: &[NamedImage],
    observed: &Observed,
    repository: &str,
) -> Result<Vec<Push>> {
    let listed = |document: &Document| -> Result<BTreeSet<Digest>> {
        if !document.kind().is_index() {
            return Ok(BTreeSet::from([document.digest().clone()]));
        }
        Ok(Index::from_document(document)?
            .entries()
            .iter()
            .map(|entry| entry.digest().clone())
            .collect())
    };
    let needed = listed(document)?;
    let there = before.document().map(listed).transpose()?.unwrap_or_default();
    let (mut pushes, mut done) = (Vec::new(), BTreeSet::new());
    for image in named {
        let whole = image.incoming.document().digest() == document.digest();
        for stored in &image.image.documents {
            let digest = stored.document.digest();
            let wanted = whole || (needed.contains(digest) && !there.contains(digest));
            if wanted && done.insert(digest.clone()) {
                pushes.push(push(stored, image.origin, observed, repository));
            }
        }
    }
    Ok(pushes)
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
