//! Writes offline packages for tests, with the oddities of real ones.
//!
//! Nothing here uses `multiarch-core`: digests, manifests and archives are made independently from the
//! descriptions of their formats, so that tests compare two implementations.

mod archive;
mod bundle;
mod demo;
mod image;
mod large;
mod layout;

pub use archive::{Entry, gzip, sha256, tar, zstd};
pub use bundle::{Bundle, images_tar};
pub use demo::{demo_package, package_name};
pub use image::{Image, Layer};
pub use large::Large;
pub use layout::{Layout, annotated, named, oci_digest, oci_manifest, with};
