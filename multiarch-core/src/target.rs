//! Where images go.

mod layout;
mod memory;
mod observe;
mod store;

pub use layout::OciLayout;
pub use memory::MemoryStore;
pub(crate) use observe::observe_image;
pub use store::{ImageStore, Target};
