//! What the chart repository and the target tell of an earlier import: the names that images got.
//!
//! Pure: whoever asks the repository and the target fills it in.

use std::collections::{BTreeMap, BTreeSet};

use super::Options;
use crate::{
    chart::{
        Chart, ChartFiles, Hint, NameMode, Naming, Overrides, TargetName, Values, relocate,
        rendered_alone,
    },
    error::{Error, ErrorKind, Result},
    image::Reference,
    package::{Bundle, Package},
};

/// Stands for the registry's host where charts go nowhere and nobody has to know it.
const SOMEWHERE: &str = "target.invalid:1";

/// What an earlier import left.
#[derive(Debug, Default)]
pub struct Learned {
    /// Where the cluster pulls from; `None` where no charts are relocated.
    pub(crate) registry: Option<String>,
    /// The charts of the packages that the chart repository holds, by name and version.
    pub(crate) charts: BTreeMap<(String, String), Result<StoredChart>>,
    /// Names that the target holds, of those that were looked up.
    pub(crate) existing: BTreeSet<TargetName>,
    /// The images that the target holds under names that no chart will render any more.
    pub(crate) earlier: Option<Package>,
}

/// A chart in the chart repository.
#[derive(Debug)]
pub(crate) struct StoredChart {
    pub(crate) files: ChartFiles,
    chart: Chart,
}

impl StoredChart {
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self> {
        let files = ChartFiles::unpack(packed)?;
        let chart = Chart::load(&files)?;
        Ok(Self { files, chart })
    }

    /// The names below the registry that these hints render; `None` for what is elsewhere or cannot
    /// be rendered.
    fn names(&self, hints: &[Hint], registry: &str) -> Vec<Option<TargetName>> {
        let values = self.chart.merged_values();
        let name = |hint: &Hint| TargetName::below(registry, &hint.reference(&values).ok()?);
        hints.iter().map(name).collect()
    }
}

/// The names of a bundle's images, and how the chart is made to render them.
pub(crate) struct HintNames {
    /// By hint.
    pub(crate) names: Vec<TargetName>,
    /// The values that change for that; `None` where the stored chart renders the names, and nothing
    /// is known that would make the original do so.
    pub(crate) edits: Option<Overrides>,
    /// The stored chart renders exactly these names.
    pub(crate) are_stored: bool,
    /// Names under which the target holds images that belong under a new one.
    pub(crate) earlier: BTreeMap<TargetName, BTreeSet<TargetName>>,
    /// Names that the stored chart renders, and nobody pushed.
    pub(crate) dangling: Vec<TargetName>,
}

impl Learned {
    /// The registry in which names are.
    pub(crate) fn place(&self) -> &str {
        self.registry.as_deref().unwrap_or(SOMEWHERE)
    }

    /// The stored chart of a bundle.
    pub(crate) fn stored(&self, bundle: &Bundle) -> Result<Option<&StoredChart>> {
        match self.charts.get(&bundle.key()) {
            None => Ok(None),
            Some(Ok(stored)) => Ok(Some(stored)),
            Some(Err(error)) => Err(error.copy()),
        }
    }

    /// The names of a bundle's images: those that the stored chart renders, if all of them are in the
    /// target; otherwise those of the mode that it was relocated by, or else of the options.
    pub(crate) fn names(&self, bundle: &Bundle, options: &Options) -> Result<HintNames> {
        let (hints, values, place) = (bundle.hints(), &bundle.values, self.place());
        let Some(stored) = self.stored(bundle)? else {
            let solved = relocate(hints, values, &options.names, place)?;
            return Ok(HintNames {
                names: solved.names,
                edits: Some(solved.edits),
                are_stored: false,
                earlier: BTreeMap::new(),
                dangling: Vec::new(),
            });
        };
        let rendered = stored.names(hints, place);
        let naming = self.naming(bundle, &rendered, options);
        let solved = relocate(hints, values, &naming, place);
        let all: Option<Vec<TargetName>> = rendered.iter().cloned().collect();
        let are_ours = |names: &Vec<TargetName>| {
            let there = names.iter().all(|name| self.existing.contains(name));
            there && hints.iter().zip(names).all(|(hint, name)| is_name_of(hint, values, name))
        };
        if let Some(names) = all.filter(are_ours) {
            let fits = solved.as_ref().ok().filter(|solved| solved.names == names);
            let edits = fits.map(|solved| solved.edits.clone());
            // A chart that is to be made anew needs a mode that says how.
            if edits.is_some() || !options.overwrite_charts {
                let (earlier, dangling) = Default::default();
                return Ok(HintNames { names, edits, are_stored: true, earlier, dangling });
            }
        }
        let solved = solved?;
        let mut earlier: BTreeMap<TargetName, BTreeSet<TargetName>> = BTreeMap::new();
        for ((name, pushed), rendered) in solved.names.iter().zip(&solved.pushed).zip(&rendered) {
            let older = [Some(pushed), rendered.as_ref()].into_iter().flatten();
            let older = older.filter(|older| older.tag() == name.tag());
            let older = older.filter(|n| *n != name && self.existing.contains(*n)).cloned();
            let sources = earlier.entry(name.clone()).or_default();
            sources.extend(older);
        }
        earlier.retain(|_, sources| !sources.is_empty());
        let are_stored = rendered.iter().flatten().eq(&solved.names);
        let missing = rendered.into_iter().flatten().filter(|n| !self.existing.contains(n));
        let dangling = missing.collect::<BTreeSet<_>>().into_iter().collect();
        Ok(HintNames {
            names: solved.names,
            edits: Some(solved.edits),
            are_stored,
            earlier,
            dangling,
        })
    }

