//! Which charts, images and platforms of packages a user means.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Bundle, Finding, Package, PackageImage, pattern::Pattern};
use crate::{
    chart::{TargetName, parse_yaml},
    error::{Detail, Error, ErrorKind, Result},
    image::{Digest, PlatformKey, Reference, canonical_reference},
};

/// Which charts, images and platforms are meant: globs, of which those with a `!` in front leave out what they
/// fit. A list without any glob means everything, and so does one that only leaves out, except what it leaves out.
///
/// ```
/// use multiarch_core::Selection;
/// let text = r#"{"charts": ["insight*", "!insight-agent"], "platforms": ["linux/arm64"]}"#;
/// let selection: Selection = serde_json::from_str(text)?;
/// assert!(!selection.is_everything());
/// assert!(serde_json::from_str::<Selection>(r#"{"charts": ["[a"]}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Selection {
    /// By the chart's name, or `name-version`. The images that belong to no chart are meant only where this list
    /// is empty, or `images` names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    charts: Vec<Pattern>,
    /// By the image's reference: as a whole, without its tag, or without its registry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Pattern>,
    /// As `os/architecture`, `os/architecture/variant` or the architecture alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<Pattern>,
    /// By the folder of the package that a chart is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    folders: Vec<Pattern>,
}

/// Something that a package holds and that the selection leaves out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The package.
    pub package: String,
    /// The chart, as `name-version`, or that of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The image; `None` where the whole chart is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The platforms of the image that are left out; empty where all of it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformKey>,
}

/// How many names a message lists.
const SHOWN: usize = 12;

impl Selection {
    /// Parses the globs of each list.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a text that is no glob.
    pub fn new(
        charts: &[String],
        images: &[String],
        platforms: &[String],
        folders: &[String],
    ) -> Result<Self> {
        let all = |texts: &[String]| texts.iter().map(|text| text.parse()).collect::<Result<_>>();
        Ok(Self {
            charts: all(charts)?,
            images: all(images)?,
            platforms: all(platforms)?,
            folders: all(folders)?,
        })
    }

    /// Reads a selection from YAML, or JSON, which is YAML, too.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for another document, and for what is no glob.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let refused =
            |e| Error::caused_by(ErrorKind::Usage, "not a selection of charts and images", e);
        let value = parse_yaml(text)?;
        // What a reader of YAML passes over would be left out without a word.
        let lines = || std::str::from_utf8(text).unwrap_or_default().lines();
        let begins = |name: &str| lines().filter(|line| line.starts_with(name)).count();
        let twice = ["charts:", "images:", "platforms:", "folders:"].into_iter();
        if let Some(name) = twice.into_iter().find(|name| begins(name) > 1) {
            let message = format!("{name} stands there twice");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        if lines().skip_while(|line| line.trim().is_empty()).skip(1).any(|l| l.trim_end() == "---")
        {
            let message = "several documents are in it, and one is read";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        serde_json::from_value(value).map_err(refused)
    }

    /// The same with the lists of another one added.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.charts.extend(other.charts);
        self.images.extend(other.images);
        self.platforms.extend(other.platforms);
        self.folders.extend(other.folders);
        self
    }

    /// True where nothing is left out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this tag of a target is meant, by its name there.
    pub(crate) fn means_tag(&self, name: &TargetName) -> bool {
        let candidates = [name.to_string(), name.repository().to_owned()];
        is_meant(&self.images, &candidates)
    }

    /// Fails where nothing of a target is meant, although something is selected.
    pub(crate) fn check_found(&self, is_empty: bool) -> Result<()> {
        match is_empty && !self.images.is_empty() {
            true => Err(nothing_selected(format!("nothing in the target is selected by {self}"))),
            false => Ok(()),
        }
    }

    /// True where only some platforms are meant.
    pub(crate) fn has_platforms(&self) -> bool {
        !self.platforms.is_empty()
    }

    /// Whether a stored chart is meant.
    pub(crate) fn means_chart(&self, name: &str, version: &str) -> bool {
        is_meant(&self.charts, &[name.to_owned(), format!("{name}-{version}")])
    }

    /// Whether a platform is meant.
    pub(crate) fn means_platform(&self, platform: &PlatformKey) -> bool {
        is_meant(&self.platforms, &platform_spellings(platform))
    }

    /// What is meant of these packages.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where that is nothing.
    pub fn of_packages(&self, packages: Vec<Arc<Package>>) -> Result<Vec<Arc<Package>>> {
        if self.is_everything() || packages.is_empty() {
            return Ok(packages);
        }
        let mut findings = self.check_all_fit(&packages)?;
        let select = |package: &Arc<Package>| {
            let mut selected = self.of_package(package);
            selected.findings.append(&mut findings);
            Arc::new(selected)
        };
        let selected: Vec<Arc<Package>> = packages.iter().map(select).collect();
        // A chart without images is nothing that a list of images or platforms could mean.
        let of_images = !self.images.is_empty() || !self.platforms.is_empty();
        let is_empty = |p: &Arc<Package>| {
            let charts = p.bundles.iter().filter(|b| !of_images || !b.images.is_empty());
            charts.count() == 0 && p.images.is_empty()
        };
        if selected.iter().all(is_empty) && !packages.iter().all(is_empty) {
            return Err(nothing_selected(format!(
                "nothing in the packages is selected by all of {self} together"
            )));
        }
        Ok(selected)
    }

