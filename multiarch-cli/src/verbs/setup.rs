//! Where an import goes: by the command line, and where that is silent by clusterConfig.yaml.

use std::path::{Path, PathBuf};

use multiarch_core::{
    Error, ErrorKind, Result,
    apply::Cancel,
    config::{ClusterConfig, Credential, Destination},
    plan::Options,
    target::{
        Target,
        charts::ChartTarget,
        own_address,
        registry::{Credentials, RegistryOptions},
    },
};

use crate::{
    args::{Connection, To},
    output,
    progress::Shown,
};

/// The packages, the target, and what the user called it.
pub(crate) struct Setup {
    pub(crate) packages: Vec<PathBuf>,
    pub(crate) target: Target,
    pub(crate) options: Options,
}

/// Environment variables, for images and for charts.
const IMAGES: [&str; 2] = ["MULTIARCH_USERNAME", "MULTIARCH_PASSWORD"];
const CHARTS: [&str; 2] = ["MULTIARCH_CHARTS_USERNAME", "MULTIARCH_CHARTS_PASSWORD"];

impl Setup {
    /// `given` are the packages of the command line. Nothing is sent yet.
    pub(crate) fn of(
        given: &[PathBuf],
        to: &To,
        options: Options,
        shown: &Shown,
        cancel: &Cancel,
    ) -> Result<Self> {
        let config = to.config.as_deref().map(read).transpose()?;
        let mut packages = given.to_vec();
        if let (true, Some((path, config))) = (given.is_empty(), &config) {
            packages = config.packages.iter().map(PathBuf::from).collect();
            if packages.is_empty() {
                let message = ".spec.addonPackage.path is missing: write the package's path there, or name it on the command line";
                return Err(Error::new(ErrorKind::Usage, message).at_path(path.display()));
            }
        }
        let target = target(to, config, shown, cancel)?;
        if target.charts().is_some() && target.registry_by(&options).is_none() {
            let message = "charts name the images that a cluster pulls, and a directory is no registry: say with --registry HOST[:PORT][/PATH] where the images will be";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(Self { packages, target, options })
    }
}

/// The target of a command that needs no packages.
pub(crate) fn target_of(to: &To, shown: &Shown, cancel: &Cancel) -> Result<Target> {
    target(to, to.config.as_deref().map(read).transpose()?, shown, cancel)
}

/// Opens what a saved plan names; a configuration only gives credentials.
pub(crate) fn open_saved(
    images: &str,
    charts: Option<&str>,
    config: Option<&Path>,
    connection: &Connection,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Target> {
    let config = config.map(read).transpose()?;
    let destination =
        config.and_then(|(_, config)| destination(&config).transpose()).transpose()?;
    open(images, charts, destination, connection, shown, cancel)
}

fn read(path: &Path) -> Result<(PathBuf, ClusterConfig)> {
    let text = std::fs::read(path)
        .map_err(|e| Error::from_io("reading the configuration", e).at_path(path.display()))?;
    let config = ClusterConfig::parse(&text).map_err(|e| e.at_path(path.display()))?;
    Ok((path.to_owned(), config))
}

fn destination(config: &ClusterConfig) -> Result<Option<Destination>> {
    config.images_and_charts.as_ref().map(|to| to.destination(own_address)).transpose()
}

fn target(
    to: &To,
    config: Option<(PathBuf, ClusterConfig)>,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Target> {
    let mut found = None;
    if let Some((path, config)) = &config
        && (to.target.is_none() || to.charts_to.is_none())
    {
        let place = |e: Error| e.at_path(path.display());
        found = match destination(config).map_err(place) {
            Ok(None) if to.target.is_none() => {
                let message = ".spec.imagesAndCharts is missing: write type: builtin or type: external below it, or name the target with --to";
                return Err(place(Error::new(ErrorKind::Usage, message)));
            }
            // What the file cannot tell is not needed then.
            Err(_) if to.target.is_some() => None,
            found => found?,
        };
    }
    let of_file = found.as_ref();
    let images = to.target.clone().or_else(|| Some(of_file?.images.clone()));
    let images = images
        .ok_or_else(|| Error::new(ErrorKind::Usage, "no target is given: name it with --to"))?;
    let mut charts = to.charts_to.clone().or_else(|| of_file?.charts.clone());
    if to.charts_to.is_none() && charts.is_some() && images.starts_with("oci:") {
        output::note(
            "charts stay where they are: the target is a directory, not the file's registry",
        );
        charts = None;
    }
    // Credentials of the file belong to the addresses of the file.
    if let Some(found) = &mut found {
        if found.images != images {
            found.images_credential = None;
        }
        if found.charts != charts {
            found.charts_credential = None;
        }
    }
    open(&images, charts.as_deref(), found, &to.connection, shown, cancel)
}

fn open(
    images: &str,
    charts: Option<&str>,
    found: Option<Destination>,
    connection: &Connection,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Target> {
    let mut common = RegistryOptions::default();
    common.ca_files.clone_from(&connection.ca);
    common.insecure_hosts.clone_from(&connection.insecure);
    common.jobs = connection.jobs;
    common.progress = Some(shown.progress().clone());
    common.cancel = cancel.clone();
    let options = |credentials| {
        let mut options = common.clone();
        options.credentials = credentials;
        options
    };
    let (of_images, of_charts) =
        found.map(|found| (found.images_credential, found.charts_credential)).unwrap_or_default();
    // The environment wins over the file; the library itself looks there for images'.
    let of_images = of_images.filter(|_| environment(IMAGES).is_none()).map(basic);
    let target = Target::open(images, options(of_images))?;
    let Some(charts) = charts else { return Ok(target) };
    let of_charts = environment(CHARTS)
        .or_else(|| of_charts.filter(|_| environment(IMAGES).is_none()))
        .map(basic);
    Ok(target.with_charts(ChartTarget::open(charts, options(of_charts))?))
}

fn basic(credential: Credential) -> Credentials {
    Credentials::basic(credential.user, credential.password)
}

fn environment([user, password]: [&str; 2]) -> Option<Credential> {
    Some(Credential::new(std::env::var(user).ok()?, std::env::var(password).ok()?))
}
