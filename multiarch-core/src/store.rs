//! The ports: what a run needs from the places that it writes to. Traits and values, no
//! implementation.

mod blob;
mod chart_repo;
mod image_store;
mod open_target;

pub use blob::BlobContent;
pub(crate) use blob::{BlobReader, ReadOrder};
pub(crate) use chart_repo::{ChartRepo, exists};
pub use image_store::{ImageStore, Sent};
pub(crate) use open_target::{OpenCharts, OpenTarget};
