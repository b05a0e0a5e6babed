//! Compares what a package, an index and an image say of the image's platform.

use std::collections::BTreeMap;

use super::programs;
use crate::{
    error::Result,
    image::{Digest, Platform},
    package::{BlobSource, Finding, PackageImage, PackageName},
    run::Cancel,
};

/// Checks the images of a package, and notes what a user should know of them.
pub(super) struct ImageChecker<'a> {
    pub(super) package: &'a str,
    pub(super) source: &'a dyn BlobSource,
    pub(super) cancel: &'a Cancel,
    /// The programs of every image are looked at.
    pub(super) looks_at_all: bool,
    pub(super) findings: Vec<Finding>,
}

impl ImageChecker<'_> {
    /// Checks one image. Where the package declares another architecture than its config, the programs in
    /// it decide.
    ///
    /// # Errors
    /// Where the run is cancelled, or the package cannot be read any more.
    pub(super) fn check(
        &mut self,
        mut image: PackageImage,
        origin: &PackageName,
    ) -> Result<PackageImage> {
        image.origin = origin.clone();
        let name = image.references.first().cloned();
        let name = name.unwrap_or_else(|| image.incoming.document().digest().to_string());
        self.note_incomplete(&image, &name);
        if self.looks_at_all {
            image.programs = self.programs(&image)?;
        }
        if let (Some(declared), [only]) = (&origin.architecture, image.incoming.images())
            && !image.incoming.is_index()
            && only.platform().key().architecture() != declared
        {
            return self.decide(image, name, declared);
        }
        for part in image.incoming.images() {
            let platform = part.platform();
            if part.is_doubtful() {
                self.findings.push(Finding::Contradicted {
                    package: self.package.into(),
                    image: name.clone(),
                    stated: platform.to_string(),
                    config: part.config().platform().to_string(),
                });
            }
            if !platform.is_unknown() && !platform.is_known_architecture() {
                self.findings.push(Finding::UnknownArchitecture {
                    package: self.package.into(),
                    image: name.clone(),
                    platform: platform.to_string(),
                });
            }
            if let Some(programs) = image.programs.get(part.document().digest())
                && *programs != platform.key().architecture()
            {
                self.findings.push(Finding::OtherPrograms {
                    package: self.package.into(),
                    image: name.clone(),
                    platform: platform.to_string(),
                    programs: (*programs).into(),
                });
            }
        }
        Ok(image)
    }

    /// The architecture of the programs in each manifest, where there are any.
    fn programs(&self, image: &PackageImage) -> Result<BTreeMap<Digest, &'static str>> {
        let mut found = BTreeMap::new();
        for stored in &image.documents {
            if let Some(programs) = programs::architecture(stored, self.source, self.cancel)? {
                found.insert(stored.document.digest().clone(), programs);
            }
        }
        Ok(found)
    }

    fn note_incomplete(&mut self, image: &PackageImage, name: &str) {
        if image.incomplete.is_empty() {
            return;
        }
        self.findings.push(Finding::Incomplete {
            package: self.package.into(),
            image: name.into(),
            absent: image.incomplete.iter().map(|incomplete| incomplete.digest.clone()).collect(),
            platforms: image.incomplete.iter().filter_map(|l| l.platform.clone()).collect(),
        });
    }

    /// Decides the platform of an image by the machine that its programs are for. Without that evidence
    /// the config counts; where that is silent, the package.
    fn decide(
        &mut self,
        mut image: PackageImage,
        name: String,
        declared: &str,
    ) -> Result<PackageImage> {
        let found = self.programs(&image)?.into_values().next();
        let actual = image.incoming.images()[0].platform().clone();
        let os = if actual.os.is_empty() { "linux" } else { &actual.os };
        let of = |architecture: &str| Platform::new(os, architecture);
        let decided = match found {
            Some(found) if found == actual.key().architecture() => None,
            Some(found) => Some(of(found)),
            None if actual.is_unknown() => Some(of(declared)),
            None => None,
        };
        image.incoming = match &decided {
            Some(platform) => image.incoming.of_platform(platform),
            None => image.incoming,
        };
        if decided.is_none_or(|platform| platform.key().architecture() != declared) {
            image.incoming = image.incoming.doubtful();
        }
        self.findings.push(Finding::Mislabelled {
            package: self.package.into(),
            image: name,
            declared: declared.into(),
            actual: actual.to_string(),
            programs: found.map(Into::into),
        });
        Ok(image)
    }
}
