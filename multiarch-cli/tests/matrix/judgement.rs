//! Whether a run ended as it should.

use std::time::Duration;

use multiarch_core::{Error, ErrorKind, Report};
use multiarch_testing::Registry;

use crate::{advice, cell::Cell, content::Content, requests::Kind};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Everything is in the target.
    Success,
    /// Errors say what is not.
    Failure,
}

/// How a run ended, and what is wrong with that.
pub(crate) struct Verdict {
    pub(crate) ending: Ending,
    pub(crate) took: Duration,
    pub(crate) hits: usize,
    pub(crate) complaints: Vec<String>,
    /// What the run said, with the next steps.
    pub(crate) said: Vec<String>,
}

impl Verdict {
    pub(crate) fn of(
        cell: &Cell,
        result: Result<Report, Error>,
        took: Duration,
        limit: Duration,
    ) -> Self {
        let errors: Vec<Error> = match &result {
            Ok(report) => report.errors().cloned().collect(),
            Err(error) => vec![error.clone()],
        };
        let is_complete = result.as_ref().is_ok_and(|report| report.complete);
        let ending = if is_complete { Ending::Success } else { Ending::Failure };
        let said = errors.iter().map(advice::explain).collect();
        let mut verdict = Self { ending, took, hits: 0, complaints: Vec::new(), said };
        if took >= limit {
            verdict.complain(format!("it took more than {} seconds", limit.as_secs()));
        }
        match (ending, errors.is_empty()) {
            (Ending::Success, false) => verdict.complain("a success with errors".into()),
            (Ending::Failure, true) => verdict.complain("a failure without errors".into()),
            _ => {}
        }
        for error in &errors {
            for lacks in lacks(cell.kind, error) {
                verdict.complain(format!("an error without {lacks}: {error}"));
            }
        }
        verdict
    }

    pub(crate) fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }

    /// No tag lists what is not there, and none has lost a manifest that it had.
    pub(crate) fn check_tags(&mut self, before: &Content, registry: &Registry, after: &Content) {
        for name in after.tags().keys() {
            let (repository, tag) = name.rsplit_once(':').expect("a tag");
            for flaw in registry.flaws(repository, tag) {
                self.complain(format!("{name}: {flaw}"));
            }
        }
        let after = after.tags();
        for (name, old) in before.tags() {
            let Some(now) = after.get(&name) else {
                self.complain(format!("{name} is gone"));
                continue;
            };
            let listed = listed(now);
            let lost = listed_or_self(old).into_iter().filter(|digest| !listed.contains(digest));
            let lost: Vec<String> = lost.collect();
            if !lost.is_empty() && *now != old {
                self.complain(format!("{name} has lost {lost:?}"));
            }
        }
    }

    pub(crate) fn check_equal(&mut self, what: &str, found: &Content, expected: &Content) {
        let (tags, wanted) = (found.tags(), expected.tags());
        for (name, bytes) in &wanted {
            match tags.get(name) {
                None => self.complain(format!("{what} without {name}")),
                Some(found) if found != bytes => {
                    let found = String::from_utf8_lossy(found).into_owned();
                    self.complain(format!("{what} with other bytes at {name}: {found}"));
                }
                Some(_) => {}
            }
        }
        if tags.len() > wanted.len() {
            self.complain(format!("{what} with more tags: {:?}", tags.keys()));
        }
        for (file, bytes) in &expected.charts {
            if found.charts.get(file) != Some(bytes) {
                self.complain(format!("{what} without the chart {file}, or with another one"));
            }
        }
    }
}

/// What an error should name, and does not.
fn lacks(kind: Kind, error: &Error) -> Vec<&'static str> {
    let mut lacks = Vec::new();
    let names_image = error.image().is_some() || error.bundle().is_some();
    // What a server answers to everything is said once, for the host.
    if !names_image && error.host().is_none() {
        lacks.push("an image, a bundle or a host");
    }
    if !names_image && !kind.is_of_server() && error.host().is_none() {
        lacks.push("an image");
    }
    // That a chart is there already, or another writer at work, is not the answer to one request.
    let is_state = matches!(
        error.kind(),
        ErrorKind::ChartConflict
            | ErrorKind::Contended
            | ErrorKind::Unreachable
            | ErrorKind::Cancelled
    );
    if error.request().is_none() && !is_state {
        lacks.push("a request");
    }
    if !advice::explain(error).contains("\n  next: ") {
        lacks.push("a next step");
    }
    lacks
}

fn listed(bytes: &[u8]) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    let entries = document["manifests"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["digest"].as_str().map(str::to_owned)).collect()
}

/// The manifests of an index, or the manifest itself.
fn listed_or_self(bytes: &[u8]) -> Vec<String> {
    let listed = listed(bytes);
    if listed.is_empty() { vec![multiarch_testing::sha256(bytes)] } else { listed }
}
