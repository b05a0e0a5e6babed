//! Carries out a plan. Nothing else in this library writes to a target.
//!
//! For each chart: blobs in the order of the package, then each image's manifests by digest, then its
//! tag, which is read immediately before it is written and read back after, and then the chart itself.
//! At the end of the run all written tags are looked at once more. A crash leaves every tag either as it was or complete.

mod blobs;
mod chart;
mod final_look;
mod fuse_tag;
mod image;
mod queue;
mod rollback;
mod room;
mod run;
mod write_tag;

pub use fuse_tag::fuse_tag;
pub(crate) use rollback::roll_back;
pub(crate) use run::apply;
