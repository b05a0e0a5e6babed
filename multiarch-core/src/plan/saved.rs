//! A plan that was saved, and is to be applied later.

use serde::Deserialize;
use serde_json::Value;

use super::{Options, Plan, PlannedPackage};
use crate::error::{Error, ErrorKind, Result};

/// What is needed of a saved plan to make the same plan again, and to see whether it is the same.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct SavedPlan {
    schema: String,
    /// The target.
    pub target: String,
    /// The chart repository.
    #[serde(default)]
    pub charts_to: Option<String>,
    /// The options.
    pub options: Options,
    /// The packages.
    pub packages: Vec<PlannedPackage>,
    /// Whether everything that was asked for is in the plan.
    pub complete: bool,
    charts: Vec<Value>,
    images: Vec<Value>,
}

/// What must be as it was when the plan was made. Blobs may have come or gone meanwhile.
const DECIDED: [&str; 4] = ["name", "before", "after", "decisions"];

impl SavedPlan {
    /// Reads a plan's JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`], also for a schema of another version.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let saved: Self = serde_json::from_slice(text)
            .map_err(|e| Error::caused_by(ErrorKind::Usage, "not a saved plan", e))?;
        if saved.schema != Plan::SCHEMA {
            let message = format!("a plan of schema {}, not {}", saved.schema, Plan::SCHEMA);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(saved)
    }

    /// Fails where the packages are not those the plan was made for, or a decision would differ. A
    /// tag that already holds what was planned is no difference.
    ///
    /// # Errors
    /// [`ErrorKind::PlanOutdated`].
    pub fn check(&self, plan: &Plan<'_>) -> Result<()> {
        let outdated = |message: String| Err(Error::new(ErrorKind::PlanOutdated, message));
        for (saved, now) in self.packages.iter().zip(&plan.packages) {
            if saved != now {
                return outdated("the package has changed since the plan was made".into())
                    .map_err(|e| e.in_package(&now.path));
            }
        }
        let counts = (self.images.len(), self.charts.len());
        if counts != (plan.images.len(), plan.charts.len())
            || self.packages.len() != plan.packages.len()
        {
            return outdated("the packages hold other images than the plan".into());
        }
        for (saved, chart) in self.charts.iter().zip(&plan.charts) {
            let now = serde_json::to_value(&chart.upload).unwrap_or_default();
            let saved = &saved["upload"];
            let done = now["action"] == "present" && now["digest"] == saved["digest"];
            if !done && ["action", "digest"].iter().any(|key| now[key] != saved[key]) {
                return outdated("the chart repository has changed since the plan was made".into())
                    .map_err(|e| e.at_path(chart.chart.as_deref().unwrap_or_default()));
            }
        }
        for (saved, image) in self.images.iter().zip(&plan.images) {
            let now = serde_json::to_value(image).unwrap_or_default();
            let done = now["name"] == saved["name"]
                && image.after.is_none()
                && !saved["after"].is_null()
                && now["before"] == saved["after"];
            if !done && DECIDED.iter().any(|key| now[key] != saved[key]) {
                return outdated("the tag has changed since the plan was made".into())
                    .map_err(|e| e.of_image(&image.name));
            }
        }
        Ok(())
    }
}
