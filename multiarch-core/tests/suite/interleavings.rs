//! All orders in which the requests of two writers to one tag can reach a registry.
//!
//! Each writer is a whole import of its own in a thread. A scheduler lets one request at a time through, and
//! the orders are enumerated by running again with other choices. What the tag held before must be there
//! after every order. A writer's own platform may be missing only where the writer ended, or stopped, between
//! the other one's read and write, which no registry can show; then its next run brings it back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use multiarch_core::{
    BlobContent, Digest, Document, Error, ErrorKind, ImageStore, Import, MemoryStore, Package,
    Result, Sent, Target, TargetName,
};
use multiarch_generator::{Image, images_tar};

use crate::own_store::answered_by_memory;
use crate::runs::{Folder, held, import, open};

const TAG: &str = "x:1";

/// A request to the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Read,
    Write,
}

/// Where a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Busy,
    /// It wants to make a request.
    Waiting(Request),
    /// Its request was let through.
    Admitted,
    Ended,
}

/// Lets one request at a time through.
struct Scheduler {
    writers: Mutex<Vec<Writer>>,
    changed: Condvar,
}

impl Scheduler {
    fn new(writers: usize) -> Arc<Self> {
        let writers = Mutex::new(vec![Writer::Busy; writers]);
        Arc::new(Self { writers, changed: Condvar::new() })
    }

    fn set(&self, number: usize, state: Writer) {
        self.writers.lock().expect("not poisoned")[number] = state;
        self.changed.notify_all();
    }

    /// Waits until this writer's request is let through.
    fn ask(&self, number: usize, request: Request) {
        self.set(number, Writer::Waiting(request));
        let writers = self.writers.lock().expect("not poisoned");
        let admitted = |writers: &mut Vec<Writer>| writers[number] != Writer::Admitted;
        drop(self.changed.wait_while(writers, admitted).expect("not poisoned"));
        self.set(number, Writer::Busy);
    }

    /// Waits until every writer waits or has ended; returns those that wait.
    fn waiting(&self) -> Vec<(usize, Request)> {
        let writers = self.writers.lock().expect("not poisoned");
        let unclear = |writers: &mut Vec<Writer>| {
            writers.iter().any(|w| matches!(w, Writer::Busy | Writer::Admitted))
        };
        let writers = self.changed.wait_while(writers, unclear).expect("not poisoned");
        let waits = |(number, writer): (usize, &Writer)| match writer {
            Writer::Waiting(request) => Some((number, *request)),
            _ => None,
        };
        writers.iter().enumerate().filter_map(waits).collect()
    }
}

/// A registry as one writer sees it.
struct Scheduled {
    inner: Arc<MemoryStore>,
    scheduler: Arc<Scheduler>,
    number: usize,
    /// After this many requests to the tag the writer gets no more answers.
    requests: Mutex<usize>,
}

impl Scheduled {
    fn ask(&self, request: Request) -> Result<()> {
        let mut left = self.requests.lock().expect("not poisoned");
        if *left == 0 {
            return Err(Error::new(ErrorKind::Denied, "the writer has stopped"));
        }
        *left -= 1;
        drop(left);
        self.scheduler.ask(self.number, request);
        Ok(())
    }
}

impl ImageStore for Scheduled {
    answered_by_memory!(inner);

    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        self.ask(Request::Read)?;
        self.inner.get_tag(name)
    }

    fn put_tag(&self, name: &TargetName, _: Option<&Digest>, document: &Document) -> Result<()> {
        self.ask(Request::Write)?;
        let now = self.inner.get_tag(name)?;
        self.inner.put_tag(name, now.as_ref().map(Document::digest), document)
    }

    fn put_blob(&self, to: &str, from: Option<&str>, content: &BlobContent<'_>) -> Result<Sent> {
        self.inner.put_blob(to, from, content)
    }

    fn tags_of(&self, _: &str) -> Result<Option<Vec<String>>> {
        Ok(Some(Vec::new()))
    }
}

/// A platform and its manifest.
type Held = (String, String);

/// What the tag holds before, and who writes.
struct Setup {
    before: Vec<Arc<Package>>,
    writers: Vec<(Arc<Package>, Held)>,
    /// How many requests each writer makes before it stops.
    stops: Vec<usize>,
}

/// What happened in one order.
struct Outcome {
    /// The choices that were made, and how many there were at each step.
    choices: Vec<(usize, usize)>,
    /// Platforms that the tag held before, and has no image for any more.
    lost: BTreeSet<String>,
    /// The writers whose image is not there.
    missing: BTreeSet<usize>,
    /// The writers that ended between another one's read and write.
    excused: BTreeSet<usize>,
}

