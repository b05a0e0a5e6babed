//! What a run needs from the targets that it writes to: traits and values, no implementations.

mod administration;
mod blob;
mod blob_reader;
mod chart_repo;
mod image_store;
mod open_target;

#[cfg(feature = "registry")]
pub(crate) use administration::Project;
pub(crate) use administration::{Administration, PushRights, Survey};
pub use blob::BlobContent;
#[cfg(feature = "registry")]
pub(crate) use blob_reader::BlobReader;
pub(crate) use chart_repo::{ChartRepo, chart_exists_error};
pub use image_store::{ImageStore, Sent};
pub(crate) use open_target::{ChartRepos, OpenCharts, OpenTarget};
