//! The plan for one name in the target.

use serde::{Deserialize, Serialize};

use super::{NamedImage, Origin, Push};
use crate::{
    chart::TargetName,
    error::Error,
    fuse::Decision,
    image::{Digest, Document, PlatformKey},
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

impl PlannedImage {
    /// A plan in which nothing is done.
    pub(super) fn empty(name: &TargetName, named: &[NamedImage]) -> Self {
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

    /// Notes why it cannot be imported.
    pub(super) fn refuse(&mut self, error: Error) {
        self.error = Some(error.of_image(&self.name));
        (self.after, self.document) = (None, None);
        self.pushes.clear();
        self.bytes_to_send = 0;
    }

    pub(super) fn count_bytes(&mut self) {
        let blobs = self.pushes.iter().flat_map(|push| &push.blobs);
        self.bytes_to_send = blobs.filter(|blob| !blob.present).map(|blob| blob.size).sum();
    }

    /// True where the tag stays as it is, and something that it needs is sent.
    pub(crate) fn restores(&self) -> bool {
        self.after.is_none() && !self.pushes.is_empty()
    }
}
