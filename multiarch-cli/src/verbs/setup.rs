//! Sets up an import from the command line, and from clusterConfig.yaml for what that leaves out.

use std::path::{Path, PathBuf};

use multiarch_core::{
    Cancel, ClusterConfig, Credentials, Destination, Error, ErrorKind, Import, Options, Plan,
    Result, Target, own_address,
};

use crate::{
    args::{Apply, Connection, Show, To, Work},
    output,
    progress::Shown,
    saved,
};

/// Environment variables with credentials, for images and for charts.
const IMAGES: [&str; 2] = ["MULTIARCH_USERNAME", "MULTIARCH_PASSWORD"];
const CHARTS: [&str; 2] = ["MULTIARCH_CHARTS_USERNAME", "MULTIARCH_CHARTS_PASSWORD"];

/// The import that a command line asks for. `given` are its packages; without any, those of the
/// configuration are taken. Packages are not opened yet, and nothing is sent.
pub(crate) fn import(
    given: &[PathBuf],
    work: &Work,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let config = work.to.config.as_deref().map(read).transpose()?;
    let packages = packages(given, config.as_ref())?;
    import_to(packages, &work.to, config, work.options()?, &work.show, shown, cancel)
}

/// The same, with absolute paths, for a plan that may be applied from another folder.
pub(crate) fn absolute_import(
    given: &[PathBuf],
    work: &Work,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let mut to = work.to.clone();
    to.target = to.target.as_deref().map(|t| absolute_folder(t, "oci:")).transpose()?;
    to.charts_to = to.charts_to.iter().map(|t| absolute_charts(t)).collect::<Result<_>>()?;
    let config = to.config.as_deref().map(read).transpose()?;
    let packages = packages(given, config.as_ref())?.iter().map(std::path::absolute).collect();
    let packages: std::io::Result<Vec<PathBuf>> = packages;
    let packages = packages.map_err(no_folder)?;
    let mut options = work.options()?;
    // A name alone is looked for in the PATH.
    if let Some(helm) = options.helm.as_mut().filter(|helm| helm.components().count() > 1) {
        *helm = std::path::absolute(&*helm).map_err(no_folder)?;
    }
    import_to(packages, &to, config, options, &work.show, shown, cancel)
}

/// An import for a command that writes nothing and needs no packages.
pub(crate) fn look(
    packages: &[PathBuf],
    to: &To,
    options: Options,
    show: &Show,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let config = to.config.as_deref().map(read).transpose()?;
    import_to(packages.to_vec(), to, config, options, show, shown, cancel)
}

/// The import of a saved plan. From the configuration, only credentials are taken.
pub(crate) fn of_saved(
    import: Import,
    saved: &Plan,
    args: &Apply,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let import = import.options(saved.options.clone());
    reaching(import, args.config.as_deref(), &args.connection, &args.show, shown, cancel)
}

/// An import whose target is known, with what reaching its servers needs. From the configuration, only
/// credentials are taken.
pub(crate) fn reaching(
    import: Import,
    config: Option<&Path>,
    connection: &Connection,
    show: &Show,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let found = config
        .map(read)
        .transpose()?
        .and_then(|(_, config)| config.destination(own_address).transpose())
        .transpose()?
        .unwrap_or_default();
    let mut options = import.given_options().clone();
    connect(&mut options, connection);
    Ok(with_credentials(in_context(import.options(options), show, shown, cancel), found))
}

