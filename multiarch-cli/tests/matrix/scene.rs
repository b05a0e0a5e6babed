//! A run without faults: what is there before it, what is brought, and what is there afterwards.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, mpsc},
    time::Duration,
};

use multiarch_core::{Cancel, Import, Options, Package, Report, Target};
use multiarch_testing::{Demand, Fault, Registry, Request, Setup};

use crate::{
    content::Content,
    museum::{Manner, Museum},
    pair,
    requests::{Kind, Sorter},
};

/// A run without faults.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    packages: Vec<Arc<Package>>,
    setup: Setup,
    pub(crate) before: Content,
    pub(crate) after: Content,
    counts: BTreeMap<Kind, usize>,
}

fn package(architecture: &str) -> Arc<Package> {
    let content = std::io::Cursor::new(pair::package(architecture));
    Arc::new(Package::from_reader(&pair::file_name(architecture), content).expect("a package"))
}

impl Scene {
    /// Two packages come into an empty registry, blobs in one piece.
    pub(crate) fn import() -> Self {
        let packages = vec![package("amd64"), package("arm64")];
        Self::new("import", packages, Setup::default(), Content::default())
    }

    /// Two packages come to tags that hold one of their platforms and one more, blobs in chunks. One of
    /// two charts is there.
    pub(crate) fn fusion() -> Self {
        let setup = Setup { whole_blobs: false, ..Setup::default() };
        let earlier = vec![package("s390x"), package("amd64")];
        let mut before = Self::new("earlier", earlier, Setup::default(), Content::default()).after;
        before.charts.remove(pair::CHARTS[0]);
        Self::new("fusion", vec![package("amd64"), package("arm64")], setup, before)
    }

    fn new(name: &'static str, packages: Vec<Arc<Package>>, setup: Setup, before: Content) -> Self {
        let demand = Demand::Token { lifetime: Duration::from_secs(300), uses: usize::MAX };
        let setup = Setup { demand, ..setup };
        let (after, counts) = Default::default();
        let mut scene = Self { name, packages, setup, before, after, counts };
        let (kinds, kind) = mpsc::channel();
        let (images, charts, sorter) = (kinds.clone(), kinds, Sorter::default());
        let (registry, museum) = scene.servers(
            move |request| {
                let _ = images.send(sorter.kind(request));
                Fault::Nothing
            },
            move |request| {
                let _ = charts.send(Kind::of_charts(request));
                Fault::Nothing
            },
        );
        let report = scene.import_into(&registry, &museum, &Cancel::new()).expect("a plan");
        assert!(report.complete, "{name}: {report}");
        kind.try_iter().for_each(|kind| *scene.counts.entry(kind).or_default() += 1);
        scene.after = Content::of(&registry, &museum);
        scene
    }

    /// How many requests of a kind the run makes.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// Servers that hold what is there before the run.
    pub(crate) fn servers(
        &self,
        images: impl Fn(&Request) -> Fault + Send + Sync + 'static,
        charts: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> (Registry, Museum) {
        let registry = Registry::start(self.setup.clone(), images);
        let museum = Museum::start_with(Manner::ChartMuseum, charts);
        self.before.put(&registry, &museum);
        (registry, museum)
    }

    pub(crate) fn import_into(
        &self,
        registry: &Registry,
        museum: &Museum,
        cancel: &Cancel,
    ) -> multiarch_core::Result<Report> {
        let mut options = Options::default();
        options.jobs = NonZeroUsize::new(4);
        // The charts of one run must be those of another one, whatever port it got.
        options.registry = Some("registry.example.com".into());
        let import = Import::into(Target::open(&format!("docker://{}", registry.address()))?)
            .charts_to(&format!("http://{}", museum.address))?
            .options(options)
            .cancel(cancel);
        let import = self.packages.iter().fold(import, |import, p| import.opened(p.clone()));
        Ok(import.plan()?.apply())
    }
}
