//! The images and charts that an import brings, under their names in the target.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    ChartAction, EarlierImport, NamedImage, Options, Origin, PlannedUpload,
    named_image::{left_out_names, name_bundle, name_loose},
    titled,
};
use crate::{
    chart::{Naming, TargetName},
    error::Error,
    package::{Bundle, Finding, Package},
};

/// The images and charts of all packages of an import.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    /// Charts in the order of the packages; those of one name and version are one entry.
    pub(super) charts: Vec<NamedChart>,
    /// Images by their name in the target.
    pub(super) images: BTreeMap<TargetName, Vec<NamedImage>>,
    /// What goes along with images, such as signatures: each name with those of the images.
    referrers: BTreeMap<TargetName, BTreeSet<TargetName>>,
    pub(super) findings: Vec<Finding>,
    pub(super) problems: Vec<Error>,
    pub(crate) packages: Vec<Arc<Package>>,
    pub(crate) options: Options,
}

/// A chart: the bundles of one name and version from all packages. Or, where `chart` is `None`, the
/// images of a package that belong to no chart.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedChart {
    pub(super) chart: Option<String>,
    /// The folder of the package, where the folders have chart repositories of their own.
    pub(super) folder: Option<String>,
    pub(super) bundles: Vec<String>,
    pub(super) images: BTreeSet<TargetName>,
    /// Names that the target must have where no package brings them: those that its hints render if the
    /// bundle has no images, and those that Helm renders.
    pub(super) needed: BTreeSet<TargetName>,
    /// Those of its images that the user left out. The chart is uploaded where the target has them.
    pub(super) left_out: BTreeSet<TargetName>,
    /// The bundles that can be relocated, as positions of package and bundle.
    pub(super) relocatable: Vec<(usize, usize)>,
    pub(super) upload: Option<PlannedUpload>,
    pub(super) problems: Vec<Error>,
}

impl Inventory {
    /// Names every image of these packages. An image that cannot be named blocks its chart. `problems`
    /// are errors found before, such as a file that is not a package.
    pub(crate) fn new(
        packages: &[Arc<Package>],
        options: &Options,
        earlier: &EarlierImport,
        problems: Vec<Error>,
    ) -> Self {
        let options_given = options;
        let (packages, options) = (packages.to_vec(), options.clone());
        let mut inventory = Self { packages, options, problems, ..Self::default() };
        inventory.problems.extend(earlier.problems.iter().cloned());
        inventory.findings.extend(earlier.findings.iter().cloned());
        let mut places = BTreeMap::new();
        for (number, package) in inventory.packages.clone().iter().enumerate() {
            inventory.findings.extend(package.findings().iter().cloned());
            for (bundle_number, bundle) in package.bundles().iter().enumerate() {
                let chart_key = earlier.chart_key(bundle);
                let place = *places.entry(chart_key).or_insert_with(|| {
                    let folder = earlier.tells_folders().then(|| bundle.folder().to_owned());
                    let chart = Some(bundle.chart());
                    inventory.charts.push(NamedChart { chart, folder, ..NamedChart::default() });
                    inventory.charts.len() - 1
                });
                inventory.add_bundle(place, (number, bundle_number), bundle, earlier);
            }
            if !package.images().is_empty() {
                inventory.add_loose(number, package, earlier.naming(options_given));
            }
        }
        inventory.add_previous(earlier);
        inventory.settle_clashes();
        inventory
    }

    /// Adds a bundle's images; none of them where one fails, because a bundle is sent as a whole.
    fn add_bundle(
        &mut self,
        place: usize,
        key: (usize, usize),
        bundle: &Bundle,
        earlier: &EarlierImport,
    ) {
        let chart = &mut self.charts[place];
        chart.bundles.push(bundle.path().into());
        chart.problems.extend(bundle.problems().iter().cloned());
        if !bundle.problems().is_empty() {
            self.add_images_of_blocked(place, key, bundle, earlier);
            return;
        }
        let named = earlier.solved(key).and_then(|solved| {
            let place = (self.packages[key.0].path(), Origin::Package(key.0));
            let naming = earlier.naming(&self.options);
            Ok((name_bundle(bundle, solved, place, &self.options, naming)?, solved))
        });
        match named {
            Ok((images, solved)) => {
                if !bundle.has_images {
                    chart.needed.extend(solved.names.iter().cloned());
                }
                chart.left_out.extend(left_out_names(bundle, solved).cloned());
                chart.relocatable.push(key);
                chart.images.extend(images.iter().map(|image| image.name.clone()));
                self.add_images(images);
            }
            Err(error) => {
                let package = self.packages[key.0].path();
                chart.problems.push(error.in_package(package).in_bundle(bundle.path()));
                self.add_images_of_blocked(place, key, bundle, earlier);
            }
        }
    }

    /// Adds the images that the bundle of a blocked chart names, where the options say so.
    fn add_images_of_blocked(
        &mut self,
        place: usize,
        key: (usize, usize),
        bundle: &Bundle,
        earlier: &EarlierImport,
    ) {
        if !self.options.images_of_blocked_charts {
            return;
        }
        let at = (self.packages[key.0].path(), Origin::Package(key.0));
        let naming = earlier.naming(&self.options);
        let images = bundle.images().iter().filter(|image| !image.references.is_empty());
        let named = images.filter_map(|image| name_loose(image, at, &self.options, naming).ok());
        let named: Vec<NamedImage> = named.flatten().collect();
        self.charts[place].images.extend(named.iter().map(|image| image.name.clone()));
        self.add_images(named);
    }

