//! Which image of which package goes by which name.

use std::collections::{BTreeMap, BTreeSet};

use super::Options;
use crate::{
    chart::{TargetName, is_newer},
    error::{Error, ErrorKind, Result},
    image::{PlatformKey, Reference},
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
    pub(crate) packages: Vec<&'a Package>,
    pub(crate) options: Options,
}

/// A chart: bundles of one name and version from all packages. Without a chart: loose images.
#[derive(Debug, Default)]
pub(super) struct WantedChart {
    pub(super) chart: Option<String>,
    pub(super) bundles: Vec<String>,
    pub(super) images: BTreeSet<TargetName>,
    pub(super) problems: Vec<Error>,
}

impl<'a> Wanted<'a> {
    /// Names every image of these packages. What cannot be named blocks its chart.
    pub fn new(packages: impl IntoIterator<Item = &'a Package>, options: &Options) -> Self {
        let packages: Vec<_> = packages.into_iter().collect();
        let mut wanted =
            Self { packages: packages.clone(), options: options.clone(), ..Self::default() };
        let mut places = BTreeMap::new();
        for (index, package) in packages.iter().enumerate() {
            wanted.findings.extend(package.findings().iter().cloned());
            for bundle in package.bundles() {
                let place = *places.entry(bundle.chart()).or_insert_with(|| {
                    let chart = Some(bundle.chart());
                    wanted.charts.push(WantedChart { chart, ..WantedChart::default() });
                    wanted.charts.len() - 1
                });
                wanted.add_bundle(place, index, package, bundle);
            }
            if !package.images().is_empty() {
                wanted.charts.push(WantedChart::default());
                wanted.add_loose(index, package);
            }
        }
        wanted.settle_clashes();
        wanted
    }

    /// Adds something that was asked for and cannot be had, such as a package that is none.
    pub fn add_problem(&mut self, error: Error) {
        self.problems.push(error);
    }

    /// The names, each with what is wanted under it.
    pub fn images(&self) -> impl Iterator<Item = (&TargetName, &[Want<'a>])> {
        self.images.iter().map(|(name, wants)| (name, wants.as_slice()))
    }

    /// The charts, each with the names of its images.
    pub fn charts(&self) -> impl Iterator<Item = (&str, &BTreeSet<TargetName>)> {
        self.charts.iter().filter_map(|chart| Some((chart.chart.as_deref()?, &chart.images)))
    }

    /// What is wanted under a name.
    pub fn image(&self, name: &TargetName) -> &[Want<'a>] {
        self.images.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// A bundle sends either everything or nothing.
    fn add_bundle(&mut self, place: usize, index: usize, package: &'a Package, bundle: &'a Bundle) {
        self.charts[place].bundles.push(bundle.path().into());
        self.charts[place].problems.extend(bundle.problems().iter().map(Error::copy));
        if !bundle.problems().is_empty() {
            return;
        }
        match name_bundle(bundle, &self.options) {
            Ok(named) => {
                for (name, reference, image) in named {
                    self.charts[place].images.insert(name.clone());
                    let want = Want { package: index, reference, image };
                    self.images.entry(name).or_default().push(want);
                }
            }
            Err(error) => {
                let error = error.in_package(package.path()).in_bundle(bundle.path());
                self.charts[place].problems.push(error);
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
                        let want = Want { package: index, reference, image };
                        self.images.entry(name).or_default().push(want);
                    }
                }
                Err(error) => chart.problems.push(error.in_package(package.path())),
            }
        }
    }

    /// Two different images on one name and platform: the later package's, if both mean the same
    /// reference; otherwise neither chart can be right.
    fn settle_clashes(&mut self) {
        let mut blocked: BTreeMap<TargetName, String> = BTreeMap::new();
        for (name, wants) in &mut self.images {
            // The order of the packages on the command line must not matter.
            wants.sort_by_key(|want| {
                (
                    want.image.incoming.is_mislabelled(),
                    want.image.incoming.document().digest().clone(),
                )
            });
            while let Some((loser, winner)) = clash(wants, &self.packages, name, &mut blocked) {
                let lost = wants.remove(loser);
                let kept = if winner > loser { winner - 1 } else { winner };
                self.findings.push(Finding::Superseded {
                    image: name.to_string(),
                    package: self.packages[wants[kept].package].path().into(),
                    instead_of: self.packages[lost.package].path().into(),
                });
            }
        }
        for (name, message) in &blocked {
            for chart in self.charts.iter_mut().filter(|chart| chart.images.contains(name)) {
                let error = Error::new(ErrorKind::NameClash, message).of_image(name);
                chart.problems.push(match &chart.chart {
                    Some(_) => error.in_bundle(chart.bundles.join(", ")),
                    None => error,
                });
                match chart.chart {
                    Some(_) => chart.images.clear(),
                    None => {
                        chart.images.remove(name);
                    }
                }
            }
        }
        let used: BTreeSet<&TargetName> = self.charts.iter().flat_map(|c| &c.images).collect();
        self.images.retain(|name, _| used.contains(name));
    }
}

