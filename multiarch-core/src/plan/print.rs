//! Prints a plan as a table.

use std::{collections::BTreeSet, fmt};

use super::{ChartAction, Plan, PlannedChart, PlannedDecision, PlannedImage};
use crate::{
    error::Printable,
    fuse::{Change, Reason},
    package::LeftOut,
};

/// A wider cell does not widen its column, so that one hostile name does not fill the screen.
const MAX_WIDTH: usize = 160;

/// Prints rows with aligned columns. Cells may have texts of packages in them.
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
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A text in lines that fit beside other columns.
pub(crate) fn wrapped(text: &str) -> impl Iterator<Item = String> {
    const WIDTH: usize = 72;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines
            .last_mut()
            .filter(|line| line.is_empty() || line.chars().count() + word.chars().count() < WIDTH);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Present => f.write_str("present"),
            Self::Restored => f.write_str("restored"),
            Self::Same { .. } => f.write_str("present (the same image)"),
            Self::Replaced { from } => {
                let from: Vec<_> = from.iter().map(ToString::to_string).collect();
                write!(f, "replaces {}", from.join(", "))
            }
            Self::NotTaken { stays, because } => {
                let because = match because {
                    Reason::Mislabelled => "the incoming one is mislabelled",
                    Reason::Nested => "it stands in a nested index",
                    Reason::Newer => "another writer put it there meanwhile",
                    _ => "policy",
                };
                write!(f, "not taken, {stays} stays ({because})")
            }
        }
    }
}

/// A line for what the user left out; the JSON form lists it.
pub(crate) fn write_left_out(f: &mut fmt::Formatter<'_>, left_out: &[LeftOut]) -> fmt::Result {
    if left_out.is_empty() {
        return Ok(());
    }
    let charts: BTreeSet<_> =
        left_out.iter().filter(|o| o.image.is_none()).map(|o| &o.chart).collect();
    let images: BTreeSet<_> = left_out.iter().filter_map(|o| o.image.as_ref()).collect();
    writeln!(f, "left out: {} charts, and {} images of others", charts.len(), images.len())
}

/// Each platform with its decision, joined by commas.
pub(crate) fn decisions_text(decisions: &[PlannedDecision]) -> String {
    let texts: Vec<String> = decisions
        .iter()
        .map(|d| format!("{} {}", d.decision.platform, d.decision.change))
        .collect();
    texts.join(", ")
}

pub(crate) fn image_row(image: &PlannedImage) -> Vec<String> {
    let what = match (&image.error, &image.after, &image.before) {
        (Some(_), _, _) => "blocked",
        (_, None, _) if image.restores() => "restored",
        (_, None, _) => "unchanged",
        (_, Some(_), None) => "new",
        (_, Some(_), Some(_)) => "fused",
    };
    let bytes = Bytes(image.bytes_to_send).to_string();
    vec![what.into(), image.name.to_string(), bytes, decisions_text(&image.decisions)]
}

fn chart_row(chart: &PlannedChart) -> Option<Vec<String>> {
    let name = chart.title()?;
    let Some(upload) = &chart.upload else { return Some(vec!["blocked".into(), name]) };
    let action = match upload.action {
        ChartAction::Upload => "new",
        ChartAction::Replace => "replaces another",
        ChartAction::Present => "present",
        ChartAction::Kept => "another is kept",
    };
    Some(vec![action.into(), name, Bytes(upload.size).to_string()])
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![vec!["TAG".into(), "IMAGE".into(), "TO SEND".into(), "PLATFORMS".into()]];
        rows.extend(self.images.iter().map(image_row));
        table(f, &rows)?;
        if self.charts_to.is_some() {
            let mut rows = vec![["CHART", "NAME", "SIZE"].map(String::from).to_vec()];
            rows.extend(self.charts.iter().filter_map(chart_row));
            writeln!(f)?;
            table(f, &rows)?;
        }
        writeln!(
            f,
            "\n{} images, {} tags to write, {} to send, {} there already",
            self.images.len(),
            self.tags_to_write(),
            Bytes(self.bytes_to_send),
            Bytes(self.bytes_present),
        )?;
        write_left_out(f, &self.left_out)?;
        self.cost.fmt(f)
    }
}

/// A number of bytes, printed for people in binary units, as registries and file managers do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
        let mut unit = units.next().unwrap_or_default();
        for next in units {
            if value < 1024.0 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        if unit == "B" { write!(f, "{value} B") } else { write!(f, "{value:.1} {unit}") }
    }
}
