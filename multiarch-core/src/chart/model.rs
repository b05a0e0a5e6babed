//! A chart and the charts it depends on.

use serde_json::Value;

use super::{
    ChartFiles, Hint, Values,
    dependency_tree::{self, Order, Switches},
    metadata::ChartMetadata,
    values, yaml,
};
use crate::error::{Error, ErrorKind, Result};

/// The parts of a chart that are read: metadata, values, subcharts.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(super) metadata: ChartMetadata,
    pub(super) values: Values,
    /// Every chart in `charts/`, whether or not Helm uses it.
    pub(super) subcharts: Vec<Chart>,
}

/// How deep subcharts may be nested: deeper than in any real chart.
const MAX_DEPTH: usize = 16;

impl Chart {
    /// Reads a chart from its files.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] without a `Chart.yaml`, [`ErrorKind::Malformed`] where Helm does not load the
    /// chart.
    pub(crate) fn load(files: &ChartFiles) -> Result<Self> {
        Self::load_below(files, 0)
    }

    fn load_below(files: &ChartFiles, depth: usize) -> Result<Self> {
        if depth > MAX_DEPTH {
            return Err(Error::new(ErrorKind::TooLarge, "charts nested deeper than 16 levels"));
        }
        let metadata = ChartMetadata::parse(files)?;
        let values = match files.get("values.yaml").map(yaml::parse).transpose() {
            Ok(None | Some(Value::Null)) => Values::new(),
            Ok(Some(Value::Object(values))) => values,
            Ok(Some(_)) => {
                let message = "the values are no mapping";
                return Err(Error::new(ErrorKind::Malformed, message).at_path("values.yaml"));
            }
            Err(error) => return Err(error.at_path("values.yaml")),
        };
        let subcharts = files.subcharts()?;
        let subcharts = subcharts.iter().map(|files| Self::load_below(files, depth + 1));
        Ok(Self { metadata, values, subcharts: subcharts.collect::<Result<_>>()? })
    }

    /// The chart's name.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The chart's version, an opaque string.
    pub(crate) fn version(&self) -> &str {
        &self.metadata.version
    }

    /// The values merged with those of the subcharts that are used, as Helm hands them to templates.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where Helm refuses the chart, or takes one of two subcharts by chance.
    pub(crate) fn merged_values(&self) -> Result<Values> {
        dependency_tree::merged_values(self, Order::Forwards, Switches::Obeyed)
    }

    /// The values that hints read: the merged values, and those that the chart would have with all of its
    /// subcharts. A package holds the images of a subchart that is switched off by default, so that it can be
    /// switched on.
    ///
    /// # Errors
    /// As [`merged_values`](Self::merged_values).
    pub(crate) fn values_for_hints(&self) -> Result<Values> {
        let mut values = self.merged_values()?;
        // Where Helm would refuse the chart with all subcharts, the default is all there is.
        let all = dependency_tree::merged_values(self, Order::Forwards, Switches::Ignored);
        values::add_missing(&mut values, all.unwrap_or_default());
        Ok(values)
    }

    /// The dependencies that are not in `charts/`. Helm's commands do not install such a chart.
    pub(crate) fn missing_dependencies(&self) -> Vec<&str> {
        let listed = self.metadata.dependencies.iter().flatten().map(|d| d.name.as_str());
        listed.filter(|name| self.subcharts.iter().all(|chart| chart.name() != *name)).collect()
    }

    /// Fails where a hint reads a value that is left to chance.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] for such a hint; those of [`merged_values`](Self::merged_values).
    pub(crate) fn check_hints(&self, hints: &[Hint]) -> Result<()> {
        if hints.is_empty() {
            return Ok(());
        }
        let varying = self.varying_values()?;
        let varies = |path: &[String]| varying.iter().any(|value| path.starts_with(value));
        for hint in hints {
            if let Some((_, path)) = hint.placeholders().find(|(_, path)| varies(path)) {
                let message = format!(
                    "hint {:?} reads .{}, which differs from run to run, because Helm takes the charts in charts/ in an order of its own",
                    hint.to_string(),
                    path.join(".")
                );
                return Err(Error::new(ErrorKind::Hint, message));
            }
        }
        Ok(())
    }

    /// The paths of the values that depend on the order in which Helm takes the charts in `charts/`, which
    /// differs from run to run: those of two subcharts of one name, and tables of globals.
    ///
    /// # Errors
    /// As [`merged_values`](Self::merged_values), where Helm refuses the chart in some runs.
    pub(crate) fn varying_values(&self) -> Result<Vec<Vec<String>>> {
        let forwards = self.merged_values()?;
        let backwards = dependency_tree::merged_values(self, Order::Backwards, Switches::Obeyed)?;
        let mut paths = Vec::new();
        values::note_differences(&forwards, &backwards, &mut Vec::new(), &mut paths);
        Ok(paths)
    }
}
