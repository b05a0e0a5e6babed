//! What a package holds: bundles, images, and where the bytes of each blob are.
//!
//! Pure: parsers of a [`Listing`], which says what an archive or a directory holds. Bytes that are not
//! in the listing are read through a [`BlobSource`].

mod bundle;
mod bundle_folders;
mod bundle_images;
mod docker_archive;
mod document_store;
mod finding;
mod image;
mod image_archive;
mod layout;
mod layout_entries;
mod leftover;
mod listing;
mod model;
mod name;
mod pattern;
mod selection;
mod source;

pub use finding::Finding;
pub use model::{Bundle, Package, PackageIdentity};
pub use name::PackageName;
pub use selection::{LeftOut, Selection};

pub(crate) use bundle::{Found, collect};
pub(crate) use document_store::{DocumentStore, read_image};
pub(crate) use image::{Blob, BlobPlace, IncompleteImage, PackageImage, Referrer, StoredDocument};
pub(crate) use layout::LAYOUT_NAMES;
pub(crate) use leftover::Unused;
pub(crate) use listing::{
    Listing, Locator, Member, MemberKind, ReadOrder, StreamId, normalise, resolve_link,
};
pub(crate) use name::BundleName;
pub(crate) use source::{BlobSource, hash, reading};
