//! What an earlier import left: the charts that it stored, and the names that it gave.
//!
//! Pure: other modules ask the chart repository and the target, and add the answers here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Options, SolvedChart,
    solved_chart::{StoredNames, agreed_naming},
    stored_chart::StoredChart,
};
use crate::{
    chart::{Naming, TargetName},
    error::{Error, ErrorKind, Result},
    package::{Bundle, Finding, Package, PackageImage},
    run::workers,
};

/// A placeholder to solve names with where charts are not relocated, so that no registry must be given.
const NO_REGISTRY: &str = "target.invalid:1";

/// A chart in one of the chart repositories.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChartKey {
    /// The number of the chart repository.
    pub(crate) repo: usize,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A chart repository's answer: the chart, or why it cannot be read, or that it is not stored.
pub(crate) type StoredAnswer = Result<Option<Result<StoredChart>>>;

/// What an earlier import left.
#[derive(Debug, Default)]
pub(crate) struct EarlierImport {
    /// Where the cluster pulls from; `None` where no charts are relocated.
    registry: Option<String>,
    /// The number of the chart repository for each folder of the packages.
    repos: BTreeMap<String, usize>,
    /// The charts of the packages that are in the chart repositories.
    charts: BTreeMap<ChartKey, Result<StoredChart>>,
    /// The names for each bundle without problems, by positions of package and bundle.
    solved: BTreeMap<(usize, usize), Result<SolvedChart>>,
    /// How the images of all stored charts are named, where that is another way than the options say.
    learned: Option<Naming>,
    /// Images that the target holds under names that no chart renders after this import.
    pub(super) previous: BTreeMap<TargetName, Arc<PackageImage>>,
    pub(super) problems: Vec<Error>,
    pub(super) findings: Vec<Finding>,
}

impl EarlierImport {
    /// Empty. `registry` is where the cluster pulls from, if charts are relocated, and `repos` has the
    /// number of the chart repository for each folder.
    pub(crate) fn new(registry: Option<&str>, repos: BTreeMap<String, usize>) -> Self {
        Self { registry: registry.map(Into::into), repos, ..Self::default() }
    }

    /// Notes folders that the user names and that no package has.
    pub(crate) fn note_unknown_folders(&mut self, folders: &[String], packages: &[Arc<Package>]) {
        let bundles = packages.iter().flat_map(|package| package.bundles());
        let known: BTreeSet<&str> = bundles.map(Bundle::folder).collect();
        let known: Vec<String> = known.into_iter().map(ToOwned::to_owned).collect();
        self.findings.extend(
            folders.iter().map(|folder| Finding::FolderUnknown {
                folder: folder.clone(),
                known: known.clone(),
            }),
        );
    }

    /// The chart of a bundle, in the chart repository that it goes to.
    pub(crate) fn chart_key(&self, bundle: &Bundle) -> ChartKey {
        ChartKey {
            repo: self.repos.get(bundle.folder()).copied().unwrap_or_default(),
            name: bundle.chart_name.clone(),
            version: bundle.chart_version.clone(),
        }
    }

    /// True where the folders of packages have chart repositories of their own.
    pub(super) fn tells_folders(&self) -> bool {
        self.repos.values().any(|number| *number > 0)
    }

    /// The charts that are not stored where they go to, in each other chart repository; `repos` is how many
    /// there are.
    pub(crate) fn keys_elsewhere(
        &self,
        packages: &[Arc<Package>],
        repos: usize,
    ) -> BTreeSet<ChartKey> {
        let bundles = packages.iter().flat_map(|package| package.bundles());
        let absent =
            bundles.map(|b| self.chart_key(b)).filter(|key| !self.charts.contains_key(key));
        let others = absent.flat_map(|key| {
            let others = (0..repos).filter(move |number| *number != key.repo);
            others.map(|repo| ChartKey { repo, ..key.clone() }).collect::<Vec<_>>()
        });
        others.filter(|key| !self.charts.contains_key(key)).collect()
    }

    /// Adds a chart repository's answer for one chart. Where charts are overwritten, a stored chart
    /// that cannot be read counts as absent.
    pub(crate) fn add_stored(&mut self, key: ChartKey, stored: StoredAnswer, options: &Options) {
        let stored = match stored {
            Ok(None) => return,
            Ok(Some(Err(_))) if options.overwrite_charts => return,
            Ok(Some(stored)) => stored,
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
        let (mut stored, mut others) = (BTreeMap::new(), Vec::new());
        let bundles: Vec<_> = sound_bundles(packages).collect();
        let found = workers::map(workers::processors(), &bundles, |(_, bundle)| {
            let chart = self.stored_for_names(bundle)?;
            let names = |chart| StoredNames::find(bundle, chart, options, self.registry());
            Ok(chart.map(names))
        });
        for ((key, bundle), names) in bundles.into_iter().zip(found) {
            match names {
                Ok(Some(names)) => drop(stored.insert(key, (bundle, names))),
                Ok(None) => others.push((key, bundle)),
                Err(error) => drop(self.solved.insert(key, Err(error))),
            }
        }
        self.learned = agreed_naming(stored.values().map(|(_, names)| names), &options.names);
        if let Some(naming) = &self.learned {
            // Their images may be there under such names, from an import that could not store the chart.
            let charts = others.iter().filter(|(_, bundle)| !bundle.images().is_empty());
            let charts: BTreeSet<String> = charts.map(|(_, bundle)| bundle.chart()).collect();
            if !charts.is_empty() {
                let (names, charts) = (naming.clone(), charts.into_iter().collect());
                self.findings.push(Finding::NamesLearned { names, charts });
            }
            for (key, bundle) in others {
                let names = StoredNames::of_absent(bundle, naming, self.registry());
                stored.insert(key, (bundle, names));
            }
        } else {
            for (key, bundle) in others {
                self.solved.insert(key, SolvedChart::new(bundle, options, self.registry()));
            }
        }
        let questions = stored.values().flat_map(|(_, names)| names.questions()).collect();
        let existing = exists(questions)?;
        for (key, (bundle, names)) in stored {
            self.solved.insert(key, names.solve(bundle, &existing, options));
        }
        Ok(())
    }

    /// How images are named of which no stored chart says it.
    pub(super) fn naming<'o>(&'o self, options: &'o Options) -> &'o Naming {
        self.learned.as_ref().unwrap_or(&options.names)
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
        match self.charts.get(&self.chart_key(bundle)) {
            None => Ok(None),
            Some(Ok(stored)) => Ok(Some(stored)),
            Some(Err(error)) => Err(error.clone()),
        }
    }

    /// The same, or else the same chart in another chart repository.
    fn stored_for_names(&self, bundle: &Bundle) -> Result<Option<&StoredChart>> {
        if let Some(stored) = self.stored(bundle)? {
            return Ok(Some(stored));
        }
        let is_same = |key: &ChartKey| {
            (&key.name, &key.version) == (&bundle.chart_name, &bundle.chart_version)
        };
        let mut elsewhere = self.charts.iter().filter(|(key, _)| is_same(key));
        Ok(elsewhere.find_map(|(_, stored)| stored.as_ref().ok()))
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
