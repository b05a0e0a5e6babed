//! Which image of which package goes by which name.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Learned, Options, PlannedUpload,
    learned::HintNames,
    named::{Named, name_bundle, name_loose},
    upload::plan_upload,
};
use crate::{
    chart::{TargetName, compare_versions},
    error::Error,
    fuse::Incoming,
    package::{Bundle, Finding, Package, PackageImage},
};

/// One image that is to be in the target under a name.
#[derive(Clone, Debug)]
pub struct Want<'a> {
    /// The package's place in the list.
    pub package: usize,
    /// The reference in the package.
    pub reference: String,
    /// The image.
    pub image: &'a PackageImage,
    /// What of it comes in: images that gave way to another package's are left out.
    pub incoming: Incoming,
}

impl<'a> Want<'a> {
    fn new(package: usize, reference: String, image: &'a PackageImage) -> Self {
        Self { package, reference, image, incoming: image.incoming.clone() }
    }
}

/// Everything that a run wants to have in the target.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// Charts in the order of the packages; those of one name and version together.
    pub(super) charts: Vec<WantedChart>,
    /// Images by the name they get.
    pub(super) images: BTreeMap<TargetName, Vec<Want<'a>>>,
    pub(super) findings: Vec<Finding>,
    pub(super) problems: Vec<Error>,
    /// Those that were given, and behind them what the target holds under earlier names.
    pub(crate) packages: Vec<&'a Package>,
    pub(super) given: usize,
    pub(crate) options: Options,
}

/// A chart: bundles of one name and version from all packages. Without a chart: loose images.
#[derive(Debug, Default)]
pub(super) struct WantedChart {
    pub(super) chart: Option<String>,
    pub(super) bundles: Vec<String>,
    pub(super) images: BTreeSet<TargetName>,
    /// Names that its hints render, of images that no package holds: they must be there.
    pub(super) needed: BTreeSet<TargetName>,
    pub(super) upload: Option<PlannedUpload>,
    pub(super) problems: Vec<Error>,
}

impl<'a> Wanted<'a> {
    /// Names every image of these packages. What cannot be named blocks its chart.
    pub fn new(packages: impl IntoIterator<Item = &'a Package>, options: &Options) -> Self {
        Self::named(packages.into_iter().collect(), options, &Learned::default(), None)
    }

    /// The same with what an earlier import tells; charts are relocated then, if they are to go
    /// somewhere.
    pub fn with(
        packages: impl IntoIterator<Item = &'a Package>,
        options: &Options,
        learned: &'a Learned,
    ) -> Self {
        let earlier = learned.earlier.as_ref();
        Self::named(packages.into_iter().collect(), options, learned, earlier)
    }

    fn named(
        given: Vec<&'a Package>,
        options: &Options,
        learned: &Learned,
        earlier: Option<&'a Package>,
    ) -> Self {
        let packages = given.iter().copied().chain(earlier).collect();
        let mut wanted =
            Self { packages, given: given.len(), options: options.clone(), ..Self::default() };
        let mut places = BTreeMap::new();
        let mut named = Vec::new();
        for (index, package) in given.iter().enumerate() {
            wanted.findings.extend(package.findings().iter().cloned());
            for bundle in package.bundles() {
                let place = *places.entry(bundle.chart()).or_insert_with(|| {
                    let chart = Some(bundle.chart());
                    wanted.charts.push(WantedChart { chart, ..WantedChart::default() });
                    wanted.charts.len() - 1
                });
                let names = wanted.add_bundle(place, index, bundle, learned);
                named.extend(names.map(|names| Named { place, package, bundle, names }));
            }
            if !package.images().is_empty() {
                wanted.charts.push(WantedChart::default());
                wanted.add_loose(index, package);
            }
        }
        wanted.add_earlier(&named);
        wanted.settle_clashes();
        if learned.registry.is_some() {
            wanted.relocate_charts(named, learned);
        }
        wanted
    }

    /// Relocates each chart once, for the latest of its packages.
    fn relocate_charts(&mut self, mut named: Vec<Named<'a>>, learned: &Learned) {
        named.sort_by(|a, b| {
            let version = |n: &Named<'_>| n.package.name().version.clone().unwrap_or_default();
            let order = compare_versions(&version(b), &version(a)).unwrap_or(Ordering::Equal);
            let listing = |n: &Named<'_>| n.package.identity().listing.clone();
            order.then_with(|| listing(a).cmp(&listing(b)))
        });
        for Named { place, package, bundle, names } in named {
            let chart = &mut self.charts[place];
            if chart.upload.is_some() || !chart.problems.is_empty() {
                continue;
            }
            let findings = &mut self.findings;
            match plan_upload(package, bundle, &names, learned, &self.options, findings) {
                Ok(upload) => chart.upload = Some(upload),
                Err(error) => {
                    let error = error.in_package(package.path()).in_bundle(bundle.path());
                    chart.problems.push(error);
                    chart.images.clear();
                }
            }
        }
        self.drop_unused();
    }

