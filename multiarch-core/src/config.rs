//! The platform installer's configuration file, as pure bytes.

mod cluster;
mod destination;

pub use cluster::ClusterConfig;
pub use destination::{Credential, Destination, ImagesAndCharts};
