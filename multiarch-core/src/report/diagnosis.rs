//! What is wrong with a target.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::Report;
use crate::{
    chart::TargetName,
    error::{Error, Printable},
    image::{Digest, PlatformKey},
    plan::{Amount, table},
};

/// What is looked at beyond what every diagnosis looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiagnosisOptions {
    /// Read layers to see for which architecture the programs in them are. Layers of at most 16 MiB are read, of each
    /// image the smallest ones until one has programs.
    pub read_programs: bool,
}

/// What is wrong with a target. It serialises to JSON of the schema [`Diagnosis::SCHEMA`], and prints as a table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// How many tags were looked at.
    pub tags: usize,
    /// How many images they list, each counted once.
    pub images: usize,
    /// How many stored charts were looked at.
    pub charts: usize,
    /// What is wrong, the worst first.
    pub damages: Vec<Damage>,
    /// Packages that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Error>,
    /// What was done about it before, where the front end did something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Report>,
    /// True where nothing keeps a node from pulling and running what the tags list and the charts name, and all
    /// packages could be read.
    pub complete: bool,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Damage {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub kind: DamageKind,
    /// The tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<TargetName>,
    /// The stored chart, as `name-version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The platforms concerned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformKey>,
    /// The manifest or blob.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The facts, in words.
    pub says: String,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// Some node cannot pull or run what it should.
    Error,
    /// Something that may be meant, and often is not.
    Warning,
    /// Nothing is wrong; there is something to tidy up.
    Note,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DamageKind {
    /// What a tag holds cannot be read.
    Unreadable,
    /// A manifest that a tag lists is not there.
    MissingManifest,
    /// A config or a layer is not there, or has another size than the manifest says.
    MissingBlob,
    /// A manifest has another number of layers than its config says: no node can run it.
    Misfit,
    /// The tag has fewer platforms than a package holds, or than its neighbours have.
    Collapsed,
    /// The tag has another image for a platform than a package: an older or newer one, or the image of another tag.
    OtherImage,
    /// An index states another platform than the image's config.
    OtherPlatform,
    /// The programs in an image are for another architecture than the image.
    OtherPrograms,
    /// An architecture that no container runtime knows.
    UnknownArchitecture,
    /// An index lists a manifest, or a platform, twice.
    ListedTwice,
    /// A package holds a chart that the chart repository does not have.
    MissingChart,
    /// A stored chart names an image that is not there.
    DanglingName,
    /// A value of a stored chart holds a digest that is not there.
    DanglingPin,
    /// A tag for one architecture that an older tool left.
    HelperTag,
}

impl Diagnosis {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.diagnosis/v1";

    /// The damages of this severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Damage> {
        self.damages.iter().filter(move |damage| damage.severity == severity)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "ERROR",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.damages.is_empty() {
            let mut rows = vec![["SEVERITY", "WHERE", "WHAT"].map(String::from).to_vec()];
            for damage in &self.damages {
                let image = damage.image.as_ref().map(ToString::to_string);
                let place = image.or_else(|| damage.chart.clone()).unwrap_or_default();
                rows.push(vec![damage.severity.to_string(), place, damage.says.clone()]);
            }
            table(f, &rows)?;
            writeln!(f)?;
        }
        let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
        for damage in &self.damages {
            *counts.entry(damage.severity).or_default() += 1;
        }
        let found =
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
        let found = found.map(|(severity, noun)| {
            Amount(counts.get(&severity).copied().unwrap_or_default(), noun).to_string()
        });
        write!(f, "{} with {}", Amount(self.tags, "tag"), Amount(self.images, "image"))?;
        if self.charts > 0 {
            write!(f, ", and {}", Amount(self.charts, "chart"))?;
        }
        writeln!(f, " in {}: {}", Printable(&self.target), found.join(", "))
    }
}
