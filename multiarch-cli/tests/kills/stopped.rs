//! One writer is stopped at each of its requests while another one imports another architecture to its
//! end; then it goes on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use multiarch_testing::{Fault, Registry, Request, Setup};
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    place::Place,
    victim::{Moment, Victim},
};

/// Name → architectures at it.
type Held = BTreeMap<String, Vec<String>>;

fn held(registry: &Registry) -> Held {
    let mut held = Held::new();
    for repository in registry.repositories() {
        for tag in registry.tags(&repository) {
            assert_eq!(registry.flaws(&repository, &tag), Vec::<String>::new());
            let manifest = registry.manifest(&repository, &tag).expect("listed");
            let index: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
            let entries = index["manifests"].as_array().into_iter().flatten();
            let text =
                |entry: &Value| entry["platform"]["architecture"].as_str().map(str::to_owned);
            held.insert(format!("{repository}:{tag}"), entries.filter_map(text).collect());
        }
    }
    held
}

fn run(place: &Place, architectures: &[&str], target: &str) {
    let run = place.import(architectures, target).output().expect("runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// How one case ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Kept,
    /// The writer was stopped between its last read of a tag and its write, in which the other one came and
    /// went. A registry cannot compare and swap, so that this is what README.md excludes: a rerun of the
    /// other writer mends it.
    LostInTheWindow(String),
    Wrong(String),
}

/// Stops the writer of arm64 at one of its requests, and has amd64 imported meanwhile.
fn stop(number: usize, moment: Moment, expected: &Held) -> End {
    let (place, victim) = (Arc::new(Place::new()), Arc::new(Victim::default()));
    let target = Arc::new(OnceLock::<String>::new());
    let is_armed = Arc::new(OnceLock::new());
    let (own, to, at, armed) = (victim.clone(), target.clone(), place.clone(), is_armed.clone());
    let registry = Registry::start(Setup::default(), move |request: &Request| {
        if armed.get().is_none() || !own.is_hit(request, number) {
            return Fault::Nothing;
        }
        let (own, to, at) = (own.clone(), to.clone(), at.clone());
        let meanwhile = move || {
            own.is_over.store(true, Ordering::SeqCst);
            own.send(Signal::STOP);
            run(&at, &["amd64"], to.get().expect("set before"));
            own.goes_on.store(true, Ordering::SeqCst);
            own.send(Signal::CONT);
        };
        match moment {
            Moment::Before => {
                meanwhile();
                Fault::Nothing
            }
            Moment::After => Fault::changed(move |answer| {
                meanwhile();
                answer
            }),
        }
    });
    target.set(format!("docker://{}", registry.address())).expect("set once");
    let target = target.get().expect("set");
    run(&place, &["s390x"], target);
    is_armed.set(()).expect("set once");
    let child = place.import(&["arm64"], target).spawn().expect("runs");
    victim.is(&child);
    let output = child.wait_with_output().expect("ends");
    let what = format!("request {number} ({}), {moment:?}", victim.place());
    if !output.status.success() {
        return End::Wrong(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    if held(&registry) == *expected {
        return End::Kept;
    }
    let found = format!("{what}: {:?}", held(&registry));
    let is_in_window = victim.is_between_read_and_write(moment);
    run(&place, &["amd64"], target);
    match is_in_window && held(&registry) == *expected {
        true => End::LostInTheWindow(found),
        false => End::Wrong(found),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what the test is run for")]
fn stopped_at_every_request_while_another_one_writes() {
    let (place, registry) = (Place::new(), Registry::new());
    let target = format!("docker://{}", registry.address());
    run(&place, &["s390x"], &target);
    registry.take();
    run(&place, &["arm64"], &target);
    let requests = registry.take().len();
    run(&place, &["amd64"], &target);
    let expected = held(&registry);
    let numbers = (0..requests).step_by(crate::step(4));
    let cases: Vec<_> = numbers.flat_map(|n| Moment::BOTH.map(|moment| (n, moment))).collect();
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((number, moment)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let end = stop(*number, *moment, &expected);
                    ends.lock().expect("no one panics").push(end);
                }
            });
        }
    });
    let ends = ends.into_inner().expect("no one panics");
    let in_window: Vec<_> =
        ends.iter().filter(|end| matches!(end, End::LostInTheWindow(_))).collect();
    let wrong: Vec<_> = ends.iter().filter(|end| matches!(end, End::Wrong(_))).collect();
    println!(
        "\nstops: {} at {requests} requests, before and after; {} kept all, {} lost a platform between the read and the write of its tag (a rerun mended it), {} wrong",
        ends.len(),
        ends.iter().filter(|end| **end == End::Kept).count(),
        in_window.len(),
        wrong.len(),
    );
    in_window.iter().for_each(|end| println!("    {end:?}"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
