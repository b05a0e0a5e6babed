//! Which subcharts Helm loads, under which names, and the values that they all get.
//!
//! The order of the steps is Helm's (`chartutil.ProcessDependenciesWithMerge`, then
//! `chartutil.CoalesceValues`), and so are their side effects: the aliases of one chart share the entries of
//! its list of dependencies, and what the first one changes in them, the next one finds changed.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, sync::Arc};

use serde_json::Value;

use super::{
    Chart, Values,
    metadata::Dependency,
    shared_values::{Nulls, SharedTable, SharedValue, weight},
    values::value_at,
    version::helm_version,
    version_range::VersionRange,
};
use crate::{
    error::{Error, ErrorKind, Result},
    limit::{self, Budget},
};

/// A chart in a tree that is changed step by step.
struct TreeChart {
    name: String,
    version: String,
    values: Arc<Values>,
    /// How many values there are, for the limit.
    weight: u64,
    dependencies: Option<Vec<Rc<RefCell<Dependency>>>>,
    subcharts: Vec<SharedChart>,
}

type SharedChart = Rc<RefCell<TreeChart>>;

/// The values of a chart as Helm hands them to its templates, where it takes the charts in `charts/` in this
/// order.
///
/// # Errors
/// [`ErrorKind::Malformed`] where Helm refuses the chart, or takes one of two subcharts by chance.
pub(super) fn merged_values(chart: &Chart, order: Order, switches: Switches) -> Result<Values> {
    if chart.subcharts.is_empty() {
        return Ok(Values::clone(&chart.values));
    }
    let top = TreeChart::new(chart, order);
    choose_subcharts(&top, &Values::new(), "", switches)?;
    import_values(&top)?;
    coalesced(&top, &Values::new())
}

/// The order in which the charts in `charts/` are taken; Helm's differs from run to run.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Forwards,
    Backwards,
}

/// Whether conditions and tags switch subcharts off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Switches {
    Obeyed,
    Ignored,
}

impl TreeChart {
    fn new(chart: &Chart, order: Order) -> SharedChart {
        let subcharts = chart.subcharts.iter().map(|subchart| Self::new(subchart, order));
        let subcharts = match order {
            Order::Forwards => subcharts.collect(),
            Order::Backwards => subcharts.rev().collect(),
        };
        let entry = |dependency: &Dependency| Rc::new(RefCell::new(dependency.clone()));
        let dependencies = chart.metadata.dependencies.as_ref();
        Rc::new(RefCell::new(Self {
            name: chart.metadata.name.clone(),
            version: chart.metadata.version.clone(),
            values: chart.values.clone(),
            weight: chart.values.values().map(weight).sum(),
            dependencies: dependencies.map(|list| list.iter().map(entry).collect()),
            subcharts,
        }))
    }

    /// A copy under another name. It shares its subcharts and the entries of its list.
    fn named(&self, name: &str) -> SharedChart {
        Rc::new(RefCell::new(Self {
            name: name.to_owned(),
            version: self.version.clone(),
            values: self.values.clone(),
            weight: self.weight,
            dependencies: self.dependencies.clone(),
            subcharts: self.subcharts.clone(),
        }))
    }

    fn fits(&self, dependency: &Dependency, range: Option<&VersionRange>) -> bool {
        self.name == dependency.name
            && range.is_some_and(|range| {
                helm_version(&self.version).is_some_and(|version| range.matches(&version))
            })
    }

    /// True where it makes no difference which of the two charts is taken.
    fn is_like(&self, other: &Self) -> bool {
        let alike = |(a, b): (&SharedChart, &SharedChart)| a.borrow().is_like(&b.borrow());
        (&self.name, &self.version) == (&other.name, &other.version)
            && self.values == other.values
            && self.dependencies == other.dependencies
            && self.subcharts.len() == other.subcharts.len()
            && self.subcharts.iter().zip(&other.subcharts).all(alike)
    }
}

/// Replaces a chart's subcharts by those that are used: first the ones that no dependency fits, then one for
/// each dependency that is not switched off. `given` are the values from above, and `path` is where those of
/// this chart are in them.
fn choose_subcharts(
    chart: &SharedChart,
    given: &Values,
    path: &str,
    switches: Switches,
) -> Result<()> {
    // Without a list of dependencies, all subcharts are used as they are, and so are those below.
    let Some(dependencies) = chart.borrow().dependencies.clone() else { return Ok(()) };
    let loaded = std::mem::take(&mut chart.borrow_mut().subcharts);
    let ranges: Vec<Option<VersionRange>> =
        dependencies.iter().map(|entry| VersionRange::parse(&entry.borrow().version)).collect();
    let is_listed = |subchart: &&SharedChart| {
        let mut entries = dependencies.iter().zip(&ranges);
        entries.any(|(entry, range)| subchart.borrow().fits(&entry.borrow(), range.as_ref()))
    };
    let (listed, unlisted): (Vec<_>, Vec<_>) = loaded.iter().partition(is_listed);
    let mut by_chance = Vec::new();
    let mut chosen: Vec<SharedChart> = unlisted.into_iter().cloned().collect();
    for (dependency, range) in dependencies.iter().zip(&ranges) {
        let mut entry = dependency.borrow_mut();
        let fitting =
            listed.iter().filter(|chart| chart.borrow().fits(&entry, range.as_ref())).copied();
        let fitting: Vec<&SharedChart> = fitting.collect();
        by_chance.extend(Choice::between(&fitting, entry.key()));
        if let Some(first) = fitting.first() {
            chosen.push(first.borrow().named(entry.key()));
        }
        if let Some(alias) = &entry.alias {
            entry.name = alias.clone();
        }
    }
    chart.borrow_mut().subcharts = chosen;
    // Of two charts, one may be refused where Helm takes the other.
    let values = coalesced(chart, given);
    let values = values
        .map_err(|error| by_chance.first().map_or(error, |choice| choice.error(&chart.borrow())))?;
    let is_off =
        |dependency: &Dependency| switches == Switches::Obeyed && !is_on(dependency, &values, path);
    let off: BTreeSet<String> = dependencies
        .iter()
        .map(|dependency| dependency.borrow())
        .filter(|dependency| is_off(dependency))
        .map(|dependency| dependency.name.clone())
        .collect();
    if let Some(choice) = by_chance.iter().find(|choice| !off.contains(&choice.name)) {
        return Err(choice.error(&chart.borrow()));
    }
    chart.borrow_mut().subcharts.retain(|subchart| !off.contains(&subchart.borrow().name));
    let on = chart.borrow().subcharts.clone();
    for subchart in &on {
        let below = format!("{path}{}.", subchart.borrow().name);
        choose_subcharts(subchart, &values, &below, switches)?;
    }
    let stay = dependencies.into_iter().filter(|entry| !off.contains(&entry.borrow().name));
    let stay: Vec<_> = stay.collect();
    chart.borrow_mut().dependencies = (!stay.is_empty()).then_some(stay);
    Ok(())
}

