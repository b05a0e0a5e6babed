//! An import: packages, a target and options, from which a plan is made.

use std::{path::PathBuf, sync::Arc};

use super::Target;
#[cfg(feature = "registry")]
use crate::registry::Connector;
use crate::{
    apply,
    chartrepo::ChartAddress,
    config::Credentials,
    error::{Detail, Error, ErrorKind, Result},
    observe,
    package::Package,
    plan::{Options, Plan},
    report::{Report, Status},
    run::{Cancel, Context, Meter},
    source::OpenOptions,
    store::OpenTarget,
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
    target: Target,
    charts: Option<ChartAddress>,
    packages: Vec<PackageInput>,
    options: Options,
    context: Context,
    cache: Option<PathBuf>,
    credentials: Option<Credentials>,
    chart_credentials: Option<Credentials>,
    /// The saved plan that the new plan must agree with, if there is one.
    saved: Option<Box<Plan>>,
}

#[derive(Clone, Debug)]
enum PackageInput {
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
    /// [`ErrorKind::Usage`] where the saved plan's target or chart repository has no valid address.
    pub fn from_saved_plan(saved: &Plan) -> Result<Self> {
        let mut import = Self::into(Target::open(&saved.target)?).options(saved.options.clone());
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
    /// # Errors
    /// [`ErrorKind::Usage`] for anything else.
    pub fn charts_to(mut self, address: &str) -> Result<Self> {
        self.charts = Some(address.parse()?);
        Ok(self)
    }

    /// The same with a parsed address.
    #[cfg(test)]
    pub(crate) fn charts_to_address(mut self, address: ChartAddress) -> Self {
        self.charts = Some(address);
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

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The chart repository, as the user named it.
    pub fn chart_address(&self) -> Option<String> {
        self.charts.as_ref().map(ToString::to_string)
    }

    /// Fails where the options lack something; needs no package.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where charts are imported, but neither the options nor the target say where
    /// their images are pulled from.
    pub fn check(&self) -> Result<()> {
        let known = self.options.registry.is_some() || self.target.registry().is_some();
        if self.charts.is_none() || known {
            return Ok(());
        }
        let message = "charts name the images that a cluster pulls, and a directory is no registry";
        Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::RegistryUnknown))
    }

    /// Reads the packages, asks the target what it holds, and plans what to do. Writes nothing
    /// to the target.
    ///
    /// # Errors
    /// Where a package cannot be read at all, or the target or the chart repository as a whole cannot
    /// be asked; [`ErrorKind::PlanOutdated`] where the plan differs from the saved one. Problems of one
    /// image, chart or package are in the plan.
    pub fn plan(&self) -> Result<Plan> {
        self.check()?;
        let (packages, problems) = self.open_packages()?;
        let (target, context) = (self.connect()?, &self.context);
        let earlier = observe::read_earlier_import(&target, &packages, &self.options, context)?;
        let inventory = observe::take_inventory(&packages, &self.options, &earlier, problems);
        let observed = observe::observe(&target, &inventory, context)?;
        let plan = Plan::new(target, context.clone(), inventory, observed);
        if let Some(saved) = &self.saved {
            plan.agrees_with(saved)?;
        }
        Ok(plan)
    }

    /// Reports what the target holds; where packages were added, only under their names and charts.
    ///
    /// # Errors
    /// As [`plan`](Import::plan).
    pub fn status(&self) -> Result<Status> {
        let (packages, problems) = self.open_packages()?;
        let target = self.connect()?;
        observe::status(&target, &packages, problems, &self.options, &self.context)
    }

    /// All packages, and the errors of those that could not be opened. A path that cannot be read fails
    /// the whole call; a file that is not a package does not.
    fn open_packages(&self) -> Result<(Vec<Arc<Package>>, Vec<Error>)> {
        let paths: Vec<&PathBuf> = self
            .packages
            .iter()
            .filter_map(|source| match source {
                PackageInput::Path(path) => Some(path),
                PackageInput::Opened(_) => None,
            })
            .collect();
        let options = OpenOptions::in_context(&self.context, self.cache.clone());
        let mut opened = options.open_all(&paths)?.into_iter();
        let (mut packages, mut problems) = (Vec::new(), Vec::new());
        for source in &self.packages {
            match source {
                PackageInput::Opened(package) => packages.push(package.clone()),
                PackageInput::Path(_) => match opened.next() {
                    Some(Ok(package)) => packages.push(Arc::new(package)),
                    Some(Err(error)) => problems.push(error),
                    None => {}
                },
            }
        }
        Ok((packages, problems))
    }

    #[cfg(feature = "registry")]
    fn connect(&self) -> Result<OpenTarget> {
        let connector = Connector::new(&self.options, &self.context);
        let of_images = connector.with_credentials(self.credentials.clone());
        let of_charts = connector.with_credentials(self.chart_credentials.clone());
        let mut target = self.target.connect(&of_images)?;
        target.charts = self.charts.as_ref().map(|charts| charts.open(&of_charts)).transpose()?;
        target.registry = self.options.registry.clone().or(target.registry);
        Ok(target)
    }

    #[cfg(not(feature = "registry"))]
    fn connect(&self) -> Result<OpenTarget> {
        let mut target = self.target.connect()?;
        target.charts = self.charts.as_ref().map(ChartAddress::open);
        target.registry = self.options.registry.clone().or(target.registry);
        Ok(target)
    }
}

impl Plan {
    /// Does what the plan says; nothing else writes to the target. Failures are in the report: one
    /// image's failure does not stop the others. Applying again does what is left, and writes nothing
    /// where all is there.
    ///
    /// A plan that was read from JSON is made again first, and nothing is written where a decision
    /// would differ. [`Import::from_saved_plan`] allows the same with credentials, progress and cancel.
    pub fn apply(&self) -> Report {
        if let Some(live) = &self.live {
            return apply::apply(self, live);
        }
        match Import::from_saved_plan(self).and_then(|import| import.plan()) {
            Ok(plan) => plan.apply(),
            Err(error) => Report::not_begun(self, error),
        }
    }
}
