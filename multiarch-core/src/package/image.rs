//! Images in a package.

use crate::{
    fuse::Incoming,
    image::{Descriptor, Digest, Document},
    package::{Locator, PackageName},
};

/// One image of a package: what a tag would get, and every document and blob it needs.
#[derive(Clone, Debug)]
pub(crate) struct PackageImage {
    /// Its references; empty where the package does not say them.
    pub(crate) references: Vec<String>,
    /// What is fused into the tag.
    pub(crate) incoming: Incoming,
    /// Every manifest and nested index, children before those that list them, the top one last.
    pub(crate) documents: Vec<StoredDocument>,
    /// The references are names in a target already, because the image comes from a layout that this
    /// library wrote.
    pub(crate) has_target_names: bool,
    /// What the name of its package file says.
    pub(crate) origin: PackageName,
    /// Digests of images that its index lists but the package does not hold.
    pub(crate) absent: Vec<Digest>,
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
