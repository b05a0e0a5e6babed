//! What a package says: names, bundles, images, and where the bytes of each blob are.
//!
//! Pure: parsers over a [`Scope`], which is a listing of what an archive or a directory holds. Where
//! bytes that were not kept are needed, the caller reads them through [`Contents`].

mod bundle;
mod docker_archive;
mod image;
mod layout;
mod model;
mod name;
mod scope;
mod shelf;

pub use image::{Blob, PackageImage, Part};
pub use model::{BlobSource, Bundle, Finding, Identity, Package, SupersededBecause};
pub use name::{BundleName, PackageName};
pub use scope::{Contents, Locator, Member, Scope, SpaceId};

pub(crate) use bundle::{Found, collect};
pub(crate) use layout::LAYOUT_NAMES;
pub(crate) use model::ChartFile;
pub(crate) use scope::{MAX_DEPTH, MAX_ENTRIES, MemberKind, normalise, resolve_link};
pub(crate) use shelf::{Shelf, read_image};
