//! Tables for people.

use std::fmt;

use crate::error::Printable;

/// A wider cell does not widen its column, so that one hostile name does not fill the screen.
const MAX_WIDTH: usize = 160;
/// The last column is not made narrower than this, whatever the width of the terminal.
const MIN_WIDTH: usize = 24;
/// As many rows of what stays as it is are shown; more are only counted.
const SHOWN: usize = 12;

/// A number of things: `1 tag`, `2 tags`.
pub(crate) struct Amount(pub(crate) usize, pub(crate) &'static str);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, noun) = self;
        write!(f, "{number} {noun}{}", if *number == 1 { "" } else { "s" })
    }
}

/// How much a row matters to someone who looks at a long table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Something is wrong.
    Attention,
    /// Something is done.
    Change,
    /// It stays as it is.
    Quiet,
}

/// Prints rows with aligned columns. Cells may have texts of packages in them. Where a width is given (`{:80}`),
/// the last column is wrapped to fit.
pub(crate) fn table(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let printable = |row: &Vec<String>| -> Vec<String> {
        row.iter().map(|cell| Printable(cell).to_string()).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(printable).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|c| c.chars().count()).max().unwrap_or(0).min(MAX_WIDTH)
    };
    let mut widths: Vec<usize> = (0..columns).map(width).collect();
    if let (Some(room), Some((last, others))) = (f.width(), widths.split_last_mut()) {
        let others: usize = others.iter().map(|width| width + 2).sum();
        *last = (*last).min(room.saturating_sub(others).max(MIN_WIDTH));
    }
    for row in rows {
        let last = row.len().saturating_sub(1);
        let is_wrapped = f.width().is_some() && row.len() == columns && columns > 0;
        let mut rest = Vec::new();
        let mut line = String::new();
        for (column, (mut cell, width)) in row.into_iter().zip(&widths).enumerate() {
            if column == last && is_wrapped {
                let mut lines = wrapped(&cell, *width).into_iter();
                cell = lines.next().unwrap_or_default();
                rest = lines.collect();
            }
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        writeln!(f, "{}", line.trim_end())?;
        let before: usize = widths.iter().take(last).map(|width| width + 2).sum();
        for more in rest {
            writeln!(f, "{}{more}", " ".repeat(before))?;
        }
    }
    Ok(())
}

/// Prints rows, what needs attention first. Many rows of what stays as it is are only counted, unless all are asked
/// for (`{:#}`).
pub(crate) fn weighted(
    f: &mut fmt::Formatter<'_>,
    head: &[&str],
    mut rows: Vec<(Weight, Vec<String>)>,
) -> fmt::Result {
    rows.sort_by_key(|(weight, _)| *weight);
    let quiet = rows.iter().filter(|(weight, _)| *weight == Weight::Quiet).count();
    let folded = if f.alternate() || quiet <= SHOWN { 0 } else { quiet };
    rows.truncate(rows.len() - folded);
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.into_iter().map(|(_, row)| row)).collect();
    if rows.len() > 1 || folded == 0 {
        table(f, &rows)?;
    }
    match folded {
        0 => Ok(()),
        folded => writeln!(f, "({folded} more stay as they are)"),
    }
}

/// A text in lines of at most this width, broken at blanks.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.chars().count() + word.chars().count() < width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shown(Vec<(Weight, Vec<String>)>);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            weighted(f, &["STATE", "NAME", "TEXT"], self.0.clone())
        }
    }

    fn row(weight: Weight, cells: [&str; 3]) -> (Weight, Vec<String>) {
        (weight, cells.map(String::from).to_vec())
    }

    #[test]
    fn what_needs_attention_comes_first() {
        let mut rows = vec![row(Weight::Quiet, ["unchanged", "a", ""]); SHOWN + 1];
        rows.push(row(Weight::Change, ["written", "b", "all of it"]));
        rows.push(row(Weight::Attention, ["FAILED", "c", "for some reason"]));
        let text = Shown(rows.clone()).to_string();
        let expected = "STATE    NAME  TEXT\nFAILED   c     for some reason\nwritten  b     all of it\n(13 more stay as they are)\n";
        assert_eq!(text, expected);
        let all = format!("{:#}", Shown(rows.clone()));
        assert_eq!(all.matches("unchanged").count(), SHOWN + 1);
        rows.remove(0);
        assert_eq!(Shown(rows).to_string().matches("unchanged").count(), SHOWN, "few are shown");
    }

    #[test]
    fn the_last_column_is_wrapped() {
        let rows = vec![row(Weight::Change, ["written", "b", "one two three four five six seven"])];
        let text = format!("{:40}", Shown(rows));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "written  b     one two three four five");
        assert_eq!(lines[2], "               six seven");
    }
}
