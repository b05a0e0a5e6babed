//! All printing to standard output and standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]

use std::{
    fmt::Display,
    io::{ErrorKind, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use multiarch_core::{Error, Finding, embed::error_json};
use serde::Serialize;

use crate::{args::Show, causes, colors, messages};

/// Set where a result could not be printed, so that the exit code says so.
static LOST: AtomicBool = AtomicBool::new(false);

/// True where a result could not be printed.
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Prints to standard output, line by line, and nothing that a terminal would act on. A closed pipe is not an
/// error: the reader has seen enough.
pub(crate) fn print(text: &str) {
    let lines: Vec<String> =
        text.trim_end().lines().map(|line| colors::line(printable(line))).collect();
    write(&lines.join("\n"));
}

/// Prints a result as a table that fits the terminal, or as JSON.
pub(crate) fn result(result: &(impl Serialize + Display), show: &Show) {
    if show.json {
        return json(result);
    }
    table(result, show);
}

/// Prints a result as a table that fits the terminal.
pub(crate) fn table(result: &impl Display, show: &Show) {
    let width = terminal_size::terminal_size_of(std::io::stdout());
    let text = match (width, show.verbose) {
        (Some((width, _)), true) => format!("{result:#w$}", w = usize::from(width.0)),
        (Some((width, _)), false) => format!("{result:w$}", w = usize::from(width.0)),
        (None, true) => format!("{result:#}"),
        (None, false) => result.to_string(),
    };
    print(&text);
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

/// Prints bytes of our own as they are.
pub(crate) fn raw(bytes: &[u8]) {
    write(String::from_utf8_lossy(bytes).trim_end());
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
    let _ = writeln!(std::io::stderr().lock(), "{} {text}", colors::label("error:"));
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
