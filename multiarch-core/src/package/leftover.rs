//! What is in an archive of images and is not imported.

use crate::{error::Error, image::Digest};

/// An image that could not be read.
#[derive(Debug)]
pub(super) struct UnreadImage {
    pub(super) error: Error,
    /// The digest of its config, by which the same image is recognised in the file's other list.
    pub(super) config: Option<Digest>,
}

/// Something in a package that is not imported, and why. It is no image that is lost.
#[derive(Clone, Debug)]
pub(crate) struct Unused {
    pub(crate) what: String,
    pub(crate) because: &'static str,
}
