//! The platform installer's configuration file: parsing only, no I/O.

mod cluster;
mod credentials;
mod destination;
mod file;
mod images_and_charts;

pub use cluster::ClusterConfig;
pub use credentials::Credentials;
pub use destination::Destination;
