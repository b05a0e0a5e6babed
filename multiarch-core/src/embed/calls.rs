//! The calls: what is asked for, and the document that answers.

use std::sync::Arc;

use serde_json::json;

use super::{CallOutcome, Request, login};
use crate::{
    Cancel, Change, ChartAction, ClusterConfig, Error, ErrorKind, Inspection, Meter, Package, Plan,
    PlannedImage, PlannedUpload, Result, own_address,
};

impl Request {
    /// Checks the options: their form, members, addresses. Opens no file and asks no server.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`].
    pub fn check(self) -> Result<()> {
        self.builder(&Meter::new(), &Cancel::new()).map(drop)
    }

    /// Lists what the packages hold, as `multiarch.inspections/v1`. Complete where all of them can be
    /// imported as a whole.
    ///
    /// # Errors
    /// What kept every package from being looked at, such as [`ErrorKind::Cancelled`].
    pub fn inspect(self, meter: &Meter, cancel: &Cancel) -> Result<CallOutcome> {
        let (mut packages, mut problems): (Vec<Arc<Package>>, Vec<Error>) = Default::default();
        for opened in self.open_options(meter, cancel).open_all(&self.packages)? {
            match opened {
                Ok(package) => packages.push(Arc::new(package)),
                Err(error) => problems.push(error),
            }
        }
        let packages = self.options.select.of_packages(packages)?;
        let inspections: Vec<_> = packages.iter().map(|package| package.inspect()).collect();
        let sound = inspections.iter().all(Inspection::is_sound);
        CallOutcome::new(&Inspection::list(&inspections, &problems), sound && problems.is_empty())
    }

    /// Reports what the target holds, as `multiarch.status/v1`. Complete where all tags could be read, and
    /// the target has what they list.
    ///
    /// # Errors
    /// Why nothing could be said of the target.
    pub fn status(self, meter: &Meter, cancel: &Cancel) -> Result<CallOutcome> {
        let status = self.builder(meter, cancel)?.status()?;
        CallOutcome::new(&status, status.is_sound())
    }

    /// Plans an import, as `multiarch.plan/v2`. Complete where the plan has all that was asked for.
    ///
    /// # Errors
    /// Why there is no plan.
    pub fn plan(self, meter: &Meter, cancel: &Cancel) -> Result<CallOutcome> {
        let plan = self.builder(meter, cancel)?.plan()?;
        CallOutcome::new(&plan, plan.complete)
    }

    /// Plans an import that looks at every layer. Complete where that import would have nothing to do.
    ///
    /// # Errors
    /// Why there is no plan.
    pub fn verify(mut self, meter: &Meter, cancel: &Cancel) -> Result<CallOutcome> {
        self.options.verify = true;
        let plan = self.builder(meter, cancel)?.plan()?;
        CallOutcome::new(&plan, has_nothing_to_do(&plan))
    }

    /// Plans an import; applying it is the only call that writes.
    ///
    /// # Errors
    /// Why there is no plan.
    pub fn import(self, meter: &Meter, cancel: &Cancel) -> Result<Planned> {
        Ok(Planned { plan: self.builder(meter, cancel)?.plan()?, was_complete: true })
    }

    /// Plans what a saved plan says, and compares: where a decision would differ, it is an error.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for what is no plan, [`ErrorKind::PlanOutdated`], and why there is no plan.
    pub fn apply(self, saved: &str, meter: &Meter, cancel: &Cancel) -> Result<Planned> {
        let saved: Plan = serde_json::from_str(saved)
            .map_err(|e| Error::caused_by(ErrorKind::Usage, "not a saved plan", e))?;
        let plan = self.builder_of(&saved, meter, cancel)?.plan()?;
        Ok(Planned { plan, was_complete: saved.complete })
    }
}

/// What is about to be written.
#[derive(Debug)]
pub struct Planned {
    plan: Plan,
    /// An incomplete plan stays incomplete, even when all of it is applied.
    was_complete: bool,
}

impl Planned {
    /// Writes to the target, and reports what was done, as `multiarch.report/v1`. Complete where all that was
    /// asked for is in the target.
    ///
    /// # Errors
    /// None that a run could cause: those are in the report.
    pub fn write(&self) -> Result<CallOutcome> {
        let report = self.plan.apply();
        CallOutcome::new(&report, self.was_complete && report.complete)
    }
}

/// Reads the installer's `clusterConfig.yaml`, and gives the document of options that it means, logins
/// included.
///
/// # Errors
/// [`ErrorKind::Usage`] or [`ErrorKind::Malformed`], with what is wrong in the file.
pub fn config(text: &str) -> Result<CallOutcome> {
    let config = ClusterConfig::parse(text.as_bytes())?;
    let mut document = json!({"schema": Request::SCHEMA, "packages": config.packages});
    if let Some(found) = config.destination(own_address)? {
        document["target"] = found.images.into();
        if let Some(login) = &found.images_credentials {
            document["credentials"] = login::write(login);
        }
        if let Some(charts) = found.charts {
            document["charts_to"] = charts.into();
        }
        if let Some(login) = &found.charts_credentials {
            document["chart_credentials"] = login::write(login);
        }
    }
    CallOutcome::new(&document, true)
}

/// True where applying the plan would write nothing, and nothing is wrong.
fn has_nothing_to_do(plan: &Plan) -> bool {
    let restores = |image: &PlannedImage| {
        image.decisions.iter().any(|made| matches!(made.decision.change, Change::Restored))
    };
    let stays =
        |upload: &PlannedUpload| matches!(upload.action, ChartAction::Present | ChartAction::Kept);
    plan.complete
        && plan.tags_to_write() == 0
        && plan.bytes_to_send == 0
        && !plan.images.iter().any(restores)
        && plan.charts.iter().filter_map(|chart| chart.upload.as_ref()).all(stays)
}