    /// Images that the target holds under other names come in beside those of the packages.
    fn add_earlier(&mut self, named: &[Named<'a>]) {
        let Some(earlier) = self.packages.get(self.given).copied() else { return };
        let mut done = BTreeSet::new();
        for (name, sources) in named.iter().flat_map(|named| &named.names.earlier) {
            let Some(wants) = self.images.get_mut(name).filter(|_| done.insert(name.clone()))
            else {
                continue;
            };
            for source in sources {
                let image = earlier.images().iter().find(|i| i.references == [source.to_string()]);
                let Some(image) = image else { continue };
                wants.push(Want::new(self.given, source.to_string(), image));
            }
            let from = sources.iter().cloned().collect();
            self.findings.push(Finding::Mended { image: name.to_string(), from });
        }
    }

    /// Adds something that was asked for and cannot be had, such as a package that is none.
    pub fn add_problem(&mut self, error: Error) {
        self.problems.push(error);
    }

    /// Everything that keeps something from being imported.
    pub fn problems(&self) -> impl Iterator<Item = &Error> {
        let given = self.packages[..self.given].iter();
        let packages = given.flat_map(|package| package.problems());
        packages.chain(&self.problems).chain(self.charts.iter().flat_map(|chart| &chart.problems))
    }

    /// The names, each with what is wanted under it.
    pub fn images(&self) -> impl Iterator<Item = (&TargetName, &[Want<'a>])> {
        self.images.iter().map(|(name, wants)| (name, wants.as_slice()))
    }

    /// The charts, each with the names of its images.
    pub fn charts(&self) -> impl Iterator<Item = (&str, &BTreeSet<TargetName>)> {
        self.charts.iter().filter_map(|chart| Some((chart.chart.as_deref()?, &chart.images)))
    }

    /// What the target itself holds under earlier names.
    pub(crate) fn earlier(&self) -> impl Iterator<Item = &Package> {
        self.packages[self.given..].iter().copied()
    }

    /// Names that must be there, and that no package brings.
    pub(crate) fn needed(&self) -> impl Iterator<Item = &TargetName> {
        let charts = self.charts.iter().filter(|chart| chart.upload.is_some());
        charts.flat_map(|chart| &chart.needed).filter(|name| !self.images.contains_key(*name))
    }

    /// What is wanted under a name.
    pub fn image(&self, name: &TargetName) -> &[Want<'a>] {
        self.images.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// A bundle sends either everything or nothing.
    fn add_bundle(
        &mut self,
        place: usize,
        index: usize,
        bundle: &'a Bundle,
        learned: &Learned,
    ) -> Option<HintNames> {
        self.charts[place].bundles.push(bundle.path().into());
        self.charts[place].problems.extend(bundle.problems().iter().map(Error::copy));
        if !bundle.problems().is_empty() {
            return None;
        }
        let named = learned.names(bundle, &self.options);
        let images =
            named.and_then(|named| Ok((name_bundle(bundle, &named, &self.options)?, named)));
        match images {
            Ok((images, named)) => {
                if !bundle.has_images {
                    self.charts[place].needed.extend(named.names.iter().cloned());
                }
                for (name, reference, image) in images {
                    self.charts[place].images.insert(name.clone());
                    let want = Want::new(index, reference, image);
                    self.images.entry(name).or_default().push(want);
                }
                Some(named)
            }
            Err(error) => {
                let package = self.packages[index];
                let error = error.in_package(package.path()).in_bundle(bundle.path());
                self.charts[place].problems.push(error);
                None
            }
        }
    }

    fn add_loose(&mut self, index: usize, package: &'a Package) {
        for image in package.images() {
            let named = name_loose(image, &self.options);
            let Some(chart) = self.charts.last_mut() else { return };
            match named {
                Ok(named) => {
                    for (name, reference) in named {
                        chart.images.insert(name.clone());
                        let want = Want::new(index, reference, image);
                        self.images.entry(name).or_default().push(want);
                    }
                }
                Err(error) => chart.problems.push(error.in_package(package.path())),
            }
        }
    }
}