    /// Adds the images of a package that belong to no chart.
    fn add_loose(&mut self, number: usize, package: &Package, naming: &Naming) {
        let mut chart = NamedChart::default();
        let place = (package.path(), Origin::Package(number));
        for image in package.images() {
            match name_loose(image, place, &self.options, naming) {
                Ok(named) => {
                    chart.images.extend(named.iter().map(|image| image.name.clone()));
                    self.add_images(named);
                }
                Err(error) => chart.problems.push(error.in_package(package.path())),
            }
        }
        self.charts.push(chart);
    }

    fn add_images(&mut self, named: Vec<NamedImage>) {
        for image in named {
            let mut referrers = image.referrers();
            if self.options.keep_children_tagged {
                referrers.extend(image.tagged_manifests());
            }
            for referrer in referrers {
                let subjects = self.referrers.entry(referrer.name.clone()).or_default();
                subjects.insert(image.name.clone());
                self.images.entry(referrer.name.clone()).or_default().push(referrer);
            }
            self.images.entry(image.name.clone()).or_default().push(image);
        }
    }

    /// The names of what goes along with these images.
    pub(super) fn referrers_of(&self, images: &BTreeSet<TargetName>) -> BTreeSet<TargetName> {
        let referrers = self.referrers.iter();
        let referrers = referrers.filter(|(_, subjects)| !subjects.is_disjoint(images));
        referrers.map(|(name, _)| name.clone()).collect()
    }

    /// The names of the images, without what goes along with them.
    pub(crate) fn image_names(&self) -> impl Iterator<Item = &TargetName> {
        self.charts.iter().flat_map(|chart| &chart.images)
    }

    /// Adds images that the target holds under previous names, to be fused under their new names.
    fn add_previous(&mut self, earlier: &EarlierImport) {
        let mut done = BTreeSet::new();
        let keys: Vec<(usize, usize)> =
            self.charts.iter().flat_map(|chart| chart.relocatable.iter().copied()).collect();
        for solved in keys.into_iter().filter_map(|key| earlier.solved(key).ok()) {
            for (name, sources) in &solved.previous {
                let Some(images) = self.images.get_mut(name).filter(|_| done.insert(name.clone()))
                else {
                    continue;
                };
                for source in sources {
                    let Some(image) = earlier.previous.get(source) else { continue };
                    let reference = source.to_string();
                    images.push(NamedImage::new(name.clone(), Origin::Target, reference, image));
                }
                let from = sources.iter().cloned().collect();
                self.findings.push(Finding::Mended { image: name.to_string(), from });
            }
        }
    }

    /// All errors that keep something from being imported.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &Error> {
        let charts = self.charts.iter().flat_map(|chart| &chart.problems);
        self.problems_of_no_chart().chain(charts)
    }

    /// The errors among them that belong to no chart.
    pub(super) fn problems_of_no_chart(&self) -> impl Iterator<Item = &Error> {
        self.packages.iter().flat_map(|package| package.problems()).chain(&self.problems)
    }

    /// The names in the target, each with its images.
    pub(crate) fn images(&self) -> impl Iterator<Item = (&TargetName, &[NamedImage])> {
        self.images.iter().map(|(name, images)| (name, images.as_slice()))
    }

    /// The images of one name.
    pub(crate) fn image(&self, name: &TargetName) -> &[NamedImage] {
        self.images.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The charts, each with the names of its images.
    pub(crate) fn charts(&self) -> impl Iterator<Item = (String, &BTreeSet<TargetName>)> {
        self.charts.iter().filter_map(|chart| {
            let title = titled(chart.chart.as_ref(), chart.folder.as_ref())?;
            Some((title, &chart.images))
        })
    }

    /// The names of the charts that the chart repository does not have.
    pub(crate) fn charts_not_stored(&self) -> BTreeSet<String> {
        let is_new = |chart: &&NamedChart| {
            chart.upload.as_ref().is_some_and(|upload| upload.action == ChartAction::Upload)
        };
        let new = self.charts.iter().filter(is_new);
        new.filter_map(|chart| titled(chart.chart.as_ref(), chart.folder.as_ref())).collect()
    }

    /// Names that charts to be uploaded need in the target, and that no package brings.
    pub(crate) fn needed(&self) -> impl Iterator<Item = &TargetName> {
        let charts = self.charts.iter().filter(|chart| chart.upload.is_some());
        let needed = charts.flat_map(|chart| chart.needed.iter().chain(&chart.left_out));
        needed.filter(|name| !self.images.contains_key(*name))
    }

    /// Removes images that no chart has any more.
    pub(super) fn drop_unused(&mut self) {
        let mut used: BTreeSet<TargetName> = self.image_names().cloned().collect();
        used.extend(self.referrers_of(&used));
        self.images.retain(|name, _| used.contains(name));
    }
}
