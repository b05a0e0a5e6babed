//! The one place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]

use std::io::Write;

use multiarch_core::{Error, package::Finding};
use serde::Serialize;

use crate::messages;

/// Prints to standard output; a reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
}

pub(crate) fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        print(&text);
    }
}

pub(crate) fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Errors and findings, the same one once.
pub(crate) fn remarks<'a>(
    errors: impl Iterator<Item = &'a Error>,
    findings: impl Iterator<Item = &'a Finding>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for finding in findings {
        let text = messages::finding(finding);
        if seen.insert(text.clone()) {
            note(&format!("note: {text}"));
        }
    }
    for problem in errors {
        let text = messages::explain(problem);
        if seen.insert(text.clone()) {
            error(&text);
        }
    }
}
