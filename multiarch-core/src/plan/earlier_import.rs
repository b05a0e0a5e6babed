//! What an earlier import left: the charts that it stored, and the names that it gave.
//!
//! Pure: other modules ask the chart repository and the target, and add the answers here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Options, SolvedChart, solved_chart::StoredNames, stored_chart::StoredChart};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    package::{Bundle, Package, PackageImage},
};

/// A placeholder to solve names with where charts are not relocated, so that no registry must be given.
const NO_REGISTRY: &str = "target.invalid:1";

/// What an earlier import left.
#[derive(Debug, Default)]
pub(crate) struct EarlierImport {
    /// Where the cluster pulls from; `None` where no charts are relocated.
    registry: Option<String>,
    /// The charts of the packages that are in the chart repository, by name and version.
    charts: BTreeMap<(String, String), Result<StoredChart>>,
    /// The names for each bundle without problems, by positions of package and bundle.
    solved: BTreeMap<(usize, usize), Result<SolvedChart>>,
    /// Images that the target holds under names that no chart renders after this import.
    pub(super) previous: BTreeMap<TargetName, Arc<PackageImage>>,
    pub(super) problems: Vec<Error>,
}

impl EarlierImport {
    /// Empty. `registry` is where the cluster pulls from, if charts are relocated.
    pub(crate) fn new(registry: Option<&str>) -> Self {
        Self { registry: registry.map(Into::into), ..Self::default() }
    }

    /// Adds the chart repository's answer for one chart. Where charts are overwritten, a stored chart
    /// that cannot be read counts as absent.
    pub(crate) fn add_stored(
        &mut self,
        key: (String, String),
        packed: Result<Option<Vec<u8>>>,
        options: &Options,
    ) {
        let stored = match packed.map(|packed| packed.map(|packed| StoredChart::unpack(&packed))) {
            Ok(None) => return,
            Ok(Some(Err(_))) if options.overwrite_charts => return,
            Ok(Some(Err(error))) => {
                let message = "the chart in the chart repository cannot be read";
                Err(Error::caused_by(ErrorKind::ChartConflict, message, error))
            }
            Ok(Some(Ok(stored))) => Ok(stored),
            Err(error) => Err(error),
        };
        self.charts.insert(key, stored);
    }

    /// Finds the names of all bundles' images. `exists` returns those of the given names that the target
    /// holds; it is called once.
    ///
    /// # Errors
    /// Those of `exists`.
    pub(crate) fn solve(
        &mut self,
        packages: &[Arc<Package>],
        options: &Options,
        exists: impl FnOnce(BTreeSet<TargetName>) -> Result<BTreeSet<TargetName>>,
    ) -> Result<()> {
        let mut stored = BTreeMap::new();
        for (key, bundle) in sound_bundles(packages) {
            let names = match self.stored(bundle) {
                Ok(Some(chart)) => StoredNames::find(bundle, chart, options, self.registry()),
                Ok(None) => {
                    self.solved.insert(key, SolvedChart::new(bundle, options, self.registry()));
                    continue;
                }
                Err(error) => {
                    self.solved.insert(key, Err(error));
                    continue;
                }
            };
            stored.insert(key, (bundle, names));
        }
        let questions = stored.values().flat_map(|(_, names)| names.questions()).collect();
        let existing = exists(questions)?;
        for (key, (bundle, names)) in stored {
            self.solved.insert(key, names.solve(bundle, &existing, options));
        }
        Ok(())
    }

    /// The names in the target whose images get new names.
    pub(crate) fn previous_names(&self) -> BTreeSet<TargetName> {
        let solved = self.solved.values().flatten();
        solved.flat_map(|solved| solved.previous.values().flatten().cloned()).collect()
    }

    /// Adds the image that the target holds under a previous name.
    pub(crate) fn add_previous(&mut self, name: TargetName, image: Result<Option<PackageImage>>) {
        match image {
            Ok(Some(image)) => drop(self.previous.insert(name, Arc::new(image))),
            Ok(None) => {}
            Err(error) => self.problems.push(error.of_image(name)),
        }
    }

    /// True where charts are relocated.
    pub(super) fn relocates(&self) -> bool {
        self.registry.is_some()
    }

    /// The registry that charts are relocated to, or the placeholder.
    pub(crate) fn registry(&self) -> &str {
        self.registry.as_deref().unwrap_or(NO_REGISTRY)
    }

    /// The stored chart of a bundle.
    pub(super) fn stored(&self, bundle: &Bundle) -> Result<Option<&StoredChart>> {
        match self.charts.get(&bundle.chart_key()) {
            None => Ok(None),
            Some(Ok(stored)) => Ok(Some(stored)),
            Some(Err(error)) => Err(error.clone()),
        }
    }

    /// The names of a bundle's images.
    pub(super) fn solved(&self, key: (usize, usize)) -> Result<&SolvedChart> {
        match self.solved.get(&key) {
            Some(Ok(solved)) => Ok(solved),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::new(ErrorKind::Usage, "the names of this chart were not solved")),
        }
    }
}

/// Every bundle without problems, with its position: package and bundle.
fn sound_bundles(packages: &[Arc<Package>]) -> impl Iterator<Item = ((usize, usize), &Bundle)> {
    packages.iter().enumerate().flat_map(|(package, opened)| {
        let bundles = opened.bundles().iter().enumerate();
        let sound = bundles.filter(|(_, bundle)| bundle.problems().is_empty());
        sound.map(move |(number, bundle)| ((package, number), bundle))
    })
}

impl Bundle {
    /// Name and version of its chart.
    pub(crate) fn chart_key(&self) -> (String, String) {
        (self.chart_name.clone(), self.chart_version.clone())
    }
}
