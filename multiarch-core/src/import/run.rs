//! From an import to a plan, and from a plan to a report.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use super::builder::{Import, PackageInput};
#[cfg(feature = "registry")]
use crate::registry::Connector;
use crate::{
    apply,
    chartrepo::ChartAddress,
    error::{Detail, Error, ErrorKind, Result},
    observe,
    package::{Bundle, Package},
    plan::{Inventory, LivePlan, Plan, plan_images},
    report::{Report, Status},
    run::Context,
    source::OpenOptions,
    store::{ChartRepos, OpenCharts, OpenTarget},
};

impl Import {
    /// Fails where the options lack something; needs no package.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where charts are imported, but neither the options nor the target say where
    /// their images are pulled from.
    pub fn check(&self) -> Result<()> {
        self.options.check_insecure_hosts()?;
        if self.options.render && self.charts.is_none() {
            let message =
                "only charts that are imported are rendered, and no chart repository is given";
            return Err(Error::new(ErrorKind::Usage, message));
        }
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
    /// [`ErrorKind::Usage`] where there is no package. Where a package cannot be read at all, or the target or the chart repository as a whole cannot
    /// be asked; [`ErrorKind::PlanOutdated`] where the plan differs from the saved one. Problems of one
    /// image, chart or package are in the plan.
    pub fn plan(&self) -> Result<Plan> {
        self.check()?;
        if self.packages.is_empty() && self.saved.is_none() {
            return Err(Error::new(ErrorKind::Usage, "there is no package to import"));
        }
        let (packages, problems) = self.open_packages()?;
        self.options.check_image_names(packages.iter().map(AsRef::as_ref), &problems)?;
        let packages = self.options.select.of_packages(packages)?;
        let (target, context) = (self.connect(&packages)?, &self.context);
        let earlier = observe::read_earlier_import(&target, &packages, &self.options, context)?;
        let options = &self.options;
        let inventory = observe::take_inventory(&packages, options, &earlier, problems, context)?;
        let mut plan = plan_for(target, context.clone(), inventory)?;
        if let Some(saved) = &self.saved {
            plan.agrees_with(saved)?;
            plan.keep_problems_of(saved);
        }
        Ok(plan)
    }

    /// Reports what the target holds; where packages were added, only under their names and charts.
    ///
    /// # Errors
    /// As [`plan`](Import::plan).
    pub fn status(&self) -> Result<Status> {
        let (packages, problems) = self.open_packages()?;
        let packages = self.options.select.of_packages(packages)?;
        let target = self.connect(&packages)?;
        observe::status(&target, &packages, problems, &self.options, &self.context)
    }

    /// All packages, and the errors of those that could not be opened. A path that cannot be read fails
    /// the whole call; a file that is not a package does not.
    pub(super) fn open_packages(&self) -> Result<(Vec<Arc<Package>>, Vec<Error>)> {
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

    /// Opens the target, and the chart repositories for the folders of these packages.
    #[cfg(feature = "registry")]
    pub(super) fn connect(&self, packages: &[Arc<Package>]) -> Result<OpenTarget> {
        let connector = Connector::new(&self.options, &self.context);
        let of_images = connector.with_credentials(self.credentials.clone());
        let of_charts = connector.with_credentials(self.chart_credentials.clone()).for_charts();
        let mut target = self.target.connect(&self.context.cancel, &of_images)?;
        target.charts = self.open_charts(packages, |address| address.open(&of_charts))?;
        target.registry = self.options.registry.clone().or(target.registry);
        Ok(target)
    }

    #[cfg(not(feature = "registry"))]
    pub(super) fn connect(&self, packages: &[Arc<Package>]) -> Result<OpenTarget> {
        let mut target = self.target.connect(&self.context.cancel)?;
        target.charts =
            self.open_charts(packages, |address| Ok(address.open(&self.context.cancel)))?;
        target.registry = self.options.registry.clone().or(target.registry);
        Ok(target)
    }

    fn open_charts(
        &self,
        packages: &[Arc<Package>],
        open: impl Fn(&ChartAddress) -> Result<OpenCharts>,
    ) -> Result<ChartRepos> {
        let Some(routes) = &self.charts else { return Ok(ChartRepos::default()) };
        let folders = packages.iter().flat_map(|package| package.bundles()).map(Bundle::folder);
        if packages.is_empty() {
            return routes.open_all(open);
        }
        routes.open(folders, open)
    }
}

/// Asks the target, and plans these images and charts.
fn plan_for(target: OpenTarget, context: Context, inventory: Inventory) -> Result<Plan> {
    let survey = observe::survey(&target, &inventory)?;
    let observed = observe::observe(&target, &inventory, &survey, &context)?;
    let images = plan_images(&inventory, &observed);
    let preflight = observe::preflight(&target, survey, &images)?;
    Ok(Plan::new(target, context, inventory, observed, images, &preflight))
}

impl Plan {
    /// Does what the plan says; nothing else writes to the target. Failures are in the report: one
    /// image's failure does not stop the others. Applying again does what is left, and writes nothing
    /// where all is there.
    ///
    /// A plan that was read from JSON is made again first, and nothing is written where a decision
    /// would differ. [`Import::from_saved_plan`] allows the same with credentials, progress and cancel.
    pub fn apply(&self) -> Report {
        if let Some(error) = self.obstacle().filter(|_| self.live.is_some()) {
            let problems = self.problems.clone();
            return Report { problems, ..Report::not_begun(self, error.clone()) };
        }
        let again = match &self.live {
            Some(live) if !live.is_applied.swap(true, Ordering::Relaxed) => {
                return apply::apply(self, live);
            }
            Some(live) => self.observed_again(live),
            None => Import::from_saved_plan(self).and_then(|import| import.plan()),
        };
        match again {
            Ok(plan) => plan.apply(),
            Err(error) => Report::not_begun(self, error),
        }
    }

    /// The plan of what is left to do, because the target has changed since this plan was made.
    fn observed_again(&self, live: &LivePlan) -> Result<Self> {
        let LivePlan { target, context, inventory, .. } = live;
        let mut plan = plan_for(target.clone(), context.clone(), inventory.clone())?;
        plan.keep_problems_of(self);
        Ok(plan)
    }
}
