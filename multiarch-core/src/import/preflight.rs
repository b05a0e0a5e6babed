//! Checks before an import.

use super::Import;
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    plan::CheckSubject,
    report::CheckReport,
    store::Survey,
};

impl Import {
    /// Checks all that an import needs and that can be known without writing: that the target and the chart
    /// repository answer and take the login, projects, rights, rules, quota, and space. Every import does the same
    /// before it begins. Without packages, only the servers are looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`], [`ErrorKind::Cancelled`], and where a package cannot be read at all. What is wrong with
    /// the servers is in the answer.
    pub fn preflight(&self) -> Result<CheckReport> {
        if self.packages.is_empty() {
            self.check()?;
            return self.servers();
        }
        let charts = self.chart_address();
        match self.plan() {
            Ok(plan) => Ok(CheckReport::of_plan(&plan)),
            Err(error) if concerns_input(&error) => Err(error),
            Err(error) if charts.is_none() => {
                Ok(self.report().with(CheckSubject::Target, Err(error)))
            }
            // One of the two servers: the other one is looked at, too.
            Err(error) => match self.clone().without_charts().plan() {
                Ok(plan) => {
                    let report = CheckReport { charts_to: charts, ..CheckReport::of_plan(&plan) };
                    Ok(report.with(CheckSubject::Charts, Err(error)))
                }
                Err(error) if concerns_input(&error) => Err(error),
                Err(_) => self.servers(),
            },
        }
    }

    fn report(&self) -> CheckReport {
        CheckReport::new(self.target.to_string(), self.chart_address())
    }

    /// Looks at the target and the chart repositories, whatever is imported.
    fn servers(&self) -> Result<CheckReport> {
        let target = self.connect(&[])?;
        let asked = match &target.administration {
            Some(administration) => administration.survey(&Default::default()),
            None => Ok(Survey::of_own_store()),
        };
        let asked = asked.and_then(|survey| match survey.lacks_login {
            // Reading may do without; no registry takes writes from everyone.
            true => {
                let message = "the registry wants a login, and none is known for it";
                let error = Error::new(ErrorKind::Unauthorized, message);
                Err(error.with_detail(Detail::NoLogin).at_host(self.target.to_string()))
            }
            false => Ok(survey.kind),
        });
        let mut report = self.report().with(CheckSubject::Target, asked);
        for charts in target.charts.repos() {
            let checked = charts.repo.check().map(|()| format!("{} answers", charts.name));
            let failed = checked.is_err();
            report = report.with(CheckSubject::Charts, checked);
            if failed {
                break;
            }
        }
        self.context.cancel.check()?;
        Ok(report)
    }
}

/// True for an error that has nothing to do with a server.
fn concerns_input(error: &Error) -> bool {
    let input = [ErrorKind::Usage, ErrorKind::Cancelled, ErrorKind::Io, ErrorKind::NotAPackage];
    input.contains(&error.kind()) && error.host().is_none()
}
