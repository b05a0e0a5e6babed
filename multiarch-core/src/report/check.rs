//! What was checked before an import, for people and programs.

use std::fmt;

use serde::Serialize;

use crate::{
    error::{Error, Printable},
    plan::{Check, CheckResult, CheckSubject, Plan, table},
};

/// Whether an import could begin, and what stands in its way. It serialises to JSON of the schema
/// [`CheckReport::SCHEMA`], and prints as a table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// The chart repositories, as the user named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charts_to: Option<String>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// All that keeps something from being imported.
    pub problems: Vec<Error>,
    /// True where nothing does.
    pub complete: bool,
}

impl CheckReport {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.check/v1";

    pub(crate) fn new(target: String, charts_to: Option<String>) -> Self {
        let (checks, problems) = Default::default();
        Self { schema: Self::SCHEMA, target, charts_to, checks, problems, complete: true }
    }

    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Self {
            checks: plan.checks.clone(),
            problems: plan.errors().cloned().collect(),
            complete: plan.complete,
            ..Self::new(plan.target.clone(), plan.charts_to.clone())
        }
    }

    /// The same with one more check.
    #[must_use]
    pub(crate) fn with(mut self, subject: CheckSubject, checked: Result<String, Error>) -> Self {
        let (result, says) = match checked {
            Ok(says) => (CheckResult::Ok, says),
            Err(error) => {
                let says = error.kind().to_string();
                self.problems.push(error);
                self.complete = false;
                (CheckResult::Problem, says)
            }
        };
        self.checks.retain(|check| check.subject != subject);
        self.checks.push(Check { subject, result, says });
        self
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["CHECK", "RESULT", "FACTS"].map(String::from).to_vec()];
        for Check { subject, result, says } in &self.checks {
            rows.push(vec![subject.to_string(), result.to_string(), says.clone()]);
        }
        table(f, &rows)?;
        let target = Printable(&self.target);
        match self.complete {
            true => writeln!(f, "\nnothing stands in the way of an import into {target}"),
            false => writeln!(f, "\nthis stands in the way of an import into {target}"),
        }
    }
}
