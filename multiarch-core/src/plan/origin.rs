//! Where the images and blobs of a plan come from.

use serde::{Deserialize, Serialize};

use crate::package::Locator;

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The package at this position in the plan's list.
    Package(usize),
    /// The target itself, which has the image under another name.
    Target,
}

/// Where the bytes of a blob come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BlobOrigin {
    /// A package, and the position of the bytes in it.
    Package {
        /// The package's position in the plan's list.
        number: usize,
        locator: Locator,
    },
    /// Another repository of the target.
    Target { repository: String },
}
