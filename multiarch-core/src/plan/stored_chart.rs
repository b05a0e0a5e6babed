//! A chart in the chart repository.

use crate::{
    chart::{Chart, ChartFiles, Hint, Overrides, TargetName, Values, get_value, memory_of},
    error::{Error, ErrorKind, Result},
    limit::Budget,
};

/// A chart in the chart repository.
#[derive(Debug)]
pub(crate) struct StoredChart {
    pub(crate) files: ChartFiles,
    pub(crate) chart: Chart,
    values: Values,
}

impl StoredChart {
    /// Reads a packed chart.
    ///
    /// # Errors
    /// [`ErrorKind::ChartConflict`] where the chart cannot be read: there is one, and it is not known to be the same.
    /// [`ErrorKind::TooLarge`] beyond the memory for all of them.
    pub(crate) fn unpack(packed: &[u8], memory: &mut Budget) -> Result<Self> {
        let mut unpack = || {
            let files = ChartFiles::unpack(packed)?;
            memory
                .spend(files.iter().map(|(path, file)| path.len() + file.len()).sum::<usize>())?;
            let chart = Chart::load_within(&files, memory)?;
            let values = chart.values_for_hints()?;
            memory.spend(memory_of(&values))?;
            Ok(Self { files, chart, values })
        };
        unpack().map_err(|error: Error| {
            let message = "the chart in the chart repository cannot be read";
            Error::caused_by(ErrorKind::ChartConflict, message, error)
        })
    }

    /// Those of these values that are set to something.
    pub(super) fn set_among<'p>(&self, paths: &'p [Vec<String>]) -> Vec<&'p Vec<String>> {
        let is_set = |path: &&Vec<String>| {
            get_value(&self.values, path).is_some_and(|value| value.as_str() != Some(""))
        };
        paths.iter().filter(is_set).collect()
    }

    /// True where all of these values are set so.
    pub(super) fn has_all(&self, edits: &Overrides) -> bool {
        let is_set = |(path, text): (&Vec<String>, &String)| {
            get_value(&self.values, path).and_then(|value| value.as_str()) == Some(text.as_str())
        };
        edits.iter().all(is_set)
    }

    /// The name below the registry that each hint renders; `None` for a reference to another registry,
    /// and where the hint cannot be rendered.
    pub(super) fn names(&self, hints: &[Hint], registry: &str) -> Vec<Option<TargetName>> {
        let name = |hint: &Hint| TargetName::below(registry, &hint.reference(&self.values).ok()?);
        hints.iter().map(name).collect()
    }
}