fn import_to(
    packages: Vec<PathBuf>,
    to: &To,
    config: Option<(PathBuf, ClusterConfig)>,
    mut options: Options,
    show: &Show,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Import> {
    let destination = destination(to, config)?;
    connect(&mut options, &to.connection);
    let mut import = Import::into(Target::open(&destination.images)?).options(options);
    if let Some(charts) = &destination.charts {
        import = import.charts_to(charts)?;
    }
    import.check()?;
    let import = packages.into_iter().fold(import, Import::package);
    Ok(with_credentials(in_context(import, show, shown, cancel), destination))
}

fn connect(options: &mut Options, connection: &Connection) {
    options.ca_files.clone_from(&connection.ca);
    options.insecure_hosts.clone_from(&connection.insecure);
    options.client_certificate.clone_from(&connection.client_cert);
    options.client_key.clone_from(&connection.client_key);
    options.auth_file.clone_from(&connection.authfile);
    options.limit_rate = connection.limit_rate;
    options.jobs = connection.jobs;
}

fn in_context(import: Import, show: &Show, shown: &Shown, cancel: &Cancel) -> Import {
    let import = import.meter(shown.meter()).cancel(cancel);
    match show.cache() {
        Some(folder) => import.cache(folder),
        None => import,
    }
}

/// Adds the file's credentials. Those in the environment, which the library reads, win over them.
fn with_credentials(mut import: Import, found: Destination) -> Import {
    let of_file = |found: Option<Credentials>| found.filter(|_| environment(IMAGES).is_none());
    if let Some(credentials) = of_file(found.images_credentials) {
        import = import.credentials(credentials);
    }
    let of_charts = of_file(found.charts_credentials);
    match of_charts.filter(|_| environment(CHARTS).is_none()) {
        Some(credentials) => import.chart_credentials(credentials),
        None => import,
    }
}

fn environment([user, password]: [&str; 2]) -> Option<Credentials> {
    Some(Credentials::basic(std::env::var(user).ok()?, std::env::var(password).ok()?))
}

fn packages(given: &[PathBuf], config: Option<&(PathBuf, ClusterConfig)>) -> Result<Vec<PathBuf>> {
    let (true, Some((path, config))) = (given.is_empty(), config) else {
        return Ok(given.to_vec());
    };
    if config.packages.is_empty() {
        let message = ".spec.addonPackage.path is missing: write the package's path there, or name it on the command line";
        return Err(Error::new(ErrorKind::Usage, message).at_path(path.display()));
    }
    Ok(config.packages.iter().map(PathBuf::from).collect())
}

fn read(path: &Path) -> Result<(PathBuf, ClusterConfig)> {
    let text = saved::text(path, "the configuration")?;
    let config = ClusterConfig::parse(&text).map_err(|e| e.at_path(path.display()))?;
    Ok((path.to_owned(), config))
}

/// Where images and charts go. The file's credentials are used only for the file's own addresses.
fn destination(to: &To, config: Option<(PathBuf, ClusterConfig)>) -> Result<Destination> {
    let mut found = None;
    if let Some((path, config)) = &config
        && (to.target.is_none() || to.charts_to.is_empty())
    {
        let place = |e: Error| e.at_path(path.display());
        found = match config.destination(own_address).map_err(place) {
            Ok(None) if to.target.is_none() => {
                let message = ".spec.imagesAndCharts is missing: write type: builtin or type: external below it, or name the target with --to";
                return Err(place(Error::new(ErrorKind::Usage, message)));
            }
            // The command line names the target, so an error about the file's is of no matter.
            Err(_) if to.target.is_some() => None,
            found => found?,
        };
    }
    let of_file = found.as_ref();
    let images = to.target.clone().or_else(|| Some(of_file?.images.clone()));
    let images = images
        .ok_or_else(|| Error::new(ErrorKind::Usage, "no target is given: name it with --to"))?;
    let given = (!to.charts_to.is_empty()).then(|| to.charts_to.join(","));
    let mut charts = given.clone().or_else(|| of_file?.charts.clone());
    if given.is_none() && charts.is_some() && images.starts_with("oci:") {
        output::note(
            "charts stay where they are: the target is a directory, not the file's registry",
        );
        charts = None;
    }
    let mut destination = found.unwrap_or_default();
    if destination.images != images {
        destination.images_credentials = None;
    }
    if destination.charts != charts {
        destination.charts_credentials = None;
    }
    (destination.images, destination.charts) = (images, charts);
    Ok(destination)
}

/// Makes the path of a directory target absolute; `scheme` is what such a target begins with.
pub(super) fn absolute_folder(target: &str, scheme: &str) -> Result<String> {
    match target.strip_prefix(scheme) {
        Some(path) if !path.is_empty() => {
            let path = std::path::absolute(path).map_err(no_folder)?;
            Ok(format!("{scheme}{}", path.display()))
        }
        _ => Ok(target.to_owned()),
    }
}

/// The same for a chart repository, which may be that of one folder of a package.
fn absolute_charts(address: &str) -> Result<String> {
    match address.split_once("=dir:") {
        Some((folder, path)) if !folder.contains([':', '/']) => {
            Ok(format!("{folder}={}", absolute_folder(&format!("dir:{path}"), "dir:")?))
        }
        _ => absolute_folder(address, "dir:"),
    }
}

fn no_folder(error: std::io::Error) -> Error {
    Error::from_io("finding the current folder", error)
}
