#![doc = "Work in progress."]
pub mod apply;
pub mod chart;
pub mod error;
pub mod fuse;
pub mod image;
pub mod package;
pub mod plan;
pub mod report;
pub mod source;
pub mod target;
pub use error::{Error, ErrorKind, Place, Result};
