//! wip
mod cancel;
pub use cancel::Cancel;
