//! What a package holds, for people and programs.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    error::Error,
    image::{Digest, PlatformKey},
    package::{Finding, Identity, Package, PackageImage, PackageName},
    plan::{Bytes, table},
};

/// What a package holds. It serialises to JSON of the schema [`Inspection::SCHEMA`], and prints as
/// a table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Inspection<'a> {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The path.
    pub package: &'a str,
    /// What the file's name says.
    pub name: &'a PackageName,
    /// What it is recognised by.
    pub identity: &'a Identity,
    /// The bundles.
    pub bundles: Vec<InspectedBundle<'a>>,
    /// The images that belong to no chart.
    pub images: Vec<InspectedImage<'a>>,
    /// What is worth knowing.
    pub findings: &'a [Finding],
    /// What could not be read and belongs to no bundle.
    pub problems: &'a [Error],
    /// Bytes of all blobs, each counted once.
    pub distinct_bytes: u64,
    /// Number of distinct blobs.
    pub distinct_blobs: usize,
}

/// A bundle.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InspectedBundle<'a> {
    /// Path inside the package.
    pub path: &'a str,
    /// The chart, as `name-version`.
    pub chart: String,
    /// The hints.
    pub hints: Vec<String>,
    /// The images.
    pub images: Vec<InspectedImage<'a>>,
    /// What keeps it from being imported.
    pub problems: &'a [Error],
}

/// An image.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InspectedImage<'a> {
    /// The references it goes by.
    pub references: &'a [String],
    /// Digest of its manifest or index; for a docker-archive, of the manifest made for it.
    pub digest: &'a Digest,
    /// The platforms, as the configs say.
    pub platforms: Vec<PlatformKey>,
    /// Bytes of its distinct blobs.
    pub bytes: u64,
}

impl<'a> Inspection<'a> {
    /// The JSON form's name and version.
    pub const SCHEMA: &'static str = "multiarch.inspection/v1";

    /// Looks at a package.
    pub fn of(package: &'a Package) -> Self {
        let bundles = package.bundles().iter();
        let all = bundles.clone().flat_map(|b| b.images()).chain(package.images());
        let blobs = distinct(all);
        Self {
            schema: Self::SCHEMA,
            package: package.path(),
            name: package.name(),
            identity: package.identity(),
            bundles: bundles
                .map(|bundle| InspectedBundle {
                    path: bundle.path(),
                    chart: bundle.chart(),
                    hints: bundle.hints().iter().map(ToString::to_string).collect(),
                    images: bundle.images().iter().map(inspect).collect(),
                    problems: bundle.problems(),
                })
                .collect(),
            images: package.images().iter().map(inspect).collect(),
            findings: package.findings(),
            problems: package.problems(),
            distinct_bytes: blobs.values().sum(),
            distinct_blobs: blobs.len(),
        }
    }

    /// True where nothing in the package is broken.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.bundles.iter().all(|bundle| bundle.problems.is_empty())
    }
}

fn distinct<'a>(images: impl Iterator<Item = &'a PackageImage>) -> BTreeMap<&'a Digest, u64> {
    images
        .flat_map(|image| &image.parts)
        .flat_map(|part| &part.blobs)
        .filter(|blob| blob.locator.is_some())
        .map(|blob| (&blob.descriptor.digest, blob.descriptor.size))
        .collect()
}

fn inspect(image: &PackageImage) -> InspectedImage<'_> {
    InspectedImage {
        references: &image.references,
        digest: image.incoming.document().digest(),
        platforms: image.incoming.images().iter().map(|i| i.platform().key()).collect(),
        bytes: distinct(std::iter::once(image)).values().sum(),
    }
}

impl fmt::Display for Inspection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![["CHART", "IMAGE", "PLATFORM", "SIZE", "DIGEST"].map(String::from).to_vec()];
        let row = |chart: &str, image: &InspectedImage<'_>| {
            let platforms: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
            vec![
                chart.to_owned(),
                image.references.first().map_or("(no name)", String::as_str).to_owned(),
                platforms.join(","),
                Bytes(image.bytes).to_string(),
                image.digest.to_string()[..19].to_owned(),
            ]
        };
        for bundle in &self.bundles {
            match bundle.images.as_slice() {
                [] => rows.push(vec![bundle.chart.clone(), "-".into()]),
                images => rows.extend(images.iter().map(|image| row(&bundle.chart, image))),
            }
        }
        rows.extend(self.images.iter().map(|image| row("-", image)));
        table(f, &rows)?;
        writeln!(
            f,
            "\n{}: {} charts, {} images, {} in {} distinct blobs",
            self.package,
            self.bundles.len(),
            self.bundles.iter().map(|b| b.images.len()).sum::<usize>() + self.images.len(),
            Bytes(self.distinct_bytes),
            self.distinct_blobs,
        )
    }
}