    /// Fails for a glob that fits nothing in the packages: something would be missing without a word. One that leaves
    /// out nothing may be meant for other packages, or is misspelt, and is a finding.
    fn check_all_fit(&self, packages: &[Arc<Package>]) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let bundles = || packages.iter().flat_map(|package| &package.bundles);
        let images = || {
            let of_bundles = bundles().flat_map(|bundle| &bundle.images);
            of_bundles.chain(packages.iter().flat_map(|package| &package.images))
        };
        let platforms = images().flat_map(|image| {
            let listed = image.incomplete.iter().filter_map(|one| one.platform.clone());
            let held = image.incoming.images().iter().map(|image| image.platform().key());
            held.chain(listed).map(|platform| platform_spellings(&platform)).collect::<Vec<_>>()
        });
        /// A list's name, its globs, and how each thing that it could mean is spelled.
        type List<'l> = (&'l str, &'l [Pattern], Vec<Vec<String>>);
        let lists: [List<'_>; 4] = [
            ("charts", &self.charts, bundles().map(chart_spellings).collect()),
            ("images", &self.images, images().map(|image| spellings(image)).collect()),
            ("platforms", &self.platforms, platforms.collect()),
            ("folders", &self.folders, bundles().map(|b| vec![b.folder().to_owned()]).collect()),
        ];
        for (name, patterns, held) in lists {
            for glob in patterns.iter().filter(|glob| !held.iter().any(|one| glob.fits(one))) {
                if glob.leaves_out {
                    findings.push(Finding::NotUsed {
                        package: format!("the selection of {name}"),
                        what: format!("{:?}", glob.text()),
                        because: "it fits nothing that the packages hold".into(),
                    });
                    continue;
                }
                let all: BTreeSet<&String> = held.iter().filter_map(|one| one.first()).collect();
                let more = all.len().saturating_sub(SHOWN);
                let mut shown: Vec<String> = all.into_iter().take(SHOWN).cloned().collect();
                shown.extend((more > 0).then(|| format!("{more} more")));
                let message = format!(
                    "{:?} fits none of the {name} in the packages, which are {}",
                    glob.text(),
                    shown.join(", ")
                );
                return Err(nothing_selected(message));
            }
        }
        Ok(findings)
    }

    fn of_package(&self, package: &Package) -> Package {
        let (path, mut left_out) = (package.path().to_owned(), Vec::new());
        let mut selected = package.clone();
        let mut gone = BTreeSet::new();
        let by_image = names_any(&self.images);
        selected.bundles.retain_mut(|bundle| {
            let (chart, mut of_images) = (Some(bundle.chart()), Vec::new());
            let is_meant = is_meant(&self.folders, &[bundle.folder().to_owned()])
                && is_meant(&self.charts, &chart_spellings(bundle));
            let images = std::mem::take(&mut bundle.images);
            let had_images = !images.is_empty();
            for image in images {
                let place = (path.as_str(), chart.as_ref());
                let kept = is_meant.then(|| self.of_image(&image, place, &mut of_images));
                match kept.flatten() {
                    Some(image) => bundle.images.push(image),
                    None => bundle.left_out.extend(canonical(&image)),
                }
            }
            gone.extend(bundle.left_out.iter().cloned());
            // A chart without any of its images is left out as a whole.
            let is_kept = is_meant && ((!had_images && !by_image) || !bundle.images.is_empty());
            if is_kept {
                left_out.append(&mut of_images);
            } else {
                let (image, platforms) = (None, Vec::new());
                left_out.push(LeftOut { package: path.clone(), chart, image, platforms });
            }
            is_kept
        });
        // A list that names charts means the images of no chart only where they are named, too.
        let none_meant = !by_image && (names_any(&self.charts) || names_any(&self.folders));
        for image in std::mem::take(&mut selected.images) {
            let kept = match none_meant {
                true => None,
                false => self.of_image(&image, (&path, None), &mut left_out),
            };
            match kept {
                Some(image) => selected.images.push(image),
                None => {
                    if none_meant {
                        left_out.push(whole(&image, (&path, None)));
                    }
                    gone.extend(canonical(&image));
                }
            }
        }
        let held = selected.bundles.iter().flat_map(|b| &b.images).chain(&selected.images);
        let held: BTreeSet<String> = held.flat_map(|image| canonical(image)).collect();
        selected.findings.retain(|finding| {
            finding.image().is_none_or(|image| {
                let image = canonical_reference(image);
                held.contains(&image) || !gone.contains(&image)
            })
        });
        left_out.sort();
        left_out.dedup();
        selected.left_out = left_out;
        selected
    }

    /// What is meant of an image; `None` where that is nothing.
    fn of_image(
        &self,
        image: &Arc<PackageImage>,
        place: (&str, Option<&String>),
        left_out: &mut Vec<LeftOut>,
    ) -> Option<Arc<PackageImage>> {
        if !is_meant(&self.images, &spellings(image)) {
            left_out.push(whole(image, place));
            return None;
        }
        let of_platform: BTreeMap<&Digest, PlatformKey> = image
            .incoming
            .images()
            .iter()
            .map(|child| (child.document().digest(), child.platform().key()))
            .filter(|(_, platform)| !platform.os().is_empty() && !self.means_platform(platform))
            .collect();
        let is_left_out = |platform: &PlatformKey| !self.means_platform(platform);
        let has_incomplete =
            image.incomplete.iter().any(|i| i.platform.as_ref().is_some_and(is_left_out));
        if of_platform.is_empty() && !has_incomplete {
            return Some(image.clone());
        }
        let digests: BTreeSet<Digest> =
            of_platform.keys().map(|digest| (*digest).clone()).collect();
        let mut kept = PackageImage::clone(image);
        kept.incomplete.retain(|i| !i.platform.as_ref().is_some_and(is_left_out));
        kept.referrers.retain(|r| !digests.iter().any(|digest| r.tag.contains(digest.hex())));
        if digests.is_empty() {
            return Some(Arc::new(kept));
        }
        match image.incoming.without(&digests) {
            Some(incoming) => {
                let platforms: BTreeSet<PlatformKey> = of_platform.into_values().collect();
                left_out.push(LeftOut {
                    platforms: platforms.into_iter().collect(),
                    ..whole(image, place)
                });
                kept.incoming = incoming;
                Some(Arc::new(kept))
            }
            None => {
                left_out.push(whole(image, place));
                None
            }
        }
    }
}

