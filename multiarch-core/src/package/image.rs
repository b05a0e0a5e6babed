//! Images in a package.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    error::Error,
    fuse::Incoming,
    image::{Descriptor, Digest, Document, PlatformKey},
    package::{Locator, PackageName},
};

/// One image of a package: what a tag would get, and every document and blob it needs.
#[derive(Clone, Debug)]
pub(crate) struct PackageImage {
    /// Its references; empty where the package does not say them.
    pub(crate) references: Vec<String>,
    /// A tag alone, where the package says no more of its name.
    pub(crate) tag: Option<String>,
    /// What is fused into the tag.
    pub(crate) incoming: Incoming,
    /// Every manifest and nested index, children before those that list them, the top one last.
    pub(crate) documents: Vec<StoredDocument>,
    /// The references are names in a target already, because the image comes from a layout that this
    /// library wrote.
    pub(crate) has_target_names: bool,
    /// What the name of its package file says.
    pub(crate) origin: PackageName,
    /// Manifests that its index lists but the package does not hold as a whole.
    pub(crate) incomplete: Vec<IncompleteImage>,
    /// Signatures, attestations and other documents that refer to it.
    pub(crate) referrers: Vec<Referrer>,
    /// The architecture of the programs in each manifest, where it was looked for.
    pub(crate) programs: BTreeMap<Digest, &'static str>,
}

/// A manifest that an index lists and its source does not have as a whole.
#[derive(Clone, Debug)]
pub(crate) struct IncompleteImage {
    pub(crate) digest: Digest,
    /// The platform that the index states for it.
    pub(crate) platform: Option<PlatformKey>,
    /// What is wrong with a manifest that is there; `None` where the source does not have it at all, as
    /// where it was saved on a machine of another platform.
    pub(crate) error: Option<Error>,
}

/// A document that refers to an image by its digest, and goes into the image's repository.
#[derive(Clone, Debug)]
pub(crate) struct Referrer {
    /// The tag by which it is found.
    pub(crate) tag: String,
    /// The tag only stands in for the registry's list of referrers ([OCI distribution, "Referrers Tag
    /// Schema"]): where the registry has such a list, the tag is not written.
    ///
    /// [OCI distribution, "Referrers Tag Schema"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
    pub(crate) is_fallback: bool,
    pub(crate) image: Arc<PackageImage>,
}

/// A manifest or index, with the blobs that must be written before it.
#[derive(Clone, Debug)]
pub(crate) struct StoredDocument {
    pub(crate) document: Document,
    /// Config and layers.
    pub(crate) blobs: Vec<Blob>,
}

/// A blob and where its bytes are.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    /// Media type, digest and size.
    pub(crate) descriptor: Descriptor,
    pub(crate) place: BlobPlace,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum BlobPlace {
    /// In the package.
    Package(Locator),
    /// In this repository of the target.
    Target(String),
    /// Elsewhere: a foreign layer, which is never uploaded.
    Foreign,
}

impl PackageImage {
    /// An image without a name.
    pub(crate) fn new(incoming: Incoming, documents: Vec<StoredDocument>) -> Self {
        Self {
            references: Vec::new(),
            tag: None,
            incoming,
            documents,
            has_target_names: false,
            origin: PackageName::default(),
            incomplete: Vec::new(),
            referrers: Vec::new(),
            programs: BTreeMap::new(),
        }
    }

    /// True for a signature, an attestation, a list of referrers: anything that is for no platform.
    pub(crate) fn is_artifact(&self) -> bool {
        let is_platform = |image: &IncompleteImage| image.platform.is_some();
        self.incoming.images().is_empty() && !self.incomplete.iter().any(is_platform)
    }

    /// The digests of its documents, and of all that its index lists.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = Digest> {
        let documents = self.documents.iter().map(|stored| stored.document.digest().clone());
        documents.chain(self.incoming.stated().into_iter().cloned())
    }

    /// Every blob of every document; a blob that several documents need comes several times.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.documents.iter().flat_map(|stored| &stored.blobs)
    }
}

impl Blob {
    /// Where it is in the package, if it is there.
    pub(crate) fn locator(&self) -> Option<Locator> {
        match self.place {
            BlobPlace::Package(locator) => Some(locator),
            BlobPlace::Target(_) | BlobPlace::Foreign => None,
        }
    }
}
