//! Doing what a plan says: the only writer.
//!
//! For each chart: blobs in the order of the package, then each image's manifests by digest, then,
//! immediately after reading it once more, its tag, and the chart itself last. A crash leaves every
//! tag as it was or complete.

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
