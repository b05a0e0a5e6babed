//! Looks for what is wrong with a target, and mends it.

use super::Import;
use crate::{
    error::Result,
    fuse::ConflictPolicy,
    observe,
    report::{Diagnosis, DiagnosisOptions},
};

impl Import {
    /// Looks for what is wrong with the target: lost manifests and blobs, collapsed tags, images that no node can
    /// run, charts that name what is not there. With packages, tags are also compared with what those hold. Writes
    /// nothing.
    ///
    /// # Errors
    /// Where a package, the target or the chart repository as a whole cannot be read.
    pub fn diagnose(&self, options: DiagnosisOptions) -> Result<Diagnosis> {
        let (packages, problems) = self.open_packages()?;
        let packages = self.options.select.of_packages(packages)?;
        let target = self.connect(&packages)?;
        let how = (&self.options, options);
        observe::diagnose(&target, &packages, problems, how, &self.context)
    }

    /// The import that puts back what is missing and these packages hold: it looks at every layer, and replaces no image
    /// that a node can run. It removes nothing.
    #[must_use]
    pub fn as_repair(mut self) -> Self {
        self.options.verify = true;
        self.options.fuse.on_conflict = ConflictPolicy::Existing;
        self
    }
}
