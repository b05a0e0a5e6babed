//! The options of an import.

use serde::{Deserialize, Serialize};

use crate::{chart::Naming, fuse::FuseOptions};

/// The options of an import: the same for the library, the command line and the C interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Options {
    /// How images are named in the target.
    pub names: Naming,
    /// Where the cluster pulls images from: a host with its port, and a path below which all names
    /// are. Charts are relocated to it.
    pub registry: Option<String>,
    /// Replace charts of the same name and version that are in the chart repository.
    pub overwrite_charts: bool,
    /// How images are fused into what is there.
    pub fuse: FuseOptions,
}
