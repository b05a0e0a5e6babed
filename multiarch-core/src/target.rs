//! Where images go.

pub mod charts;
mod earlier;
mod layout;
mod learn;
mod memory;
mod observe;
mod own_address;
mod questions;
#[cfg(feature = "registry")]
pub mod registry;
mod store;

pub use layout::OciLayout;
pub use memory::MemoryStore;
pub(crate) use observe::observe_image;
pub use own_address::own_address;
pub(crate) use questions::ask_all;
pub use store::{BlobContent, ImageStore, ReadOrder, Sent, Target};