/// Two different charts of which Helm takes one by chance: it reads `charts/` in an order that differs from
/// run to run.
struct Choice {
    name: String,
    versions: [String; 2],
}

impl Choice {
    /// The first of these charts and another one that is different.
    fn between(charts: &[&SharedChart], name: &str) -> Option<Self> {
        let (first, others) = charts.split_first()?;
        let first = first.borrow();
        let other = others.iter().find(|other| !first.is_like(&other.borrow()))?;
        let versions = [first.version.clone(), other.borrow().version.clone()];
        Some(Self { name: name.to_owned(), versions })
    }

    fn error(&self, parent: &TreeChart) -> Error {
        let (name, [a, b], parent) = (&self.name, &self.versions, &parent.name);
        let message = format!(
            "two charts in charts/ of {parent} can be {name} ({a} and {b}), and Helm takes one of them by chance"
        );
        Error::new(ErrorKind::Malformed, message)
    }
}

/// Whether a dependency is switched on: by the first condition that is a truth value, else by its tags.
fn is_on(dependency: &Dependency, values: &Values, path: &str) -> bool {
    let conditions = dependency.condition.trim().split(',').filter(|one| !one.is_empty());
    let truths = conditions.filter_map(|one| value_at(values, &format!("{path}{one}"))?.as_bool());
    let tags = values.get("tags").and_then(Value::as_object);
    let of_tags = || {
        let tags = dependency.tags.iter().filter_map(|tag| tags?.get(tag)?.as_bool());
        let tags: Vec<bool> = tags.collect();
        tags.is_empty() || tags.contains(&true)
    };
    truths.into_iter().next().unwrap_or_else(of_tags)
}

/// Adds to a chart's values, and before to those of its subcharts, what they import from below.
fn import_values(chart: &SharedChart) -> Result<()> {
    let subcharts = chart.borrow().subcharts.clone();
    subcharts.iter().try_for_each(import_values)?;
    let Some(dependencies) = chart.borrow().dependencies.clone() else { return Ok(()) };
    let values = SharedTable::default();
    let mut budget = limit::MERGED_VALUES.budget();
    coalesce(&chart.borrow(), &values, Nulls::Stay, &mut budget)?;
    let imported = SharedTable::default();
    for dependency in dependencies {
        let mut entry = dependency.borrow_mut();
        // An alias of the same chart finds that its imports are done.
        for import in std::mem::take(&mut entry.imports) {
            let child = format!("{}.{}", entry.name, import.child);
            if let Some(table) = values.table_at(&child) {
                imported.add_defaults(&table.below(&import.parent), Nulls::Stay);
            }
        }
    }
    let values = SharedTable::from(&values.to_values()?);
    values.add_defaults(&imported, Nulls::Stay);
    let values = values.to_values()?;
    let mut chart = chart.borrow_mut();
    chart.weight = values.values().map(weight).sum();
    chart.values = Arc::new(values);
    Ok(())
}

/// The given values, with the chart's own and those of all subcharts.
fn coalesced(chart: &SharedChart, given: &Values) -> Result<Values> {
    let values = SharedTable::from(given);
    coalesce(&chart.borrow(), &values, Nulls::Remove, &mut limit::MERGED_VALUES.budget())?;
    values.to_values()
}

fn coalesce(
    chart: &TreeChart,
    given: &SharedTable,
    nulls: Nulls,
    budget: &mut Budget,
) -> Result<()> {
    budget.spend(chart.weight)?;
    let is_subchart = |key: &str| chart.subcharts.iter().any(|below| below.borrow().name == key);
    given.add_own_values(&chart.values, is_subchart, nulls);
    for subchart in &chart.subcharts {
        let subchart = subchart.borrow();
        let below = match given.get(&subchart.name).unwrap_or_default() {
            SharedValue::Table(table) => table,
            SharedValue::Single(_) => {
                let message = format!(
                    "Helm refuses the chart: the value of .{} in {} is no table, as it must be for a subchart",
                    subchart.name, chart.name
                );
                return Err(Error::new(ErrorKind::Malformed, message));
            }
        };
        given.insert(&subchart.name, SharedValue::Table(below.clone()));
        budget.spend(given.hand_globals_to(&below))?;
        coalesce(&subchart, &below, nulls, budget)?;
    }
    Ok(())
}
