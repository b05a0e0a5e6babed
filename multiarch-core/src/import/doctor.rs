//! Looks for what is wrong with a target, and mends it.

use super::Import;
use crate::{
    error::{Error, ErrorKind, Result},
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

    /// Puts back what is missing and the packages hold: an import that looks at every layer, and replaces no image
    /// that a node can run. Removes nothing. Gives what is wrong afterwards, with what was done.
    ///
    /// # Errors
    /// As [`diagnose`](Import::diagnose), and [`plan`](Import::plan).
    pub fn repair(&self, options: DiagnosisOptions) -> Result<Diagnosis> {
        if self.packages.is_empty() {
            let message = "what is missing is put back from packages, and none is given";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let mut import = self.clone();
        import.options.verify = true;
        import.options.fuse.on_conflict = ConflictPolicy::Existing;
        let report = import.plan()?.apply();
        let mut diagnosis = self.diagnose(options)?;
        diagnosis.repair = Some(report);
        Ok(diagnosis)
    }
}
