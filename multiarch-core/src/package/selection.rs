//! Which charts, images and platforms of packages a user means.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Bundle, Package, PackageImage, pattern::Pattern};
use crate::{
    chart::TargetName,
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
        let value = crate::chart::parse_yaml(text)?;
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

    /// Whether a stored chart is meant.
    pub(crate) fn means_chart(&self, name: &str, version: &str) -> bool {
        is_meant(&self.charts, &[name.to_owned(), format!("{name}-{version}")])
    }

    /// Whether a platform is meant.
    pub(crate) fn means_platform(&self, platform: &PlatformKey) -> bool {
        let (os, architecture) = (platform.os(), platform.architecture());
        let text = format!("{os}/{architecture}");
        let candidates = match platform.variant() {
            "" => vec![text, architecture.to_owned()],
            variant => vec![format!("{text}/{variant}"), text, architecture.to_owned()],
        };
        is_meant(&self.platforms, &candidates)
    }

    /// What is meant of these packages.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where that is nothing.
    pub fn of_packages(&self, packages: Vec<Arc<Package>>) -> Result<Vec<Arc<Package>>> {
        if self.is_everything() || packages.is_empty() {
            return Ok(packages);
        }
        let selected: Vec<Arc<Package>> =
            packages.iter().map(|package| Arc::new(self.of_package(package))).collect();
        // A chart without images is nothing that a list of images or platforms could mean.
        let of_images = !self.images.is_empty() || !self.platforms.is_empty();
        let is_empty = |p: &Arc<Package>| {
            let charts = p.bundles.iter().filter(|b| !of_images || !b.images.is_empty());
            charts.count() == 0 && p.images.is_empty()
        };
        if selected.iter().all(is_empty) && !packages.iter().all(is_empty) {
            let held: BTreeSet<String> =
                packages.iter().flat_map(|p| p.bundles.iter().map(Bundle::chart)).collect();
            let more = held.len().saturating_sub(SHOWN);
            let mut shown = held.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
            if more > 0 {
                shown.push_str(&format!(" and {more} more"));
            }
            let message = match shown.is_empty() {
                true => format!("nothing in the packages is selected by {self}"),
                false => format!(
                    "nothing in the packages is selected by {self}; their charts are {shown}"
                ),
            };
            let error = Error::new(ErrorKind::Usage, message);
            return Err(error.with_detail(Detail::NothingSelected));
        }
        Ok(selected)
    }

    fn of_package(&self, package: &Package) -> Package {
        let (path, mut left_out) = (package.path().to_owned(), Vec::new());
        let mut selected = package.clone();
        let names = |bundle: &Bundle| [bundle.chart_name.clone(), bundle.chart()];
        let mut gone = BTreeSet::new();
        selected.bundles.retain_mut(|bundle| {
            let (chart, mut of_images) = (Some(bundle.chart()), Vec::new());
            let is_meant = is_meant(&self.folders, &[bundle.folder().to_owned()])
                && is_meant(&self.charts, &names(bundle));
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
            let is_kept = is_meant && (!had_images || !bundle.images.is_empty());
            if is_kept {
                left_out.append(&mut of_images);
            } else {
                let (image, platforms) = (None, Vec::new());
                left_out.push(LeftOut { package: path.clone(), chart, image, platforms });
            }
            is_kept
        });
        let without_charts = !self.charts.iter().all(|pattern| pattern.leaves_out)
            || !self.folders.iter().all(|pattern| pattern.leaves_out);
        let by_name = self.images.iter().any(|pattern| !pattern.leaves_out);
        for image in std::mem::take(&mut selected.images) {
            let kept = match without_charts && !by_name {
                true => None,
                false => self.of_image(&image, (&path, None), &mut left_out),
            };
            match kept {
                Some(image) => selected.images.push(image),
                None => {
                    if without_charts && !by_name {
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
        let is_listed = |platform: &PlatformKey| !self.means_platform(platform);
        let has_incomplete =
            image.incomplete.iter().any(|i| i.platform.as_ref().is_some_and(is_listed));
        if of_platform.is_empty() && !has_incomplete {
            return Some(image.clone());
        }
        let digests: BTreeSet<Digest> =
            of_platform.keys().map(|digest| (*digest).clone()).collect();
        let mut kept = PackageImage::clone(image);
        kept.incomplete.retain(|i| !i.platform.as_ref().is_some_and(is_listed));
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

/// Whether one of the ways to write a name is meant by a list of globs.
fn is_meant(patterns: &[Pattern], candidates: &[String]) -> bool {
    let fits = |leaves_out: bool| {
        patterns.iter().any(|p| p.leaves_out == leaves_out && p.fits(candidates))
    };
    let names_any = patterns.iter().any(|pattern| !pattern.leaves_out);
    (!names_any || fits(false)) && !fits(true)
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
