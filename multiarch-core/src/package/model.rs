//! A package, and its bundles, as values.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{BlobSource, Finding, LeftOut, Locator, PackageImage, PackageName, Unused};
use crate::{
    chart::{Chart, ChartFiles, Hint, Values, memory_of},
    error::{Error, ErrorKind, Result},
    image::Digest,
    limit::Budget,
};

/// Everything a package holds, read but not unpacked.
///
/// [`Package::open`] makes one from a path.
#[derive(Clone)]
pub struct Package {
    pub(crate) name: PackageName,
    pub(crate) identity: PackageIdentity,
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) images: Vec<Arc<PackageImage>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Error>,
    /// Folders and files without images.
    pub(crate) foreign: Vec<String>,
    /// What a selection leaves out of it.
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) source: Arc<dyn BlobSource>,
}

/// A chart with the images it runs.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub(crate) path: String,
    pub(crate) chart_name: String,
    pub(crate) chart_version: String,
    /// The chart as it was read; `None` where that failed.
    pub(crate) chart: Option<Arc<Chart>>,
    pub(crate) values: Values,
    pub(crate) hints: Vec<Hint>,
    pub(crate) images: Vec<Arc<PackageImage>>,
    pub(crate) has_images: bool,
    pub(crate) chart_files: BTreeMap<String, ChartFile>,
    pub(crate) problems: Vec<Error>,
    pub(crate) unused: Vec<Unused>,
    /// The references of its images that a selection leaves out.
    pub(crate) left_out: BTreeSet<String>,
}

/// Where a chart's file is, and its content where the listing has it.
pub(crate) type ChartFile = (Locator, Option<Arc<[u8]>>);

/// Identifies a package, so that a saved plan is not applied to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PackageIdentity {
    /// The path it was opened by, as the user named it.
    pub path: String,
    /// Size in bytes; of a directory, of all files in it.
    pub size: u64,
    /// Time of the last change, in nanoseconds since 1970; of a directory, the latest of all files.
    pub modified: u64,
    /// Digest of the listing: every path with its offset and size.
    pub listing: Digest,
}

impl Package {
    /// The path it was opened by.
    pub fn path(&self) -> &str {
        &self.identity.path
    }

    /// What its file name says.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// Its identity, which saved plans are checked against.
    pub fn identity(&self) -> &PackageIdentity {
        &self.identity
    }

    /// The bundles, in the order of the package.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// Where the files of a bundle's chart begin.
    pub(crate) fn chart_place(&self, bundle: &Bundle) -> Option<Locator> {
        bundle.chart_files.values().map(|(locator, _)| *locator).min()
    }

    /// The files of a bundle's chart, unchanged, read in their order in the package.
    ///
    /// # Errors
    /// Where the package cannot be read.
    pub(crate) fn chart_files(&self, bundle: &Bundle) -> Result<ChartFiles> {
        let mut files = ChartFiles::default();
        let mut in_order: Vec<_> = bundle.chart_files.iter().collect();
        in_order.sort_by_key(|(_, (locator, _))| *locator);
        for (path, (locator, listed)) in in_order {
            let content = match listed {
                Some(content) => content.clone(),
                None => self
                    .source
                    .read(locator)
                    .map_err(|e| e.at_path(path).in_package(self.path()))?,
            };
            files.insert(path, content);
        }
        Ok(files)
    }

    /// The images that belong to no chart.
    pub(crate) fn images(&self) -> &[Arc<PackageImage>] {
        &self.images
    }

    /// What a user should know, but that does not stop an import.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Folders and files of the package that hold no images, such as the files of a base package. They are left
    /// alone.
    pub fn foreign(&self) -> &[String] {
        &self.foreign
    }

    /// What a [`Selection`](crate::Selection) left out of it.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What could not be read and belongs to no bundle.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Package")
            .field("path", &self.path())
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

    /// The folder of the package that it is in, such as `addon`; empty where it is in none.
    pub fn folder(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or_default()
    }

    /// The chart, as `name-version`; the file's name where the chart could not be read.
    pub fn chart(&self) -> String {
        if self.chart_version.is_empty() {
            return self.chart_name.clone();
        }
        format!("{}-{}", self.chart_name, self.chart_version)
    }

    /// The images.
    pub(crate) fn images(&self) -> &[Arc<PackageImage>] {
        &self.images
    }

    /// The hints.
    pub(crate) fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// What keeps it from being imported.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// Takes the chart, with its name, version and values.
    pub(crate) fn take_chart(&mut self, chart: Chart, memory: &mut Budget) -> Result<()> {
        self.chart_name = chart.name().into();
        self.chart_version = chart.version().into();
        let values = chart.values_for_hints()?;
        memory.spend(memory_of(&values))?;
        self.values = values;
        self.chart = Some(Arc::new(chart));
        Ok(())
    }

    /// The chart as it was read.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] where it could not be read.
    pub(crate) fn read_chart(&self) -> Result<&Chart> {
        let missing = || Error::new(ErrorKind::Missing, "the chart could not be read");
        self.chart.as_deref().ok_or_else(missing)
    }
}