fn whole(image: &PackageImage, (package, chart): (&str, Option<&String>)) -> LeftOut {
    let name = image.references.first().cloned();
    let name = name.unwrap_or_else(|| image.incoming.document().digest().to_string());
    LeftOut {
        package: package.to_owned(),
        chart: chart.cloned(),
        image: Some(name),
        platforms: Vec::new(),
    }
}

fn nothing_selected(message: String) -> Error {
    Error::new(ErrorKind::Usage, message).with_detail(Detail::NothingSelected)
}

fn chart_spellings(bundle: &Bundle) -> Vec<String> {
    vec![bundle.chart(), bundle.chart_name.clone()]
}

fn canonical(image: &PackageImage) -> impl Iterator<Item = String> {
    image.references.iter().map(|reference| canonical_reference(reference))
}

/// The ways to write an image's name that a glob may fit.
fn spellings(image: &PackageImage) -> Vec<String> {
    let mut spellings = Vec::new();
    for text in &image.references {
        spellings.push(text.clone());
        if let Ok(reference) = text.parse::<Reference>() {
            let (path, tag) = (reference.path(), reference.tag().unwrap_or_default());
            let repository = reference.repository();
            spellings.extend([format!("{path}:{tag}"), format!("{repository}:{tag}")]);
            spellings.extend([path.to_owned(), repository]);
        }
    }
    spellings
}

/// The ways to write a platform that a glob may fit: with and without variant and version, and by the names that
/// containerd takes for the same (`platforms.Normalize`).
fn platform_spellings(platform: &PlatformKey) -> Vec<String> {
    let (os, architecture) = (platform.os(), platform.architecture());
    let aliases: &[&str] = match (architecture, platform.variant()) {
        ("amd64", "") => &["amd64/v1", "x86_64", "x86-64"],
        ("arm64", "") => &["arm64/v8", "aarch64"],
        ("arm", "v7") => &["armhf"],
        ("arm", "v6") => &["armel"],
        ("386", _) => &["i386"],
        _ => &[],
    };
    let variant = platform.variant();
    let own = [architecture.to_owned(), format!("{architecture}/{variant}")];
    let names = own.into_iter().chain(aliases.iter().map(ToString::to_string));
    let mut spellings = vec![platform.to_string()];
    for name in names.filter(|name| !name.ends_with('/')) {
        spellings.push(format!("{os}/{name}"));
        spellings.push(name);
    }
    spellings
}

/// Whether one of the ways to write a name is meant by a list of globs.
fn is_meant(patterns: &[Pattern], candidates: &[String]) -> bool {
    let fits = |leaves_out: bool| {
        patterns.iter().any(|p| p.leaves_out == leaves_out && p.fits(candidates))
    };
    (!names_any(patterns) || fits(false)) && !fits(true)
}

/// Whether a list of globs names what is meant, and does not only leave out.
fn names_any(patterns: &[Pattern]) -> bool {
    patterns.iter().any(|pattern| !pattern.leaves_out)
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("charts", &self.charts),
            ("images", &self.images),
            ("platforms", &self.platforms),
            ("folders", &self.folders),
        ];
        let texts = lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| {
            let list: Vec<&str> = list.iter().map(Pattern::text).collect();
            format!("{name} {}", list.join(", "))
        });
        f.write_str(&texts.collect::<Vec<_>>().join("; "))
    }
}
