//! The options of an import.

use std::{num::NonZeroUsize, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{chart::Naming, fuse::FuseOptions};

/// The options of an import: the same for the library, the command line and the C interface.
///
/// It has no secrets: credentials are given to [`Import`](crate::Import).
///
/// ```
/// use multiarch_core::Options;
/// let options: Options = serde_json::from_str(r#"{"names": {"mode": "prefix-registry"}}"#)?;
/// assert_eq!(options.overwrite_charts, false);
/// assert!(serde_json::from_str::<Options>(r#"{"name": 1}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// How images are named in the target.
    pub names: Naming,
    /// Where the cluster pulls images from: a host with its port, and a path below which all names
    /// are. Charts are relocated to it. Without, it is the target's own address.
    pub registry: Option<String>,
    /// Replace charts of the same name and version that are in the chart repository.
    pub overwrite_charts: bool,
    /// How images are fused into what is there.
    pub fuse: FuseOptions,
    /// Files with certificates, in PEM, that are trusted beside the system's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_files: Vec<PathBuf>,
    /// Hosts, with their port if they have one, whose certificate is not verified and that may speak
    /// plain HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insecure_hosts: Vec<String>,
    /// At most this many requests at once to one server; without, 16. Fewer are made where the server
    /// refuses more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<NonZeroUsize>,
}

impl Options {
    /// What decides the result. How a server is reached belongs to the machine, not to a plan.
    pub(crate) fn of_plan(&self) -> Self {
        let Self { names, registry, overwrite_charts, fuse, .. } = self.clone();
        Self { names, registry, overwrite_charts, fuse, ..Self::default() }
    }
}
