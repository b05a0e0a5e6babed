//! Finds the names of one bundle's images, and the edits that make its chart render them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Options, stored_chart::StoredChart};
use crate::{
    chart::{
        Hint, NameMode, Naming, Overrides, Pins, Relocation, TargetName, Values,
        names_by_charts_syncer, relocate,
    },
    error::Result,
    image::Reference,
    package::Bundle,
};

/// The names of one bundle's images, and the edits that make its chart render them.
#[derive(Debug)]
pub(crate) struct SolvedChart {
    /// The name of each hint's image, in the order of the hints.
    pub(crate) names: Vec<TargetName>,
    /// The values to change; `None` where only the stored chart renders these names, and no mode gives
    /// them for the original chart.
    pub(crate) edits: Option<Overrides>,
    /// The stored chart renders exactly these names.
    pub(crate) stored_chart_renders_names: bool,
    /// For new names, the previous names under which the target holds their images.
    pub(crate) previous: BTreeMap<TargetName, BTreeSet<TargetName>>,
    /// Names that the stored chart renders and that are missing in the target.
    pub(crate) dangling: Vec<TargetName>,
    /// Digests among the values that no hint reads.
    pub(crate) pins: Pins,
}

impl SolvedChart {
    /// Solves a chart that is not stored yet, with the mode of the options.
    pub(super) fn new(bundle: &Bundle, options: &Options, registry: &str) -> Result<Self> {
        let (hints, values) = (bundle.hints(), &bundle.values);
        let solved = relocate(hints, values, &options.names, registry)?;
        let (previous, dangling) = Default::default();
        let pins = Pins::find(hints, values);
        let (names, edits) = (solved.names, Some(with_pins(solved.edits, &pins)));
        Ok(Self { names, edits, stored_chart_renders_names: false, previous, dangling, pins })
    }
}

/// The names that a stored chart renders, and the relocation in the mode that gave it these names.
pub(super) struct StoredNames {
    rendered: Vec<Option<TargetName>>,
    relocation: Result<Relocation>,
    /// Every way of naming that gives the chart's images the names that it renders.
    namings: Vec<Naming>,
}

/// The way of naming that explains all stored charts of which one is known; `None` where it is that of the
/// options, and where the charts do not agree.
pub(super) fn agreed_naming<'n>(
    charts: impl Iterator<Item = &'n StoredNames>,
    of_options: &Naming,
) -> Option<Naming> {
    let mut agreed: Option<Vec<Naming>> = None;
    for chart in charts.filter(|chart| !chart.rendered.is_empty() && !chart.namings.is_empty()) {
        match &mut agreed {
            None => agreed = Some(chart.namings.clone()),
            Some(agreed) => agreed.retain(|naming| chart.namings.contains(naming)),
        }
    }
    let agreed = agreed?;
    if agreed.contains(of_options) { None } else { agreed.into_iter().next() }
}

impl StoredNames {
    /// Renders the stored chart, and looks for the mode in which it was relocated. Where no mode gives
    /// the rendered names, the mode of the options is taken.
    pub(super) fn find(
        bundle: &Bundle,
        stored: &StoredChart,
        options: &Options,
        registry: &str,
    ) -> Self {
        let (hints, values) = (bundle.hints(), &bundle.values);
        let rendered = stored.names(hints, registry);
        let relocation = |naming: &Naming| relocate(hints, values, naming, registry);
        let mut explained = Vec::new();
        if let Some(rendered) = rendered.iter().cloned().collect::<Option<Vec<_>>>() {
            let originals = hints.iter().filter_map(|hint| hint.reference(values).ok());
            for naming in candidates(originals.zip(&rendered), options) {
                let relocation = relocation(&naming);
                let explains = relocation.as_ref().is_ok_and(|solved| solved.names == rendered)
                    || names_by_charts_syncer(hints, values, &naming, registry)
                        .is_ok_and(|names| names == rendered);
                if explains {
                    explained.push((naming, relocation));
                }
            }
        }
        let namings = explained.iter().map(|(naming, _)| naming.clone()).collect();
        let relocation = explained.into_iter().next().map(|(_, relocation)| relocation);
        let relocation =
            relocation.unwrap_or_else(|| self::relocate(hints, values, &options.names, registry));
        Self { rendered, relocation, namings }
    }

    /// The same for a chart that is not stored, although its images may be in the target.
    pub(super) fn of_absent(bundle: &Bundle, naming: &Naming, registry: &str) -> Self {
        let (hints, values) = (bundle.hints(), &bundle.values);
        let relocation = relocate(hints, values, naming, registry);
        Self { rendered: vec![None; hints.len()], relocation, namings: Vec::new() }
    }