    /// Every name that may tell something, for the target to be asked.
    pub(crate) fn questions(
        &self,
        packages: &[&Package],
        options: &Options,
    ) -> BTreeSet<TargetName> {
        let mut names = BTreeSet::new();
        for bundle in packages.iter().flat_map(|package| package.bundles()) {
            let Ok(Some(stored)) = self.stored(bundle) else { continue };
            let rendered = stored.names(bundle.hints(), self.place());
            let naming = self.naming(bundle, &rendered, options);
            let solved = relocate(bundle.hints(), &bundle.values, &naming, self.place());
            names.extend(rendered.into_iter().flatten());
            names.extend(solved.into_iter().flat_map(|solved| solved.pushed));
        }
        names
    }

    /// The names whose images belong under new ones.
    pub(crate) fn sources(&self, packages: &[&Package], options: &Options) -> BTreeSet<TargetName> {
        let bundles = packages.iter().flat_map(|package| package.bundles());
        let named = bundles.filter_map(|bundle| self.names(bundle, options).ok());
        named.flat_map(|named| named.earlier.into_values().flatten()).collect()
    }

    /// The mode by which the stored chart was relocated, as far as what it renders tells.
    fn naming(
        &self,
        bundle: &Bundle,
        rendered: &[Option<TargetName>],
        options: &Options,
    ) -> Naming {
        let Some(rendered) = rendered.iter().cloned().collect::<Option<Vec<_>>>() else {
            return options.names.clone();
        };
        let (hints, values, place) = (bundle.hints(), &bundle.values, self.place());
        let explains = |naming: &Naming| {
            rendered_alone(hints, values, naming, place).is_ok_and(|names| names == rendered)
                || relocate(hints, values, naming, place).is_ok_and(|s| s.names == rendered)
        };
        let originals = hints.iter().filter_map(|hint| hint.reference(values).ok());
        let modes = candidates(originals.zip(&rendered), options);
        modes.into_iter().find(explains).unwrap_or_else(|| options.names.clone())
    }
}

/// True where a name can be that of a hint's image, whatever the mode: every mode keeps the tag, and
/// the last component of the repository.
fn is_name_of(hint: &Hint, values: &Values, name: &TargetName) -> bool {
    let Ok(original) = hint.reference(values) else { return false };
    let last = |repository: &str| repository.rsplit('/').next().map(ToOwned::to_owned);
    TargetName::tag_of(&original) == name.tag()
        && last(&original.repository()) == last(name.repository())
}

/// Modes that may explain how originals became these names: paths are what stands before what a mode
/// keeps.
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
    candidates
}

impl Bundle {
    /// Name and version of its chart.
    pub(crate) fn key(&self) -> (String, String) {
        (self.chart_name.clone(), self.chart_version.clone())
    }
}

/// What a chart repository said when it was asked for a chart. One that cannot be read is as good as
/// none where charts are overwritten.
pub(crate) fn stored_chart(
    answer: Result<Option<Vec<u8>>>,
    options: &Options,
) -> Option<Result<StoredChart>> {
    match answer.map(|packed| packed.map(|packed| StoredChart::unpack(&packed))) {
        Ok(None) => None,
        Ok(Some(Err(_))) if options.overwrite_charts => None,
        Ok(Some(Err(error))) => {
            let message = "the chart in the chart repository cannot be read";
            Some(Err(Error::caused_by(ErrorKind::ChartConflict, message, error)))
        }
        Ok(Some(Ok(stored))) => Some(Ok(stored)),
        Err(error) => Some(Err(error)),
    }
}
