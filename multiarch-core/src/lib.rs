#![doc = "Work in progress."]
pub mod error;
pub mod fuse;
pub mod image;
pub use error::{Error, ErrorKind, Place, Result};