    /// The names whose presence in the target decides how the chart is solved.
    pub(super) fn questions(&self) -> impl Iterator<Item = TargetName> {
        let pushed = self.relocation.iter().flat_map(|solved| &solved.charts_syncer_names);
        self.rendered.iter().flatten().chain(pushed).cloned()
    }

    /// Takes the names that the stored chart renders, if all of them are in the target; otherwise those
    /// of the relocation.
    pub(super) fn solve(
        self,
        bundle: &Bundle,
        existing: &BTreeSet<TargetName>,
        options: &Options,
    ) -> Result<SolvedChart> {
        let Self { rendered, relocation, .. } = self;
        let (hints, values) = (bundle.hints(), &bundle.values);
        let all: Option<Vec<TargetName>> = rendered.iter().cloned().collect();
        let are_ours = |names: &Vec<TargetName>| {
            let there = names.iter().all(|name| existing.contains(name));
            there && hints.iter().zip(names).all(|(hint, name)| is_name_of(hint, values, name))
        };
        if let Some(names) = all.filter(are_ours) {
            let fits = relocation.as_ref().ok().filter(|solved| solved.names == names);
            let pins = Pins::find(hints, values);
            let edits = fits.map(|solved| with_pins(solved.edits.clone(), &pins));
            // Overwriting makes the chart anew, which needs edits.
            if edits.is_some() || !options.overwrite_charts {
                let (previous, dangling) = Default::default();
                return Ok(SolvedChart {
                    names,
                    edits,
                    stored_chart_renders_names: true,
                    previous,
                    dangling,
                    pins,
                });
            }
        }
        let solved = relocation?;
        let mut previous: BTreeMap<TargetName, BTreeSet<TargetName>> = BTreeMap::new();
        for ((name, pushed), rendered) in
            solved.names.iter().zip(&solved.charts_syncer_names).zip(&rendered)
        {
            let others = [Some(pushed), rendered.as_ref()].into_iter().flatten();
            let others = others.filter(|other| other.tag() == name.tag());
            let others = others.filter(|n| *n != name && existing.contains(*n)).cloned();
            previous.entry(name.clone()).or_default().extend(others);
        }
        previous.retain(|_, others| !others.is_empty());
        let stored_chart_renders_names = rendered.iter().flatten().eq(&solved.names);
        let missing = rendered.into_iter().flatten().filter(|name| !existing.contains(name));
        let dangling = missing.collect::<BTreeSet<_>>().into_iter().collect();
        let pins = Pins::find(hints, values);
        let (names, edits) = (solved.names, Some(with_pins(solved.edits, &pins)));
        Ok(SolvedChart { names, edits, stored_chart_renders_names, previous, dangling, pins })
    }
}

fn with_pins(mut edits: Overrides, pins: &Pins) -> Overrides {
    edits.extend(pins.edits());
    edits
}

/// True where a name can be that of a hint's image in any mode: every mode keeps the tag and the last
/// component of the repository.
fn is_name_of(hint: &Hint, values: &Values, name: &TargetName) -> bool {
    let Ok(original) = hint.reference(values) else { return false };
    let last = |repository: &str| repository.rsplit('/').next().map(ToOwned::to_owned);
    TargetName::tag_of(&original) == name.tag()
        && last(&original.repository()) == last(name.repository())
}

/// The modes that may have turned the original references into these names. The path that some modes
/// need is the part of a name before the part that the mode keeps.
fn candidates<'a>(
    renamed: impl Iterator<Item = (Reference, &'a TargetName)>,
    options: &Options,
) -> Vec<Naming> {
    let mut candidates = vec![options.names.clone()];
    for mode in [NameMode::Registry, NameMode::PrefixRegistry, NameMode::AppendOrigin] {
        candidates.extend(Naming::new(mode, None));
    }
    for (original, name) in renamed {
        let whole = original.repository();
        let last = whole.rsplit('/').next().unwrap_or_default();
        for (mode, kept) in
            [(NameMode::PrefixRepository, whole.as_str()), (NameMode::Repository, last)]
        {
            let path = name.repository().strip_suffix(kept).and_then(|p| p.strip_suffix('/'));
            candidates.extend(path.and_then(|path| Naming::new(mode, Some(path)).ok()));
        }
    }
    let mut distinct: Vec<Naming> = Vec::new();
    for candidate in candidates {
        if !distinct.contains(&candidate) {
            distinct.push(candidate);
        }
    }
    distinct
}
