//! The package as a value.

use std::{collections::BTreeMap, fmt, io::Read, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Locator, PackageImage, PackageName};
use crate::{
    chart::{Chart, ChartFiles, Hint, TargetName, Values},
    error::{Error, Result},
    image::PlatformKey,
};

/// Everything a package holds, read but not unpacked.
///
/// [`Package::open`] makes one from a path.
pub struct Package {
    pub(crate) path: String,
    pub(crate) name: PackageName,
    pub(crate) identity: Identity,
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) images: Vec<PackageImage>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Error>,
    pub(crate) source: Arc<dyn BlobSource>,
}

/// A chart with the images it runs.
#[derive(Debug)]
pub struct Bundle {
    pub(crate) path: String,
    pub(crate) chart_name: String,
    pub(crate) chart_version: String,
    pub(crate) values: Values,
    pub(crate) hints: Vec<Hint>,
    pub(crate) images: Vec<PackageImage>,
    pub(crate) has_images: bool,
    pub(crate) chart_files: BTreeMap<String, ChartFile>,
    pub(crate) problems: Vec<Error>,
}

/// Where a chart's file is, and its content where that was kept.
pub(crate) type ChartFile = (Locator, Option<Arc<[u8]>>);

/// Something worth knowing that keeps nothing from being imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
        absent: Vec<crate::image::Digest>,
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
        because: SupersededBecause,
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

/// Why one package's image gives way to another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SupersededBecause {
    /// The other package's version is later.
    LaterVersion,
    /// It is not of the platform its package declares.
    Mislabelled,
    /// It was in the target before, under another name.
    Earlier,
}

/// What a package is recognised by, so that a saved plan is not applied to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Size in bytes; of a directory, of all files in it.
    pub size: u64,
    /// Time of the last change, in nanoseconds since 1970; of a directory, the latest of all files.
    pub modified: u64,
    /// Digest of the listing: every path with its offset and size.
    pub listing: crate::image::Digest,
}

/// Gives the bytes of blobs: reopenable, and from several threads at once.
pub trait BlobSource: Send + Sync {
    /// A reader of the bytes at a place.
    ///
    /// # Errors
    /// Where the file cannot be read.
    fn open(&self, locator: &Locator) -> std::io::Result<Box<dyn Read + Send + '_>>;

    /// Whether the bytes are on this machine.
    fn is_local(&self) -> bool {
        true
    }
}

impl Package {
    /// The path it was opened by.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What its file name says.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// What it is recognised by.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The bundles, in the order of the package.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// The files of a bundle's chart, as they stand in the package.
    ///
    /// # Errors
    /// Where the package cannot be read.
    pub fn chart_files(&self, bundle: &Bundle) -> Result<ChartFiles> {
        let mut files = ChartFiles::default();
        for (path, (locator, kept)) in &bundle.chart_files {
            if let Some(content) = kept {
                files.insert(path, content.clone());
                continue;
            }
            let mut content = Vec::new();
            let failed =
                |e| Error::from_io("reading a chart", e).at_path(path).in_package(&self.path);
            self.source.open(locator).map_err(failed)?.read_to_end(&mut content).map_err(failed)?;
            files.insert(path, content);
        }
        Ok(files)
    }

    /// The images that belong to no chart.
    pub fn images(&self) -> &[PackageImage] {
        &self.images
    }

    /// What is worth knowing.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What could not be read and belongs to no bundle.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package")
            .field("path", &self.path)
            .field("bundles", &self.bundles.len())
            .field("images", &self.images.len())
            .finish_non_exhaustive()
    }
}

impl Bundle {
    /// Path inside the package.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The chart, as `name-version`; the file's name where the chart could not be read.
    pub fn chart(&self) -> String {
        if self.chart_version.is_empty() {
            return self.chart_name.clone();
        }
        format!("{}-{}", self.chart_name, self.chart_version)
    }

    /// The images.
    pub fn images(&self) -> &[PackageImage] {
        &self.images
    }

    /// The hints.
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// What keeps it from being imported.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    pub(crate) fn take_chart(&mut self, chart: &Chart) {
        self.chart_name = chart.name().into();
        self.chart_version = chart.version().into();
        self.values = chart.merged_values();
    }
}