/// Finds two images that cannot both be right, and which of them gives way; a clash that nothing
/// settles is noted as blocking.
fn clash(
    wants: &[Want<'_>],
    packages: &[&Package],
    name: &TargetName,
    blocked: &mut BTreeMap<TargetName, String>,
) -> Option<(usize, usize)> {
    for (i, a) in wants.iter().enumerate() {
        for (j, b) in wants.iter().enumerate().skip(i + 1) {
            let Some(platform) = differ(a, b) else { continue };
            let version =
                |want: &Want<'_>| packages[want.package].name().version.clone().unwrap_or_default();
            if same_reference(&a.reference, &b.reference) {
                if is_newer(&version(a), &version(b)) {
                    return Some((j, i));
                }
                if is_newer(&version(b), &version(a)) {
                    return Some((i, j));
                }
            }
            // Mislabelled ones sort last.
            if b.image.incoming.is_mislabelled() && !a.image.incoming.is_mislabelled() {
                return Some((j, i));
            }
            blocked.entry(name.clone()).or_insert_with(|| {
                format!(
                    "{} and {} are different images for {platform} on one name; a name mode that \
                     keeps the original host apart (append-origin, prefix-registry) holds both",
                    a.reference, b.reference
                )
            });
        }
    }
    None
}

/// The platform for which two sources have different images.
fn differ(a: &Want<'_>, b: &Want<'_>) -> Option<PlatformKey> {
    for a in a.image.incoming.images() {
        for b in b.image.incoming.images() {
            let platform = a.platform().key();
            if platform == b.platform().key()
                && a.document().digest() != b.document().digest()
                && !a.config().is_same_image(b.config())
            {
                return Some(platform);
            }
        }
    }
    None
}

fn same_reference(a: &str, b: &str) -> bool {
    match (a.parse::<Reference>(), b.parse::<Reference>()) {
        (Ok(a), Ok(b)) => meaning(&a) == meaning(&b),
        _ => a == b,
    }
}

/// What a reference means, however it is spelled.
fn meaning(reference: &Reference) -> (String, String, Option<String>, Option<String>) {
    let digest = reference.digest().map(ToString::to_string);
    let tag = reference.tag().map(ToOwned::to_owned);
    let tag = if digest.is_none() { tag.or_else(|| Some("latest".into())) } else { tag };
    (reference.host().into(), reference.repository(), tag, digest)
}

type Named<'a> = (TargetName, String, &'a PackageImage);

/// The names of a bundle's images: each hint's, and for images that no hint speaks of their own.
fn name_bundle<'a>(bundle: &'a Bundle, options: &Options) -> Result<Vec<Named<'a>>> {
    let (mut named, mut hinted) = (Vec::new(), BTreeSet::new());
    for hint in bundle.hints() {
        let name = options.names.of_hint(hint, &bundle.values)?;
        let rendered = hint.render(&bundle.values)?;
        if !bundle.has_images {
            continue;
        }
        let index = find(bundle, &rendered).ok_or_else(|| {
            let message =
                format!("hint {:?} names an image that the bundle does not hold", hint.to_string());
            Error::new(ErrorKind::Missing, message).of_image(&rendered)
        })?;
        hinted.insert(index);
        named.push((name, rendered, &bundle.images()[index]));
    }
    for (index, image) in bundle.images().iter().enumerate() {
        if !hinted.contains(&index) {
            let names = name_loose(image, options)?;
            named.extend(names.into_iter().map(|(name, reference)| (name, reference, image)));
        }
    }
    Ok(named)
}

/// The image that a rendered reference means. One that is named by digest has no name in the
/// archive: it is found by its digest, or by being the only one without a name.
fn find(bundle: &Bundle, rendered: &str) -> Option<usize> {
    let images = bundle.images();
    let named = |image: &PackageImage| image.references.iter().any(|r| same_reference(r, rendered));
    if let Some(index) = images.iter().position(named) {
        return Some(index);
    }
    let reference: Reference = rendered.parse().ok()?;
    let digest = reference.digest()?;
    let by_digest = images.iter().position(|i| i.incoming.document().digest() == digest);
    let mut unnamed = images.iter().enumerate().filter(|(_, image)| image.references.is_empty());
    by_digest.or(match (unnamed.next(), unnamed.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    })
}

fn name_loose(image: &PackageImage, options: &Options) -> Result<Vec<(TargetName, String)>> {
    if image.references.is_empty() {
        let digest = image.incoming.document().digest();
        let message = "the package does not say the image's name";
        return Err(Error::new(ErrorKind::Unnamed, message).with_digest(digest));
    }
    image
        .references
        .iter()
        .map(|text| {
            let reference: Reference = text.parse()?;
            Ok((options.names.of_reference(&reference)?, text.clone()))
        })
        .collect::<Result<_>>()
        .map_err(|e: Error| e.of_image(&image.references[0]))
}