/// Runs the writers in the order that `choose` gives: of so many that wait, the number of the next.
fn run(setup: &Setup, mut choose: impl FnMut(usize) -> usize) -> Outcome {
    let memory = Arc::new(MemoryStore::new());
    if !setup.before.is_empty() {
        assert!(import(&setup.before, &Target::new("memory", memory.clone())).complete);
    }
    let before = held(&*memory, TAG);
    let scheduler = Scheduler::new(setup.writers.len());
    let mut choices = Vec::new();
    let (mut history, mut ended) = (Vec::new(), BTreeSet::new());
    std::thread::scope(|scope| {
        for (number, (package, _)) in setup.writers.iter().enumerate() {
            let (scheduler, inner) = (scheduler.clone(), memory.clone());
            let requests = Mutex::new(setup.stops[number]);
            let store =
                Arc::new(Scheduled { inner, scheduler: scheduler.clone(), number, requests });
            scope.spawn(move || {
                let import = Import::into(Target::new("scheduled", store)).opened(package.clone());
                if let Ok(plan) = import.plan() {
                    plan.apply();
                }
                scheduler.set(number, Writer::Ended);
            });
        }
        loop {
            let waiting = scheduler.waiting();
            for number in 0..setup.writers.len() {
                if waiting.iter().all(|(other, _)| *other != number) && ended.insert(number) {
                    history.push((number, None));
                }
            }
            let Some(last) = waiting.len().checked_sub(1) else { break };
            let choice = choose(waiting.len()).min(last);
            choices.push((choice, waiting.len()));
            let (number, request) = waiting[choice];
            history.push((number, Some(request)));
            scheduler.set(number, Writer::Admitted);
        }
    });
    let after = held(&*memory, TAG);
    let platforms = before.into_iter().map(|(platform, _)| platform);
    let lost = platforms.filter(|platform| after.iter().all(|(there, _)| there != platform));
    let missing = (0..setup.writers.len()).filter(|n| !after.contains(&setup.writers[*n].1));
    let (lost, missing) = (lost.collect(), missing.collect());
    Outcome { choices, lost, missing, excused: excused(&history) }
}

/// The writers that ended between another one's read and the write that follows it.
fn excused(history: &[(usize, Option<Request>)]) -> BTreeSet<usize> {
    let mut excused = BTreeSet::new();
    for (at, (writer, request)) in history.iter().enumerate() {
        if *request != Some(Request::Write) {
            continue;
        }
        let earlier = history[..at].iter().rev();
        let since_read =
            earlier.take_while(|(other, r)| (other, *r) != (writer, Some(Request::Read)));
        excused
            .extend(since_read.filter(|(_, request)| request.is_none()).map(|(number, _)| *number));
        // One that stopped before its own write has brought nothing that could be lost.
    }
    excused
}

/// Checks one order: nothing that was there is lost, and nothing of a writer but where it is excused.
fn check(setup: &Setup, outcome: &Outcome) -> bool {
    assert!(outcome.lost.is_empty(), "{:?} is lost: {:?}", outcome.lost, outcome.choices);
    for writer in &outcome.missing {
        let stopped = setup.stops[*writer] != usize::MAX;
        let excused = stopped || outcome.excused.contains(writer);
        assert!(excused, "what writer {writer} wrote is lost: {:?}", outcome.choices);
    }
    !outcome.missing.is_empty()
}

/// The orders that are still to be run, each as its first choices.
struct Orders {
    open: Vec<Vec<usize>>,
    running: usize,
    done: usize,
    excused: usize,
}

/// Runs every order; returns how many there are, and in how many a writer's own platform was excused.
fn enumerate(setup: &Setup) -> (usize, usize) {
    let orders = Orders { open: vec![Vec::new()], running: 0, done: 0, excused: 0 };
    let orders = Mutex::new(orders);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                loop {
                    // A thread that fails leaves the lock poisoned, so that the others end, too.
                    let mut state = orders.lock().expect("no other order failed");
                    match state.open.pop() {
                        Some(prefix) => {
                            state.running += 1;
                            drop(state);
                            run_and_branch(setup, &prefix, &orders);
                        }
                        None if state.running == 0 => return,
                        None => {
                            drop(state);
                            std::thread::sleep(Duration::from_millis(5));
                        }
                    }
                }
            });
        }
    });
    let orders = orders.into_inner().expect("no order failed");
    (orders.done, orders.excused)
}

