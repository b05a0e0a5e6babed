//! What is done with a chart in the chart repository.

use serde::{Deserialize, Serialize};

use crate::{
    chart::{Chart, ChartFiles, Hint, Likeness, PackedChart, compare},
    error::Result,
    image::Digest,
};

/// What is done with one chart in the chart repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedUpload {
    /// The file's name.
    pub file: String,
    /// What is done with it.
    pub action: ChartAction,
    /// Digest of the packed chart.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// How many hints name its images, which were all rendered with its values.
    #[serde(default)]
    pub hints: usize,
    /// How many images Helm renders from it with its default values, all of which are or will be in the
    /// target; `None` where it was not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_images: Option<usize>,
    /// The chart itself; `None` in a plan that was read from JSON.
    #[serde(skip)]
    pub(crate) content: Option<ChartToUpload>,
}

/// A packed chart, with its hints, which comparing it needs.
#[derive(Clone, Debug)]
pub(crate) struct ChartToUpload {
    pub(crate) chart: PackedChart,
    /// The number of the chart repository.
    pub(crate) repo: usize,
    /// The stored chart, where it stays and is to be rendered.
    pub(crate) stored: Option<PackedChart>,
    pub(super) hints: Vec<Hint>,
    /// Values that name images although no hint says so.
    pub(super) unhinted: Vec<Vec<String>>,
}

impl PlannedUpload {
    /// True where this is the same chart as in the saved plan, and the action is the same, or done by
    /// now.
    pub(super) fn agrees_with(&self, saved: &Self) -> bool {
        let same = self.digest == saved.digest;
        same && (self.action == saved.action || self.action == ChartAction::Present)
    }
}

impl ChartToUpload {
    /// True where `packed` is the same chart and renders the same names of images.
    pub(crate) fn is_same_chart(&self, packed: &[u8]) -> Result<bool> {
        if packed == self.chart.bytes() {
            return Ok(true);
        }
        let (theirs, ours) = (ChartFiles::unpack(packed)?, ChartFiles::unpack(self.chart.bytes())?);
        let (their_chart, our_chart) = (Chart::load(&theirs)?, Chart::load(&ours)?);
        let (theirs, ours) = ((&theirs, &their_chart), (&ours, &our_chart));
        let merged = our_chart.values_for_hints()?;
        if compare(theirs, ours, (&self.hints, &merged), &self.unhinted)? != Likeness::Same {
            return Ok(false);
        }
        let (theirs, ours) = (their_chart.values_for_hints()?, merged);
        Ok(self.hints.iter().all(|hint| hint.render(&theirs).ok() == hint.render(&ours).ok()))
    }
}

/// What is done with a chart in the chart repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChartAction {
    /// The repository does not have it: it is uploaded.
    Upload,
    /// The stored chart is replaced: it names images that are missing, or replacing was asked for.
    Replace,
    /// The repository has it, with names of images that the target has.
    Present,
    /// The repository has another chart of this name and version, which stays.
    Kept,
}

impl ChartAction {
    /// True where the chart repository keeps the chart that it has.
    pub(crate) fn keeps_stored(self) -> bool {
        matches!(self, Self::Present | Self::Kept)
    }
}
