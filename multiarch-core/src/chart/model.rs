//! A chart and the charts it depends on.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    ChartFiles, Hint, Values,
    dependency_tree::{self, Order, Switches},
    metadata::ChartMetadata,
    values, yaml,
};
use crate::{
    error::{Error, ErrorKind, Result},
    limit::{self, Budget},
};

/// The parts of a chart that are read: metadata, values, subcharts.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(super) metadata: ChartMetadata,
    pub(super) values: Arc<Values>,
    /// Every chart in `charts/`, whether or not Helm uses it.
    pub(super) subcharts: Vec<Arc<Chart>>,
}

/// What a chart and all its subcharts may have together.
struct ChartBudget<'a> {
    unpacked: Budget,
    subcharts: Budget,
    dependencies: Budget,
    /// For the values of several charts.
    memory: &'a mut Budget,
}

impl Chart {
    /// Reads a chart from its files.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] without a `Chart.yaml`, [`ErrorKind::Malformed`] where Helm does not load the
    /// chart.
    pub(crate) fn load(files: &ChartFiles) -> Result<Self> {
        Self::load_within(files, &mut limit::CHARTS_VALUES.budget())
    }

    /// Reads one of several charts that are in memory at once.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn load_within(files: &ChartFiles, memory: &mut Budget) -> Result<Self> {
        let (unpacked, subcharts) = (limit::CHART.budget(), limit::SUBCHARTS.budget());
        let dependencies = limit::DEPENDENCIES.budget();
        let mut budget = ChartBudget { unpacked, subcharts, dependencies, memory };
        Self::load_below(files, 0, &mut budget)
    }

    fn load_below(files: &ChartFiles, depth: usize, budget: &mut ChartBudget<'_>) -> Result<Self> {
        limit::SUBCHART_DEPTH.check(depth)?;
        let metadata = ChartMetadata::parse(files, budget.memory)?;
        let values = Arc::new(own_values(files)?);
        budget.memory.spend(values::memory_of(&values))?;
        budget.dependencies.spend(metadata.dependencies.as_ref().map_or(0, Vec::len))?;
        let subcharts = files.subcharts(&mut budget.unpacked)?;
        budget.subcharts.spend(subcharts.len())?;
        let subcharts =
            subcharts.iter().map(|files| Self::load_below(files, depth + 1, budget).map(Arc::new));
        Ok(Self { metadata, values, subcharts: subcharts.collect::<Result<_>>()? })
    }

    /// The same chart with the values of these files.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where they cannot be read.
    pub(super) fn with_values_of(&self, files: &ChartFiles) -> Result<Self> {
        Ok(Self { values: Arc::new(own_values(files)?), ..self.clone() })
    }

    /// The subcharts, each with its files.
    ///
    /// # Errors
    /// As [`load`](Self::load), for files of another chart.
    pub(super) fn subcharts_in(&self, files: &ChartFiles) -> Result<Vec<(&Self, ChartFiles)>> {
        // The chart was loaded from the same files, so that they are within the budget as a whole.
        let files = files.subcharts(&mut limit::CHART.budget())?;
        if files.len() != self.subcharts.len() {
            let message = "a folder in charts/ is no chart, so that Helm refuses the whole chart";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        Ok(self.subcharts.iter().map(AsRef::as_ref).zip(files).collect())
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
        if !self.has_switches() {
            return Ok(values);
        }
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
        // Each hint is rendered with a copy of the values, so that both together make the work. With few hints
        // there cannot be too much.
        if hints.len() as u64 > limit::HINTED_VALUES.max / limit::YAML_VALUES.max {
            limit::HINTED_VALUES
                .check(hints.len() * values::leaves(&self.merged_values()?).len())?;
        }
        if !self.may_vary() {
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

    /// True where a condition or a tag may switch a subchart off.
    fn has_switches(&self) -> bool {
        let dependencies = self.metadata.dependencies.iter().flatten();
        let mut switched = dependencies.filter(|d| !d.condition.is_empty() || !d.tags.is_empty());
        switched.next().is_some() || self.subcharts.iter().any(|chart| chart.has_switches())
    }

    /// True where the order in which Helm takes the subcharts may make a difference: two have one name, or
    /// globals have tables in tables, which subcharts share.
    fn may_vary(&self) -> bool {
        let names: BTreeSet<&str> = self.subcharts.iter().map(|chart| chart.name()).collect();
        names.len() < self.subcharts.len()
            || self.subcharts.iter().any(|chart| chart.may_vary())
            || !self.subcharts.is_empty() && self.has_shared_globals()
    }

    /// True where this chart or one below has a table in a table of a `global`.
    fn has_shared_globals(&self) -> bool {
        fn holds(values: &Values) -> bool {
            values.iter().any(|(key, value)| {
                let Value::Object(table) = value else { return false };
                let tables = table.values().filter_map(Value::as_object);
                let nested = |table: &Values| table.values().any(Value::is_object);
                key == "global" && tables.clone().any(nested) || holds(table)
            })
        }
        holds(&self.values) || self.subcharts.iter().any(|chart| chart.has_shared_globals())
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

fn own_values(files: &ChartFiles) -> Result<Values> {
    match files.get("values.yaml").map(yaml::parse).transpose() {
        Ok(None | Some(Value::Null)) => Ok(Values::new()),
        Ok(Some(Value::Object(values))) => Ok(values),
        Ok(Some(_)) => {
            let message = "the values are no mapping";
            Err(Error::new(ErrorKind::Malformed, message).at_path("values.yaml"))
        }
        Err(error) => Err(error.at_path("values.yaml")),
    }
}
