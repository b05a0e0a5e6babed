//! The platform installer's configuration file, as pure bytes.

mod cluster;

pub use cluster::{ClusterConfig, Credential, Destination, ImagesAndCharts};
