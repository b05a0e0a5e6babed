//! Images in a package.

use crate::{
    fuse::Incoming,
    image::{Descriptor, Digest, Document},
    package::{Locator, PackageName},
};

/// One image reference of a package: what a tag would get, and every document and blob it needs.
#[derive(Clone, Debug)]
pub struct PackageImage {
    /// The references it goes by; empty where the package does not say.
    pub references: Vec<String>,
    /// What comes in.
    pub incoming: Incoming,
    /// Every manifest and nested index, children before those that list them, the top one last.
    pub parts: Vec<Part>,
    /// The references are names in a target already: they came out of a layout of ours.
    pub is_placed: bool,
    /// What the name of the file it came in says.
    pub origin: PackageName,
    /// Digests that its index lists, but the package does not hold.
    pub absent: Vec<Digest>,
}

/// A document with the blobs that must be there before it.
#[derive(Clone, Debug)]
pub struct Part {
    /// The manifest or nested index.
    pub document: Document,
    /// Config and layers.
    pub blobs: Vec<Blob>,
}

/// A blob and where its bytes are.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// Where the bytes are; `None` for a foreign layer, which is never uploaded.
    pub locator: Option<Locator>,
}
