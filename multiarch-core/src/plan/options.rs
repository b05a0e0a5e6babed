//! The options of an import.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{
    chart::Naming,
    error::{Detail, Error, ErrorKind, Result},
    fuse::FuseOptions,
    package::Selection,
};

/// The options of an import, the same for the library, the command line and the C interface.
///
/// They contain no secrets: credentials are given to [`Import`](crate::Import).
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
    /// Where the cluster pulls images from, to which charts are relocated: a host, perhaps with a port
    /// and with a path in front of all names. By default the target's own address.
    pub registry: Option<String>,
    /// Replace charts of the same name and version in the chart repository.
    pub overwrite_charts: bool,
    /// Give values that name an image of the package although no hint says so its name in the target, too.
    pub rewrite_unhinted: bool,
    /// Import the images that a package names of a chart that cannot be relocated, under the names that the
    /// mode gives to their own references.
    pub images_of_blocked_charts: bool,
    /// Render each relocated chart with Helm and its default values, and leave it out where it names an image
    /// that is not in the target.
    pub render: bool,
    /// The `helm` to render with; by default the first in the `PATH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<PathBuf>,
    /// How images are fused into the target's tags.
    pub fuse: FuseOptions,
    /// Names for images that their file does not name: a reference, or `FILE=REFERENCE` for the images of
    /// one file, by its name or path. A reference without a tag keeps the tag that the file gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub image_names: Vec<String>,
    /// Which charts, images and platforms of the packages are imported.
    #[serde(skip_serializing_if = "Selection::is_everything")]
    pub select: Selection,
    /// Ask for every config and layer of the images that the target's tags list already, and send what is
    /// missing or has a wrong size. A directory as target is always asked so.
    pub verify: bool,
    /// Create the projects that the images need and the registry does not have, where it has projects.
    pub create_projects: bool,
    /// Let everyone pull from the projects that are created.
    pub public_projects: bool,
    /// Begin also where the target has not enough room, or takes no writes at the moment.
    pub anyway: bool,
    /// Give each manifest of an imported index a tag of its own, for registries whose garbage collection
    /// deletes manifests that only an index lists.
    pub keep_children_tagged: bool,
    /// Files with certificates, in PEM, that are trusted in addition to the system's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_files: Vec<PathBuf>,
    /// Hosts whose certificate is not verified and that may use plain HTTP; with a port only there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insecure_hosts: Vec<String>,
    /// A file with the certificate, in PEM, that is shown to the target and the chart repository where they
    /// ask for one. It may hold the key, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<PathBuf>,
    /// The file with the key of that certificate, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// The file with logins, in the form of docker's `config.json`. By default those of podman and docker
    /// are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_file: Option<PathBuf>,
    /// The most bytes of blobs that are sent in a second, over all connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_rate: Option<NonZeroU64>,
    /// The most requests at once to one server, by default 16. Fewer are sent where the server refuses
    /// that many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<NonZeroUsize>,
}

impl Options {
    /// Fails for an insecure host that is not a host with, perhaps, a port: it would fit nothing.
    pub(crate) fn check_insecure_hosts(&self) -> Result<()> {
        let odd = |host: &&String| host.is_empty() || host.contains(['/', '@', ' ']);
        match self.insecure_hosts.iter().find(odd) {
            Some(host) => {
                let message = format!("{host:?} is not the name of a host");
                Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::InsecureHost))
            }
            None => Ok(()),
        }
    }

    /// The options that decide the result. How to reach a server belongs to the machine, not to a plan.
    pub(crate) fn of_plan(&self) -> Self {
        Self {
            ca_files: Vec::new(),
            insecure_hosts: Vec::new(),
            client_certificate: None,
            client_key: None,
            auth_file: None,
            limit_rate: None,
            jobs: None,
            ..self.clone()
        }
    }
}
