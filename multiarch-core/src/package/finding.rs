//! Findings: what a user should know about packages, images and charts.

use serde::{Deserialize, Serialize};

use crate::{
    chart::{Naming, TargetName},
    fuse::Reason,
    image::{Digest, PlatformKey},
};

impl Finding {
    /// The image of a package that it is about, as the package names it.
    pub(super) fn image(&self) -> Option<&str> {
        match self {
            Self::Mislabelled { image, .. }
            | Self::Contradicted { image, .. }
            | Self::UnknownArchitecture { image, .. }
            | Self::OtherPrograms { image, .. }
            | Self::Incomplete { image, .. } => Some(image),
            _ => None,
        }
    }
}

/// Something that a user should know, but that does not stop an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// The image is of another architecture than its package declares.
    Mislabelled {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// What the package's name says.
        declared: String,
        /// What the config says.
        actual: String,
        /// The architecture of the programs in the image, where they were read; it decides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        programs: Option<String>,
        /// The platform that was decided.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        imported_as: String,
    },
    /// The entry of an index and the config of the image that it lists name different platforms.
    Contradicted {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// What the entry says; it decides.
        stated: String,
        /// What the config says.
        config: String,
    },
    /// The image names an architecture that no Go release, and so no container runtime, knows.
    UnknownArchitecture {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// The platform.
        platform: String,
    },
    /// The programs in an image are for another architecture than the image.
    OtherPrograms {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// The image's platform.
        platform: String,
        /// The architecture of its programs.
        programs: String,
    },
    /// An index lists images that the package does not hold as a whole.
    Incomplete {
        /// The package.
        package: String,
        /// The image.
        image: String,
        /// The digests that are missing.
        absent: Vec<Digest>,
        /// The platforms among them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        platforms: Vec<PlatformKey>,
    },
    /// Something in a package is not imported, because it is no image or belongs to none.
    NotUsed {
        /// The package.
        package: String,
        /// What it is: a path, or an image's name.
        what: String,
        /// Why it is not imported.
        because: String,
    },
    /// The index at a tag gets a new digest, but tags or documents refer to the old one.
    Referred {
        /// The image in the target.
        image: String,
        /// The tags or documents that refer to the old digest.
        by: Vec<String>,
    },
    /// Another writer put its own image for a platform that this run had written; it is newer, and stays.
    Overtaken {
        /// The image in the target.
        image: String,
        /// The platform.
        platform: PlatformKey,
        /// The other writer's manifest.
        by: Digest,
    },
    /// Two packages hold different images of one reference and platform; one of them is used.
    Superseded {
        /// The image in the target.
        image: String,
        /// The platform.
        platform: PlatformKey,
        /// The package whose image is used.
        package: String,
        /// The package whose image is not used.
        instead_of: String,
        /// Why it is not used.
        because: Reason,
    },
    /// The target held images under names that no chart renders. Now they are also under the name that a
    /// chart renders.
    Mended {
        /// The image in the target.
        image: String,
        /// The names that no chart renders.
        from: Vec<TargetName>,
    },
    /// The stored charts agree on another way of naming images than the options, and these charts, which are
    /// not stored, follow it.
    NamesLearned {
        /// How images are named.
        names: Naming,
        /// The charts, as `name-version`.
        charts: Vec<String>,
    },
    /// A value of a chart holds a digest beside the values of a hint. A template that appends it to the image's
    /// reference asks for what no target holds once another architecture is fused.
    DigestBeside {
        /// The chart, as `name-version`.
        chart: String,
        /// The value's path, as `.image.digest`.
        value: String,
        /// True where the value is emptied in the uploaded chart.
        emptied: bool,
    },
    /// Helm does not render the chart with its default values, so only its hints were checked.
    NotRendered {
        /// The chart, as `name-version`.
        chart: String,
        /// Helm's own words.
        because: String,
    },
    /// A chart repository is given for a folder that no package has. Its charts may have gone to the one for all
    /// other folders.
    FolderUnknown {
        /// The folder.
        folder: String,
        /// The folders that the packages have.
        known: Vec<String>,
    },
    /// Helm's commands do not install the chart, whatever images there are.
    HelmRefuses {
        /// The chart, as `name-version`.
        chart: String,
        /// Why.
        because: String,
    },
    /// A relocated value has a rule in the chart's schema that may not allow it.
    SchemaRule {
        /// The chart, as `name-version`.
        chart: String,
        /// The value's path, as `.image.registry`.
        value: String,
        /// The rule.
        rule: String,
    },
    /// Values name an image of the package although no hint says so.
    Unhinted {
        /// The chart, as `name-version`.
        chart: String,
        /// The paths of the values, as `.image.repository`; empty where no value names the image either.
        values: Vec<String>,
        /// What they name.
        reference: String,
        /// True where the uploaded chart names the image in the target.
        rewritten: bool,
        /// True where the values can be relocated: not in lists, nor where no value names an image of the package.
        can_be_rewritten: bool,
    },
    /// Packages of one run hold different charts of one name and version; one of them is uploaded.
    ChartsDiffer {
        /// The chart, as `name-version`.
        chart: String,
        /// The bundle whose chart is uploaded, and its package.
        package: String,
        /// The bundle whose chart is not, and its package.
        instead_of: String,
        /// The files that differ.
        different: Vec<String>,
    },
    /// A stored chart named images that are not in the target, and is replaced by one that names images
    /// that are there.
    ChartReplaced {
        /// The chart, as `name-version`.
        chart: String,
        /// The names in this target that it used, but that were not there.
        dangling: Vec<TargetName>,
    },
    /// A different chart of the same name and version is in the chart repository, and stays.
    ChartKept {
        /// The chart, as `name-version`.
        chart: String,
        /// The files that differ.
        different: Vec<String>,
    },
    /// A link in a directory leads outside it, and is not followed.
    LinkOutside {
        /// The package.
        package: String,
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
}
