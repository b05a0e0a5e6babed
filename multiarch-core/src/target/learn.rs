//! Asking what an earlier import left: charts tell names, names are looked up.

use super::{earlier, questions::ask_all};
use crate::{
    apply::{Cancel, Progress},
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::is_registry,
    package::Package,
    plan::{Learned, Options, stored_chart},
    target::Target,
};

impl Target {
    /// Where the cluster pulls from: what the options say, or else what the target's name tells.
    pub fn registry_by<'a>(&'a self, options: &'a Options) -> Option<&'a str> {
        options.registry.as_deref().or(self.registry())
    }

    /// Asks the chart repository for the charts of these packages, and the target for the names that
    /// they render. Without a chart repository there is nothing to learn.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where charts are to be relocated and nobody says to what; where the chart
    /// repository or the target cannot be asked.
    pub fn learn(
        &self,
        packages: &[Package],
        options: &Options,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Learned> {
        // From here on the target is asked; what exactly, the first answers tell.
        progress.asking(0);
        let Some(charts) = self.charts() else { return Ok(Learned::default()) };
        let registry = self.registry_by(options).ok_or_else(|| {
            let message =
                "charts must say where their images are pulled from, and a directory does not tell";
            Error::new(ErrorKind::Usage, message)
        })?;
        if !is_registry(registry) {
            let message = "the registry that charts name is no host with an optional port and path";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        charts.repo().check()?;
        let mut learned = Learned { registry: Some(registry.into()), ..Learned::default() };
        let mut keys: Vec<_> = packages.iter().flat_map(|p| p.bundles()).map(|b| b.key()).collect();
        keys.sort();
        keys.dedup();
        let repo = charts.repo();
        let stored = |(name, version): &(String, String)| match repo.get(name, version) {
            Err(error) if error.kind().is_of_the_whole() => Err(error),
            answer => Ok(stored_chart(answer, options)),
        };
        let answers = ask_all(repo.jobs(), &keys, progress, cancel, stored)?;
        for (key, answer) in keys.into_iter().zip(answers) {
            learned.charts.extend(answer?.map(|stored| (key, stored)));
        }
        let packages: Vec<&Package> = packages.iter().collect();
        let names: Vec<TargetName> = learned.questions(&packages, options).into_iter().collect();
        let is_there = |name: &TargetName| Ok(self.store().get_tag(name)?.is_some());
        let answers = ask_all(self.store().jobs(), &names, progress, cancel, is_there)?;
        for (name, answer) in names.into_iter().zip(answers) {
            if answer.map_err(|error| error.of_image(&name))? {
                learned.existing.insert(name);
            }
        }
        let sources = learned.sources(&packages, options);
        if !sources.is_empty() {
            learned.earlier = Some(earlier::package(self, &sources, progress, cancel)?);
        }
        Ok(learned)
    }
}
