//! What a package contains, for people and programs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::{
    error::{Error, Printable},
    image::{Digest, PlatformKey},
    package::{Finding, LeftOut, Package, PackageIdentity, PackageImage, PackageName},
    plan::{Bytes, table},
};

/// What a package contains. It serialises to JSON of the schema [`Inspection::SCHEMA`], and prints as
/// a table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Inspection<'a> {
    /// Name and version of the JSON form.
    schema: &'static str,
    /// Path of the package.
    package: &'a str,
    /// Version and architecture, from the file's name.
    name: &'a PackageName,
    /// By what a saved plan recognises the package.
    identity: &'a PackageIdentity,
    /// The bundles.
    bundles: Vec<InspectedBundle<'a>>,
    /// The images that belong to no chart.
    images: Vec<InspectedImage<'a>>,
    /// Findings: what is worth knowing, but not an error.
    findings: &'a [Finding],
    /// What the selection leaves out.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [LeftOut],
    /// Errors that belong to no bundle.
    problems: &'a [Error],
    /// Bytes of all blobs, each counted once.
    distinct_bytes: u64,
    /// Number of distinct blobs.
    distinct_blobs: usize,
}

/// A bundle.
#[derive(Debug, Serialize)]
struct InspectedBundle<'a> {
    /// Path inside the package.
    path: &'a str,
    /// The chart, as `name-version`.
    chart: String,
    /// The hints.
    hints: Vec<String>,
    /// The images.
    images: Vec<InspectedImage<'a>>,
    /// Errors that keep it from being imported.
    problems: &'a [Error],
}

/// An image.
#[derive(Debug, Serialize)]
struct InspectedImage<'a> {
    /// Its references.
    references: &'a [String],
    /// Digest of its manifest or index; for a docker-archive, of the manifest made for it.
    digest: &'a Digest,
    /// The platforms, from the configs.
    platforms: Vec<PlatformKey>,
    /// The architecture of the programs in it, by manifest, where it was looked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    programs: &'a BTreeMap<Digest, &'static str>,
    /// Bytes of its distinct blobs.
    bytes: u64,
}

impl Package {
    /// What it contains, for people and programs.
    pub fn inspect(&self) -> Inspection<'_> {
        Inspection::new(self)
    }
}

impl<'a> Inspection<'a> {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.inspection/v1";
    /// Name and version of the JSON form of a [`list`](Self::list).
    pub const LIST_SCHEMA: &'static str = "multiarch.inspections/v1";

    /// The document for several packages, and the errors of those that could not be opened.
    #[must_use]
    pub fn list(inspections: &[Self], problems: &[Error]) -> serde_json::Value {
        serde_json::json!({
            "schema": Self::LIST_SCHEMA, "packages": inspections, "problems": problems,
        })
    }

    fn new(package: &'a Package) -> Self {
        let bundles = package.bundles().iter();
        let all = bundles.clone().flat_map(|b| b.images()).chain(package.images());
        let blobs = distinct(all.map(|image| &**image));
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
                    images: bundle.images().iter().map(|image| inspect(image)).collect(),
                    problems: bundle.problems(),
                })
                .collect(),
            images: package.images().iter().map(|image| inspect(image)).collect(),
            findings: package.findings(),
            left_out: package.left_out(),
            problems: package.problems(),
            distinct_bytes: blobs.values().sum(),
            distinct_blobs: blobs.len(),
        }
    }

    /// All errors of the package and of its bundles.
    pub fn errors(&self) -> impl Iterator<Item = &'a Error> {
        self.problems.iter().chain(self.bundles.iter().flat_map(|bundle| bundle.problems))
    }

    /// Findings: what is worth knowing, but not an error.
    pub fn findings(&self) -> &'a [Finding] {
        self.findings
    }

    /// True where the package has no errors.
    pub fn is_sound(&self) -> bool {
        self.errors().next().is_none()
    }
}

fn distinct<'a>(images: impl Iterator<Item = &'a PackageImage>) -> BTreeMap<&'a Digest, u64> {
    images
        .flat_map(|image| image.blobs())
        .filter(|blob| blob.locator().is_some())
        .map(|blob| (&blob.descriptor.digest, blob.descriptor.size))
        .collect()
}

fn inspect(image: &PackageImage) -> InspectedImage<'_> {
    InspectedImage {
        references: &image.references,
        digest: image.incoming.document().digest(),
        platforms: image.incoming.images().iter().map(|i| i.platform().key()).collect(),
        programs: &image.programs,
        bytes: distinct(std::iter::once(image)).values().sum(),
    }
}

impl fmt::Display for Inspection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![["CHART", "IMAGE", "PLATFORM", "SIZE", "DIGEST"].map(String::from).to_vec()];
        let row = |chart: &str, image: &InspectedImage<'_>| {
            let mut platforms: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
            let programs: BTreeSet<_> = image.programs.values().copied().collect();
            if let Some(last) = platforms.last_mut().filter(|_| !programs.is_empty()) {
                let programs: Vec<_> = programs.into_iter().collect();
                last.push_str(&format!(" (programs: {})", programs.join(", ")));
            }
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
            Printable(self.package),
            self.bundles.len(),
            self.bundles.iter().map(|b| b.images.len()).sum::<usize>() + self.images.len(),
            Bytes(self.distinct_bytes),
            self.distinct_blobs,
        )
    }
}
