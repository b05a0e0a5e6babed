//! An import: packages, a target and options, from which a plan is made.

use std::{path::PathBuf, sync::Arc};

use super::Target;
use crate::{
    chartrepo::ChartRoutes,
    config::Credentials,
    error::{Error, ErrorKind, Result},
    package::Package,
    plan::{Options, Plan},
    run::{Cancel, Context, Meter},
};

/// Imports packages into a target, and fuses them with what is there.
///
/// ```
/// use multiarch_core::Import;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # std::env::set_current_dir(folder.path()).expect("there");
/// # for arch in ["amd64", "arm64"] {
/// #     let name = multiarch_generator::package_name("v1.0.0", arch);
/// #     std::fs::write(name, multiarch_generator::demo_package(arch)).expect("written");
/// # }
/// let plan = Import::into("oci:store".parse()?)
///     .package("addon-offline-full-package-v1.0.0-amd64.tar.gz")
///     .package("addon-offline-full-package-v1.0.0-arm64.tar.gz")
///     .plan()?;
/// println!("{plan}");
/// assert!(plan.apply().complete);
/// # Ok::<(), multiarch_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Import {
    pub(super) target: Target,
    pub(super) charts: Option<ChartRoutes>,
    pub(super) packages: Vec<PackageInput>,
    pub(super) options: Options,
    pub(super) context: Context,
    pub(super) cache: Option<PathBuf>,
    pub(super) credentials: Option<Credentials>,
    pub(super) chart_credentials: Option<Credentials>,
    /// The saved plan that the new plan must agree with, if there is one.
    pub(super) saved: Option<Box<Plan>>,
}

#[derive(Clone, Debug)]
pub(super) enum PackageInput {
    Path(PathBuf),
    Opened(Arc<Package>),
}

impl Import {
    /// An import without packages.
    pub fn into(target: Target) -> Self {
        Self {
            target,
            charts: None,
            packages: Vec::new(),
            options: Options::default(),
            context: Context::default(),
            cache: None,
            credentials: None,
            chart_credentials: None,
            saved: None,
        }
    }

    /// The import that a saved plan was made from. Its [`plan`](Import::plan) fails where a decision
    /// would differ from the saved one.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the saved plan's target or chart repository has
    /// no valid address.
    pub fn from_saved_plan(saved: &Plan) -> Result<Self> {
        if saved.own_store {
            let message = format!("{} is a store of a program's own, not an address", saved.target);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Self::from_saved_plan_into(saved, Target::open(&saved.target)?)
    }

    /// As [`from_saved_plan`](Import::from_saved_plan), with the target that the saved plan was made for:
    /// a store of one's own cannot be saved.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the saved plan's chart repository has no valid
    /// address.
    pub fn from_saved_plan_into(saved: &Plan, target: Target) -> Result<Self> {
        let mut import = Self::into(target).options(saved.options.clone());
        if let Some(charts) = &saved.charts_to {
            import = import.charts_to(charts)?;
        }
        for package in &saved.packages {
            import = import.package(&package.path);
        }
        import.saved = Some(Box::new(saved.clone()));
        Ok(import)
    }

    /// Where charts go: `dir:DIR`, `oci://host[:port][/path]`, or the address of a ChartMuseum or a
    /// Harbor, `http(s)://host[:port][/path]`. Without, only images are imported.
    ///
    /// With `{folder}` in the address, or with `FOLDER=ADDRESS`, several times or with commas between, the
    /// charts of each folder of a package go to a repository of their own.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for anything else.
    pub fn charts_to(mut self, address: &str) -> Result<Self> {
        self.charts = Some(match self.charts.take() {
            Some(routes) => routes.and(address)?,
            None => address.parse()?,
        });
        Ok(self)
    }

    /// The same without charts: only images are imported.
    #[must_use]
    pub(super) fn without_charts(mut self) -> Self {
        self.charts = None;
        self.options.render = false;
        self
    }

    /// The same with a parsed address.
    #[cfg(test)]
    pub(crate) fn charts_to_address(mut self, address: crate::chartrepo::ChartAddress) -> Self {
        self.charts = Some(address.into());
        self
    }

    /// Adds a package, by its path. It is opened by [`plan`](Import::plan).
    #[must_use]
    pub fn package(mut self, path: impl Into<PathBuf>) -> Self {
        self.packages.push(PackageInput::Path(path.into()));
        self
    }

    /// Adds a package that is open already.
    #[must_use]
    pub fn opened(mut self, package: impl Into<Arc<Package>>) -> Self {
        self.packages.push(PackageInput::Opened(package.into()));
        self
    }

    /// Sets the options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Stores an index of each package in this folder, so that the next run need not read all of the
    /// package.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Reports the run's progress to this meter.
    #[must_use]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.context.meter = meter.clone();
        self
    }

    /// Stops when this is cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.context.cancel = cancel.clone();
        self
    }

    /// Credentials for images. Without, they come from the environment, or from docker's or podman's
    /// configuration.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Credentials for charts. Without, they come from the same places as those for images.
    #[must_use]
    pub fn chart_credentials(mut self, credentials: Credentials) -> Self {
        self.chart_credentials = Some(credentials);
        self
    }

    /// The options that were set.
    pub fn given_options(&self) -> &Options {
        &self.options
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The chart repositories, as the user named them.
    pub fn chart_address(&self) -> Option<String> {
        self.charts.as_ref().map(ToString::to_string)
    }
}