/// Runs the order that begins with these choices, and adds those that branch off from it later.
fn run_and_branch(setup: &Setup, prefix: &[usize], orders: &Mutex<Orders>) {
    let mut step = 0;
    let outcome = run(setup, |_| {
        step += 1;
        prefix.get(step - 1).copied().unwrap_or(0)
    });
    let mut state = orders.lock().expect("no other order failed");
    state.excused += usize::from(check(setup, &outcome));
    state.done += 1;
    state.running -= 1;
    for (at, (_, of)) in outcome.choices.iter().enumerate().skip(prefix.len()) {
        let chosen: Vec<usize> = outcome.choices[..at].iter().map(|(choice, _)| *choice).collect();
        state.open.extend((1..*of).map(|other| [&chosen[..], &[other]].concat()));
    }
}

fn package(folder: &Folder, architecture: &str) -> (Arc<Package>, Held) {
    of_build(folder, architecture, "x")
}

fn of_build(folder: &Folder, architecture: &str, build: &str) -> (Arc<Package>, Held) {
    let image = Image::new(architecture, build);
    let tar = images_tar(&[("q.io/x:1", &image)]);
    let path = folder.write(&format!("{architecture}-{build}.tar"), tar);
    (open(&path), (format!("linux/{architecture}"), image.digest()))
}

/// An absent tag, one with a single image, one with an index.
fn setups(folder: &Folder) -> [Vec<Arc<Package>>; 3] {
    let held = ["s390x", "ppc64le"].map(|architecture| package(folder, architecture).0);
    [Vec::new(), held[..1].to_vec(), held.to_vec()]
}

/// In every order, at a tag that holds what stands at this place of [`setups`].
fn two_writers(place: usize) {
    let folder = Folder::new();
    let before = setups(&folder).into_iter().nth(place).expect("a setup");
    let writers = ["amd64", "arm64"].map(|a| package(&folder, a)).to_vec();
    let setup = Setup { before, writers, stops: vec![usize::MAX; 2] };
    let (orders, excused) = enumerate(&setup);
    // Each writer reads for its plan, reads and writes, reads back and looks once more.
    assert!(orders >= 252, "{orders} orders of twice five requests");
    assert!(excused * 4 < orders, "{excused} of {orders}");
}

// A test each, so that they run side by side.
#[test]
fn two_writers_at_an_absent_tag() {
    two_writers(0);
}

#[test]
fn two_writers_at_an_image() {
    two_writers(1);
}

#[test]
fn two_writers_at_an_index() {
    two_writers(2);
}

/// Each writer replaces the image of its own platform. What the other one had read is older than what this
/// one wrote, and is not taken for newer.
#[test]
fn two_upgrades_in_every_order() {
    let folder = Folder::new();
    let before = ["amd64", "arm64"].map(|a| of_build(&folder, a, "older").0).to_vec();
    let writers = ["amd64", "arm64"].map(|a| of_build(&folder, a, "newer")).to_vec();
    let setup = Setup { before, writers, stops: vec![usize::MAX; 2] };
    let (orders, excused) = enumerate(&setup);
    assert!(orders >= 252 && excused * 4 < orders, "{excused} of {orders}");
}

#[test]
fn one_of_two_writers_stops_anywhere() {
    let folder = Folder::new();
    let [_, before, _] = setups(&folder);
    for stop in 1..5 {
        let writers = ["amd64", "arm64"].map(|a| package(&folder, a)).to_vec();
        let setup = Setup { before: before.clone(), writers, stops: vec![stop, usize::MAX] };
        let (orders, _) = enumerate(&setup);
        assert!(orders > stop, "{orders}");
    }
}

#[test]
fn three_writers_in_sampled_orders() {
    let folder = Folder::new();
    let [_, before, _] = setups(&folder);
    let writers = ["amd64", "arm64", "riscv64"].map(|a| package(&folder, a)).to_vec();
    let setup = Setup { before, writers, stops: vec![usize::MAX; 3] };
    let seeds: Vec<u64> = (1..=160).collect();
    std::thread::scope(|scope| {
        for seeds in seeds.chunks(10) {
            let setup = &setup;
            scope.spawn(move || {
                for seed in seeds {
                    let mut state = seed.wrapping_mul(6_364_136_223_846_793_005);
                    let outcome = run(setup, |of| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        (state >> 33) as usize % of
                    });
                    check(setup, &outcome);
                }
            });
        }
    });
}
