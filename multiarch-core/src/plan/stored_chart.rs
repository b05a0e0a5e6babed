//! A chart in the chart repository.

use crate::{
    chart::{Chart, ChartFiles, Hint, TargetName},
    error::Result,
};

/// A chart in the chart repository.
#[derive(Debug)]
pub(crate) struct StoredChart {
    pub(crate) files: ChartFiles,
    chart: Chart,
}

impl StoredChart {
    pub(super) fn unpack(packed: &[u8]) -> Result<Self> {
        let files = ChartFiles::unpack(packed)?;
        let chart = Chart::load(&files)?;
        Ok(Self { files, chart })
    }

    /// The name below the registry that each hint renders; `None` for a reference to another registry,
    /// and where the hint cannot be rendered.
    pub(super) fn names(&self, hints: &[Hint], registry: &str) -> Vec<Option<TargetName>> {
        let values = self.chart.merged_values();
        let name = |hint: &Hint| TargetName::below(registry, &hint.reference(&values).ok()?);
        hints.iter().map(name).collect()
    }
}
