//! Writes small offline packages, with every oddity that real ones have.
//!
//! Nothing here uses `multiarch-core`: digests, manifests and archives are made independently, from
//! the formats' descriptions, so that tests compare two implementations.

mod archive;
mod bundle;
mod demo;
mod image;
mod large;

pub use archive::{Entry, gzip, sha256, tar, zstd};
pub use bundle::{Bundle, images_tar};
pub use demo::{demo_package, package_name};
pub use image::{Image, Layer};
pub use large::Large;
