//! Doing what a plan says: the only writer.
//!
//! For each chart: blobs in the order of the package, then each image's manifests by digest, then,
//! immediately after reading it once more, its tag. A crash leaves every tag as it was or complete.

mod blobs;
mod cancel;
mod check;
mod meter;
pub(crate) mod parallel;
mod progress;
mod queue;
mod run;
mod tag;

pub use cancel::Cancel;
pub use meter::{Meter, Phase, Snapshot};
pub use progress::{NoProgress, Progress, Totals, Wait};
