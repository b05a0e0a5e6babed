//! Compares a plan that was computed again with the saved one.

use super::{Plan, PlannedImage};
use crate::error::{Error, ErrorKind, Result};

impl Plan {
    /// Fails where the packages are not those of the saved plan, or a decision would differ. A tag that
    /// already holds what was planned is no difference, nor are blobs that have come or gone.
    ///
    /// # Errors
    /// [`ErrorKind::PlanOutdated`].
    pub(crate) fn agrees_with(&self, saved: &Self) -> Result<()> {
        let outdated = |message| Error::new(ErrorKind::PlanOutdated, message);
        for (now, then) in self.packages.iter().zip(&saved.packages) {
            if now != then {
                let error = outdated("the package has changed since the plan was made");
                return Err(error.in_package(&now.path));
            }
        }
        let counts = |plan: &Self| (plan.packages.len(), plan.images.len(), plan.charts.len());
        if counts(self) != counts(saved) {
            return Err(outdated("the packages hold other images than the plan"));
        }
        for (now, then) in self.charts.iter().zip(&saved.charts) {
            let agrees = match (&now.upload, &then.upload) {
                (Some(now), Some(then)) => now.agrees_with(then),
                (now, then) => now.is_none() && then.is_none(),
            };
            if !agrees {
                let error = outdated("the chart repository has changed since the plan was made");
                return Err(error.at_path(now.chart.as_deref().unwrap_or_default()));
            }
        }
        for (now, then) in self.images.iter().zip(&saved.images) {
            if !now.agrees_with(then) {
                let error = outdated("the tag has changed since the plan was made");
                return Err(error.of_image(&now.name));
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Takes over what an earlier plan could not do. A package that could not be opened is not among the
    /// packages of a plan, so planning again does not find that problem again.
    pub(crate) fn keep_problems_of(&mut self, earlier: &Self) {
        for problem in &earlier.problems {
            let text = problem.to_string();
            if self.problems.iter().all(|known| known.to_string() != text) {
                self.problems.push(problem.clone());
                self.complete = false;
            }
        }
    }
}

impl PlannedImage {
    fn agrees_with(&self, saved: &Self) -> bool {
        let done = self.after.is_none() && saved.after.is_some() && self.before == saved.after;
        let same = self.before == saved.before
            && self.after == saved.after
            && self.decisions == saved.decisions;
        self.name == saved.name && (done || same)
    }
}
