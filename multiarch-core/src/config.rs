//! The platform installer's configuration file, as pure bytes.

mod cluster;
mod credentials;
mod destination;
mod file;

pub use cluster::ClusterConfig;
pub use credentials::Credentials;
pub use destination::Destination;
