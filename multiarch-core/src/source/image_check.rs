//! Compares what a package, an index and an image say of the image's platform.

use std::collections::BTreeMap;

use super::programs::Programs;
use crate::{
    error::Result,
    image::{Digest, Platform},
    package::{Finding, PackageImage, PackageName},
};

/// Checks the images of a package, and notes what a user should know of them.
pub(super) struct ImageChecker<'a> {
    pub(super) package: &'a str,
    pub(super) programs: Programs<'a>,
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
            let actual = only.platform().clone();
            image = self.decide(image, &name, actual, declared)?;
        } else {
            self.note_contradictions(&image, &name);
        }
        for part in image.incoming.images() {
            let platform = part.platform();
            if !platform.is_unknown() && !platform.is_known_architecture() {
                self.findings.push(Finding::UnknownArchitecture {
                    package: self.package.into(),
                    image: name.clone(),
                    platform: platform.to_string(),
                });
            }
        }
        Ok(image)
    }

    /// Notes where entries of an index, configs and programs contradict each other.
    fn note_contradictions(&mut self, image: &PackageImage, name: &str) {
        for part in image.incoming.images() {
            let (package, platform) = (self.package.to_owned(), part.platform());
            if part.is_doubtful() {
                self.findings.push(Finding::Contradicted {
                    package: package.clone(),
                    image: name.into(),
                    stated: platform.to_string(),
                    config: part.config().platform().to_string(),
                });
            }
            if let Some(programs) = image.programs.get(part.document().digest())
                && *programs != platform.key().architecture()
            {
                let (image, platform) = (name.into(), platform.to_string());
                let programs = (*programs).into();
                self.findings.push(Finding::OtherPrograms { package, image, platform, programs });
            }
        }
    }

    /// The architecture of the programs in each manifest, where there are any.
    fn programs(&mut self, image: &PackageImage) -> Result<BTreeMap<Digest, &'static str>> {
        let mut found = BTreeMap::new();
        for stored in &image.documents {
            if let Some(programs) = self.programs.architecture(stored)? {
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
    /// the config counts; where that is silent, the package. An image that turns out to be for another
    /// architecture than the package is made for never replaces one that is there.
    fn decide(
        &mut self,
        mut image: PackageImage,
        name: &str,
        actual: Platform,
        declared: &str,
    ) -> Result<PackageImage> {
        let found = self.programs(&image)?.into_values().next();
        let os = if actual.os.is_empty() { "linux" } else { &actual.os };
        let decided = match found {
            Some(found) if found == actual.key().architecture() => actual.clone(),
            Some(found) => Platform::new(os, found),
            None if actual.is_unknown() => Platform::new(os, declared),
            None => actual.clone(),
        };
        if decided != actual {
            image.incoming = image.incoming.of_platform(&decided);
        }
        if decided.key().architecture() != declared {
            image.incoming = image.incoming.doubtful();
        }
        self.findings.push(Finding::Mislabelled {
            package: self.package.into(),
            image: name.into(),
            declared: declared.into(),
            actual: actual.to_string(),
            programs: found.map(Into::into),
            imported_as: decided.to_string(),
        });
        Ok(image)
    }
}
