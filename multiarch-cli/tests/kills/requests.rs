//! The command is killed before and after each of its requests.

use std::{
    os::unix::process::ExitStatusExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use multiarch_testing::{Fault, Registry, Request, Setup};
use rustix::process::Signal;

use crate::{
    content::Content,
    museum::{Manner, Museum},
    place::Place,
    victim::{Moment, Victim},
};

/// What is there before the run; both packages come in.
struct Scene {
    name: &'static str,
    before: Content,
    after: Content,
    requests: usize,
}

const BROUGHT: [&str; 2] = ["amd64", "arm64"];

impl Scene {
    fn new(name: &'static str, before: Content) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let (registry, museum) = servers(&before, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Fault::Nothing
        });
        import(&Place::new(), &BROUGHT, &registry, &museum);
        let after = Content::of(&registry, &museum);
        Self { name, before, after, requests: requests.load(Ordering::SeqCst) }
    }

    fn both() -> [Self; 2] {
        let (registry, museum) = servers(&Content::default(), |_| Fault::Nothing);
        import(&Place::new(), &["s390x", "amd64"], &registry, &museum);
        let mut earlier = Content::of(&registry, &museum);
        earlier.charts.pop_last();
        [Self::new("import", Content::default()), Self::new("fusion", earlier)]
    }
}

/// A registry and a chart repository that ask one rule.
fn servers(
    content: &Content,
    rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
) -> (Registry, Museum) {
    let rule = Arc::new(rule);
    let same = rule.clone();
    let registry = Registry::start(Setup::default(), move |request| rule(request));
    let museum = Museum::start_with(Manner::ChartMuseum, move |request| same(request));
    content.put(&registry, &museum);
    (registry, museum)
}

fn command(
    place: &Place,
    architectures: &[&str],
    registry: &Registry,
    museum: &Museum,
) -> std::process::Command {
    let mut command = place.import(architectures, &format!("docker://{}", registry.address()));
    command.args(["--charts-to", &format!("http://{}", museum.address)]);
    command.args(["--registry", "registry.example.com"]);
    command
}

fn import(place: &Place, architectures: &[&str], registry: &Registry, museum: &Museum) {
    let run = command(place, architectures, registry, museum).output().expect("runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Kills one run at one request. Returns what is wrong then, and whether it was killed.
fn kill(scene: &Scene, number: usize, moment: Moment) -> (Vec<String>, bool) {
    let (place, victim) = (Place::new(), Arc::new(Victim::default()));
    let own = victim.clone();
    let (registry, museum) = servers(&scene.before, move |request| {
        if !own.is_hit(request, number) {
            return Fault::Nothing;
        }
        match moment {
            Moment::Before => {
                own.send(Signal::KILL);
                Fault::Reset
            }
            Moment::After => {
                let own = own.clone();
                Fault::changed(move |answer| {
                    own.send(Signal::KILL);
                    answer
                })
            }
        }
    });
    let child = command(&place, &BROUGHT, &registry, &museum).spawn().expect("runs");
    victim.is(&child);
    let run = child.wait_with_output().expect("ends");
    let was_killed = run.status.signal() == Some(9);
    victim.is_over.store(true, Ordering::SeqCst);
    let mut wrong = Vec::new();
    let left = Content::of(&registry, &museum);
    for (name, bytes) in left.tags() {
        let (repository, tag) = name.rsplit_once(':').expect("a tag");
        wrong.extend(registry.flaws(repository, tag).into_iter().map(|f| format!("{name}: {f}")));
        let is_before = scene.before.tags().get(&name) == Some(&bytes);
        if !is_before && scene.after.tags().get(&name) != Some(&bytes) {
            wrong.push(format!("{name} is neither as before nor complete"));
        }
    }
    if scene.before.tags().keys().any(|name| !left.tags().contains_key(name)) {
        wrong.push("a tag is gone".into());
    }
    let again = command(&place, &BROUGHT, &registry, &museum).output().expect("runs");
    if !again.status.success() {
        wrong.push(format!("the rerun fails: {}", String::from_utf8_lossy(&again.stderr)));
    }
    let found = Content::of(&registry, &museum);
    if found.tags() != scene.after.tags() || found.charts != scene.after.charts {
        wrong.push("the rerun has another result".into());
    }
    let rubbish = place.rubbish();
    if !rubbish.is_empty() {
        wrong.push(format!("left over: {rubbish:?}"));
    }
    let said = |wrong: String| {
        format!("{}, request {number} ({}), {moment:?}: {wrong}", scene.name, victim.place())
    };
    (wrong.into_iter().map(said).collect(), was_killed)
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what the test is run for")]
fn killed_at_every_request() {
    let scenes = Scene::both();
    let mut cases = Vec::new();
    for scene in &scenes {
        let numbers = (0..scene.requests).step_by(crate::step(9));
        cases.extend(numbers.flat_map(|number| Moment::BOTH.map(|moment| (scene, number, moment))));
    }
    let (next, wrong, killed) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((scene, number, moment)) =
                    cases.get(next.fetch_add(1, Ordering::SeqCst))
                {
                    let (found, was_killed) = kill(scene, *number, *moment);
                    wrong.lock().expect("no one panics").extend(found);
                    killed.fetch_add(usize::from(was_killed), Ordering::SeqCst);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no one panics");
    let [import, fusion] = [scenes[0].requests, scenes[1].requests];
    println!(
        "\nkills at requests: {} of {} runs killed (an import of {import} requests, a fusion of {fusion}), {} wrong",
        killed.into_inner(),
        cases.len(),
        wrong.len(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
