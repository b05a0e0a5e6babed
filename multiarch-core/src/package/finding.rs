//! What is worth knowing about packages, images and charts.

use serde::{Deserialize, Serialize};

use crate::{
    chart::TargetName,
    fuse::Reason,
    image::{Digest, PlatformKey},
};

/// Something worth knowing that keeps nothing from being imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// The image is of another architecture than its package declares.
    Mislabelled {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// What the package's name says.
        declared: String,
        /// What the config says.
        actual: String,
    },
    /// An index lists images that the package does not hold.
    Incomplete {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// The digests that are missing.
        absent: Vec<Digest>,
    },
    /// The index at a tag gets a new digest, and something refers to the old one.
    Referred {
        /// The image in the target.
        image: String,
        /// The tags or documents that refer to the old digest.
        by: Vec<String>,
    },
    /// Two packages hold different images of one reference and platform; one of them is used.
    Superseded {
        /// The image in the target.
        image: String,
        /// The platform.
        platform: PlatformKey,
        /// The package whose image is used.
        package: String,
        /// The package whose image is not.
        instead_of: String,
        /// Why it is not.
        because: Reason,
    },
    /// Images that the target held under a name that no chart rendered now are under one that a chart
    /// renders, too.
    Mended {
        /// The image in the target.
        image: String,
        /// The names that it was under.
        from: Vec<TargetName>,
    },
    /// A stored chart named images that nobody pushed, and is replaced by one that names what is
    /// there.
    ChartReplaced {
        /// The chart, as `name-version`.
        chart: String,
        /// What it named on this target, and was not there.
        dangling: Vec<TargetName>,
    },
    /// Another chart of the same name and version is in the chart repository, and stays.
    ChartKept {
        /// The chart, as `name-version`.
        chart: String,
        /// Files that differ.
        different: Vec<String>,
    },
    /// A link in a directory leads outside it, and is not followed.
    LinkOutside {
        /// The package.
        package: String,
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
}
