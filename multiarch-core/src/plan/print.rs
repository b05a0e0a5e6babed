//! Prints a plan as a table.

use std::{collections::BTreeSet, fmt};

use super::{
    Amount, ChartAction, Plan, PlannedChart, PlannedDecision, PlannedImage, Weight, weighted,
};
use crate::{
    fuse::{Change, Reason},
    package::LeftOut,
};

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
    let (charts, images) = (Amount(charts.len(), "chart"), Amount(images.len(), "image"));
    writeln!(f, "left out: {charts}, and {images} of others")
}

/// Each platform with its decision, joined by commas.
pub(crate) fn decisions_text(decisions: &[PlannedDecision]) -> String {
    let mut decisions: Vec<&PlannedDecision> = decisions.iter().collect();
    decisions.sort_by(|a, b| a.decision.platform.cmp(&b.decision.platform));
    let texts: Vec<String> = decisions
        .into_iter()
        .map(|d| format!("{} {}", d.decision.platform, d.decision.change))
        .collect();
    texts.join(", ")
}

fn image_row(image: &PlannedImage) -> (Weight, Vec<String>) {
    let (weight, what) = match (&image.error, &image.after, &image.before) {
        (Some(_), _, _) => (Weight::Attention, "blocked"),
        (_, None, _) if image.restores() => (Weight::Change, "restored"),
        (_, None, _) => (Weight::Quiet, "unchanged"),
        (_, Some(_), None) => (Weight::Change, "new"),
        (_, Some(_), Some(_)) => (Weight::Change, "fused"),
    };
    let bytes = Bytes(image.bytes_to_send).to_string();
    let row = vec![what.into(), image.name.to_string(), bytes, decisions_text(&image.decisions)];
    (weight, row)
}

fn chart_row(chart: &PlannedChart) -> Option<(Weight, Vec<String>)> {
    let name = chart.title()?;
    let Some(upload) = &chart.upload else {
        let what = if chart.problems.is_empty() { "left out" } else { "blocked" };
        return Some((Weight::Attention, vec![what.into(), name]));
    };
    let (weight, action) = match upload.action {
        ChartAction::Upload => (Weight::Change, "new"),
        ChartAction::Replace => (Weight::Change, "replaces another"),
        ChartAction::Present => (Weight::Quiet, "present"),
        ChartAction::Kept => (Weight::Quiet, "another is kept"),
    };
    Some((weight, vec![action.into(), name, Bytes(upload.size).to_string()]))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.images.iter().map(image_row).collect();
        weighted(f, &["TAG", "IMAGE", "TO SEND", "PLATFORMS"], rows)?;
        if self.charts_to.is_some() {
            writeln!(f)?;
            let rows = self.charts.iter().filter_map(chart_row).collect();
            weighted(f, &["CHART", "NAME", "SIZE"], rows)?;
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
