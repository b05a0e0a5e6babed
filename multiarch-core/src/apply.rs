//! Carries out a plan. Nothing else in this library writes to a target.
//!
//! For each chart: blobs in the order of the package, then each image's manifests by digest, then its
//! tag, which is read once more immediately before it is written, and the chart itself last. A crash
//! leaves every tag either as it was or complete.

mod blobs;
mod chart;
mod final_look;
mod fuse_tag;
mod image;
mod queue;
mod run;
mod write_tag;

pub use fuse_tag::fuse_tag;
pub(crate) use run::apply;
