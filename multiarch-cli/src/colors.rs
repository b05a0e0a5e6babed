//! Colours: what needs attention, and what is done.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicBool, Ordering},
};

use anstyle::{AnsiColor, Style};

use crate::args::Color;

static ON_OUTPUT: AtomicBool = AtomicBool::new(false);
static ON_ERROR: AtomicBool = AtomicBool::new(false);

/// Words with which the rows of tables begin, or that stand in their second column.
const ATTENTION: [&str; 10] = [
    "FAILED",
    "INCOMPLETE",
    "ERROR",
    "PROBLEM",
    "GONE",
    "CHANGED SINCE",
    "blocked",
    "not reached",
    "not uploaded",
    "missing",
];
const WARNING: [&str; 5] = ["warning", "unknown", "ignored", "left out", "to do"];
const DONE: [&str; 8] =
    ["written", "restored", "uploaded", "replaced", "put back", "removed", "new", "fused"];

/// Decides once whether there are colours.
pub(crate) fn choose(color: Color) {
    let wanted = |is_terminal: bool| match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    };
    ON_OUTPUT.store(wanted(std::io::stdout().is_terminal()), Ordering::Relaxed);
    ON_ERROR.store(wanted(std::io::stderr().is_terminal()), Ordering::Relaxed);
}

/// A line of standard output.
pub(crate) fn line(text: String) -> String {
    if !ON_OUTPUT.load(Ordering::Relaxed) {
        return text;
    }
    for (words, style) in [
        (&ATTENTION[..], AnsiColor::Red.on_default().bold()),
        (&WARNING, AnsiColor::Yellow.on_default()),
        (&DONE, AnsiColor::Green.on_default()),
    ] {
        // A word counts where a column ends after it.
        let found = words.iter().find(|word| {
            text.strip_prefix(**word).is_some_and(|rest| rest.is_empty() || rest.starts_with("  "))
        });
        if let Some(word) = found {
            return format!("{style}{word}{style:#}{}", &text[word.len()..]);
        }
    }
    text
}

/// A word before a message on standard error.
pub(crate) fn label(text: &str) -> String {
    let style: Style = AnsiColor::Red.on_default().bold();
    match ON_ERROR.load(Ordering::Relaxed) {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    }
}
