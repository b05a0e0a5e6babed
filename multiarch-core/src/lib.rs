#![doc = "Work in progress."]
pub mod chart;
pub mod error;
pub mod fuse;
pub mod image;
pub use error::{Error, ErrorKind, Place, Result};
