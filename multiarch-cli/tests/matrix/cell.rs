//! One run with one fault, and what comes after it.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering, mpsc},
    time::{Duration, Instant},
};

use multiarch_core::{Cancel, Error, Report};
use multiarch_testing::{Registry, Request};

use crate::{
    content::Content,
    disturbance::World,
    faults::{Patience, Row},
    judgement::{Ending, Verdict},
    museum::Museum,
    requests::Kind,
    scene::Scene,
};

/// Which requests of a kind get the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    First,
    Middle(usize),
    Last(usize),
    Every,
}

impl Which {
    /// Those that differ, where a run makes this many requests of the kind.
    pub(crate) fn of(count: usize) -> Vec<Self> {
        let mut all = vec![Self::First, Self::Every];
        if count > 2 {
            all.push(Self::Middle(count / 2));
        }
        if count > 1 {
            all.push(Self::Last(count - 1));
        }
        all
    }

    pub(crate) fn hits(self, number: usize, width: usize) -> bool {
        let from = match self {
            Self::First => 0,
            Self::Middle(at) | Self::Last(at) => at,
            Self::Every => return true,
        };
        (from..from + width).contains(&number)
    }
}

pub(crate) struct Cell {
    pub(crate) scene: &'static Scene,
    pub(crate) row: &'static Row,
    pub(crate) kind: Kind,
    pub(crate) which: Which,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scene, row, kind, which } = self;
        write!(f, "{} | {} | {kind:?} | {which:?}", scene.name, row.name)
    }
}

impl Cell {
    /// True for a registry that says in its own words, at every request, that a tag is not there which is:
    /// no client can know better, and writing the tag is what was asked for.
    pub(crate) fn is_a_lie_about_tags(&self) -> bool {
        let lies = ["404", "404 for moments", "Harbor: tag missing", "Harbor: type not accepted"];
        let is_hidden = self.kind == Kind::ReadTag && lies.contains(&&*self.row.name);
        is_hidden && self.which == Which::Every && self.scene.name == "fusion"
    }

    /// How long the run may take. A request that fails is made six times, with pauses of 8 s together; one
    /// that is throttled twelve times, with pauses of 59 s; one without an answer is broken off after 60 s,
    /// an upload after 120 s. A run that meets the fault at every request makes several such requests one
    /// after the other. The rest is for a machine that runs many cells at once.
    fn limit(&self) -> Duration {
        let uploads = matches!(self.kind, Kind::PutBlob | Kind::Patch);
        Duration::from_secs(match (self.row.patience, self.which) {
            (Patience::Hanging, _) if uploads => 420,
            (Patience::Hanging, _) => 200,
            (Patience::Failures, Which::Every) => 120,
            (Patience::Throttled, Which::Every) => 240,
            (_, _) => 60,
        })
    }

    pub(crate) fn run(&self) -> Verdict {
        let world = World::of(self.scene);
        let rule = |is_of_charts| {
            let (world, fault) = (world.clone(), (self.row, self.kind, self.which));
            move |request: &Request| world.rule(request, is_of_charts, fault)
        };
        let (registry, museum) = self.scene.servers(rule(false), rule(true));
        let registry = Arc::new(registry);
        world.knows(&registry);
        self.judge(&world, &registry, &museum)
    }

    fn judge(&self, world: &World, registry: &Arc<Registry>, museum: &Museum) -> Verdict {
        let begun = Instant::now();
        let result = self.patiently(registry, museum);
        let took = begun.elapsed();
        let mut verdict = Verdict::of(self, result, took, self.limit());
        verdict.hits = world.hits.load(Ordering::SeqCst);
        let after = Content::of(registry, museum);
        verdict.check_tags(&self.scene.before, registry, &after);
        world.is_calm.store(true, Ordering::SeqCst);
        if verdict.ending == Ending::Success {
            verdict.check_equal("a success", &after, &self.scene.after);
            return verdict;
        }
        match self.patiently(registry, museum) {
            Ok(report) if report.complete => {
                let after = Content::of(registry, museum);
                verdict.check_equal("the rerun", &after, &self.scene.after);
            }
            Ok(report) => {
                let errors: Vec<String> = report.errors().map(ToString::to_string).collect();
                verdict.complain(format!("the rerun is not complete: {errors:?}"));
            }
            Err(error) => verdict.complain(format!("the rerun fails: {error}")),
        }
        verdict
    }

    /// Runs the import, and cancels it when its time is over.
    fn patiently(&self, registry: &Registry, museum: &Museum) -> Result<Report, Error> {
        let (cancel, (done, is_done)) = (Cancel::new(), mpsc::channel::<()>());
        let (own, limit) = (cancel.clone(), self.limit());
        std::thread::spawn(move || {
            if is_done.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                own.cancel();
            }
        });
        let result = self.scene.import_into(registry, museum, &cancel);
        drop(done);
        result
    }
}
