//! All printing to standard output and standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]

use std::{
    io::{ErrorKind, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use multiarch_core::{Error, Finding, embed::error_json};
use serde::Serialize;

use crate::{causes, messages};

/// Set where a result could not be printed, so that the exit code says so.
static LOST: AtomicBool = AtomicBool::new(false);

/// True where a result could not be printed.
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Prints to standard output, line by line, and nothing that a terminal would act on. A closed pipe is not an
/// error: the reader has seen enough.
pub(crate) fn print(text: &str) {
    let lines: Vec<String> = text.trim_end().lines().map(printable).collect();
    write(&lines.join("\n"));
}

/// The same for a JSON text.
pub(crate) fn json_text(text: &str) {
    write(&escaped(text));
}

fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    if let Err(failure) = written
        && failure.kind() != ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
        error(&format!("the result cannot be printed: {failure}"));
    }
}

pub(crate) fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        json_text(&text);
    }
}

/// Prints an error that ended a verb before it had a result.
pub(crate) fn json_error(error: &Error) {
    json_text(&error_json(error));
}

pub(crate) fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A JSON text in which characters that a terminal acts on are escaped. Outside of strings JSON has none of
/// them but line feeds.
fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        '\n' => c.into(),
        _ if acts_on_terminals(c) => format!("\\u{:04x}", u32::from(c)),
        _ => c.into(),
    };
    json.chars().map(escape).collect::<String>()
}

/// True for control characters, and for those that change the direction of the text around them.
fn acts_on_terminals(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that someone else chose, with the characters escaped that a terminal acts on.
pub(crate) fn printable(text: &str) -> String {
    let escape =
        |c: char| if acts_on_terminals(c) { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escape).collect()
}

/// Prints findings, each text only once, and errors, each cause only once.
pub(crate) fn remarks<'a>(
    errors: impl Iterator<Item = &'a Error>,
    findings: impl Iterator<Item = &'a Finding>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for finding in findings {
        // Names are a package's, and must not control the terminal; errors escape theirs themselves.
        let text = printable(&messages::finding(finding));
        if seen.insert(text.clone()) {
            note(&format!("note: {text}"));
        }
    }
    causes::texts(errors).iter().for_each(|text| error(text));
}
