//! The platform installer's configuration file, as pure bytes.

mod cluster;
mod credentials;
mod destination;

pub use cluster::ClusterConfig;
pub use credentials::Credentials;
pub use destination::Destination;
