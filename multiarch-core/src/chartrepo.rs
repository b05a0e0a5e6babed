//! Chart repositories: implementations of [`ChartRepo`](crate::store::ChartRepo).

mod address;
mod directory;
mod index;
#[cfg(feature = "registry")]
mod museum;
#[cfg(feature = "registry")]
mod oci;
#[cfg(feature = "registry")]
mod recognised;
mod routes;

pub(crate) use address::ChartAddress;
pub(crate) use routes::ChartRoutes;
