//! How many requests a registry gets at once, uploads that break off, and how both are reported.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use multiarch_generator::Large;
use multiarch_testing::{Answer, Fault, Request};
use serde_json::Value;

use crate::{
    desk::{Desk, Run},
    server::{ALL, Kind, Server},
};

/// A package of `charts` charts with two images each, whose layers have `layer_size` bytes.
pub(crate) fn package(desk: &Desk, charts: usize, layer_size: u64) -> String {
    let (images, layers) = (2, 2);
    let large = Large { architecture: "amd64".into(), charts, images, layers, layer_size };
    let mut content = Vec::new();
    large.write(&mut content).expect("to memory");
    desk.write("large-v1.0.0-amd64.tar", content)
}

pub(crate) fn complete(run: &Run) {
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// The last line of progress. Notes may come after it.
pub(crate) fn last_line(run: &Run) -> Value {
    let last = run.err.lines().rfind(|line| line.starts_with('{')).expect("a line");
    serde_json::from_str(last).expect("JSON")
}

/// Checks that every image exists, and that its blobs match their digests.
fn validate(server: &Server, report: &Value) {
    for image in report["images"].as_array().expect("images") {
        server.fetch(image["name"].as_str().expect("a name"));
    }
}

/// True for the first upload of a blob of this size.
fn first_of_size(size: u64) -> impl Fn(&Request) -> bool {
    let seen = AtomicUsize::new(0);
    move |request| {
        let large = request.is("PUT", "/blobs/uploads/") && request.length == size;
        large && seen.fetch_add(1, Ordering::Relaxed) == 0
    }
}

/// Answers take this long, because requests that are answered immediately hardly ever overlap.
const BRIEFLY: Duration = Duration::from_millis(5);

#[test]
fn jobs_bound_the_requests_under_way() {
    let desk = Desk::new();
    let package = package(&desk, 6, 300_000);
    for jobs in [1, 2, 5, 32] {
        let server = Server::start_with(Kind::V3, |_| Fault::Delay(BRIEFLY));
        let words = ["import", &package, "--to", &server.target(), "--jobs", &jobs.to_string()];
        complete(&desk.run(&words));
        let most = server.take().iter().map(|request| request.at_once).max().expect("requests");
        assert!(most <= jobs, "{most} of {jobs}");
        assert!(jobs == 1 || most > 1, "{most} of {jobs}");
    }
}

/// A request is under way until its answer has ended; charts go to the same server.
#[test]
fn jobs_bound_the_answers_under_way() {
    let desk = Desk::new();
    for jobs in [1, 3] {
        let linger = |_: &Request| Fault::Linger(Duration::from_millis(20));
        let server = Server::start_with(Kind::V3, linger);
        let charts = format!("oci://{}/charts", server.address);
        let jobs_text = jobs.to_string();
        let common = ["--to", &server.target(), "--charts-to", &charts, "--jobs", &jobs_text];
        let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
        complete(&desk.run(&[&["import", &amd64, &arm64], &common[..]].concat()));
        complete(&desk.run(&[&["status"], &common[..2], &common[4..]].concat()));
        let most = server.take().iter().map(|request| request.at_once).max().expect("requests");
        assert!(most <= jobs, "{most} of {jobs}");
    }
}

/// A server that answers an upload before it has read it, and keeps the connection open.
#[test]
fn an_early_answer_ends_an_upload() {
    let desk = Desk::new();
    let early = |request: &Request| match request.method.as_str() {
        "PUT" if request.length > 1 << 20 && request.path.contains("/blobs/") => Fault::Early(413),
        _ => Fault::Nothing,
    };
    let server = Server::start_with(Kind::V3, early);
    let package = package(&desk, 2, 9 << 20);
    let begun = Instant::now();
    let run = desk.run(&["import", &package, "--to", &server.target(), "--jobs", "2", "--json"]);
    complete(&run);
    // Each of eight uploads would hang until the connection is idle for too long: 30 seconds.
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    validate(&server, &run.json());
}

/// A server that refuses more than two requests at once gets two at a time, and the whole package.
#[test]
fn a_busy_server_is_asked_less_at_once() {
    let desk = Desk::new();
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start_with(Kind::V3, |request| {
        if request.at_once <= 2 {
            return Fault::Delay(BRIEFLY);
        }
        REFUSED.fetch_add(1, Ordering::Relaxed);
        Fault::answer(429)
    });
    let package = package(&desk, 20, 20_000);
    let run = desk.run(&["import", &package, "--to", &server.target(), "--json"]);
    complete(&run);
    validate(&server, &run.json());
    let (requests, refused) = (server.take().len(), REFUSED.load(Ordering::Relaxed));
    assert!(refused > 0 && refused * 4 < requests, "{refused} of {requests} were refused");
}

#[test]
fn an_upload_that_breaks_off_continues_if_the_server_reports_its_length() {
    const SIZE: u64 = 24 << 20;
    for kind in ALL {
        let desk = Desk::new();
        let cut = first_of_size(SIZE);
        let server = Server::start_with(kind, move |request| {
            if cut(request) { Fault::Cut(SIZE / 2) } else { Fault::Nothing }
        });
        let package = package(&desk, 1, SIZE);
        let run = desk.run(&["import", &package, "--to", &server.target(), "--json"]);
        complete(&run);
        validate(&server, &run.json());
        let requests = server.take();
        let whole = requests.iter().filter(|r| r.method == "PUT" && r.length == SIZE).count();
        let rest: u64 = requests.iter().filter(|r| r.method == "PATCH").map(|r| r.length).sum();
        if kind.keeps_parts() {
            // Four layers; one of them in two parts.
            assert!(whole == 4 && rest > 0 && rest < SIZE, "{kind:?} {whole} {rest}");
        } else {
            // This server does not report how many bytes it has, so it gets the whole blob again.
            assert!(whole == 5 && rest == 0, "{kind:?} {whole} {rest}");
        }
    }
}

/// A server that does not have the bytes that it reports gets the whole blob again.
#[test]
fn an_upload_that_cannot_continue_begins_again() {
    const SIZE: u64 = 4 << 20;
    for range in ["0-99", "0-4194303", "0-99999999", "1-5", ""] {
        let desk = Desk::new();
        let cut = first_of_size(SIZE);
        let server = Server::start_with(Kind::V3, move |request| {
            if request.is("GET", "/blobs/uploads/") {
                return Fault::Answer(Answer::new(204).header("Range", range));
            }
            if cut(request) { Fault::Cut(SIZE / 2) } else { Fault::Nothing }
        });
        let package = package(&desk, 1, SIZE);
        let run = desk.run(&["import", &package, "--to", &server.target(), "--json"]);
        complete(&run);
        validate(&server, &run.json());
    }
}

/// A server that takes half of each blob, and nothing more.
#[test]
fn an_upload_that_never_ends_is_given_up() {
    const SIZE: u64 = 2 << 20;
    let desk = Desk::new();
    let server = Server::start_with(Kind::V3, |request| match request.method.as_str() {
        "PUT" if request.length == SIZE => Fault::Cut(SIZE / 2),
        "PATCH" => Fault::answer(500),
        _ => Fault::Nothing,
    });
    let package = package(&desk, 1, SIZE);
    let words = ["import", &package, "--to", &server.target(), "--progress", "json"];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let mut puts = std::collections::BTreeMap::<String, usize>::new();
    for request in server.take().iter().filter(|r| r.method == "PUT" && r.length == SIZE) {
        let digest = request.path.rsplit("digest=").next().expect("a digest");
        *puts.entry(digest.to_owned()).or_default() += 1;
    }
    assert!(puts.len() == 4 && puts.values().all(|count| *count <= 8), "{puts:?}");
    // Its bytes do not count as sent, and are no longer part of the total.
    let last = last_line(&run);
    let bytes = |name: &str| last[name].as_u64().expect("a number");
    assert!(bytes("bytes") < SIZE && bytes("bytes") == bytes("bytes_total"), "{last}");
}

#[test]
fn a_server_that_goes_away_ends_the_run() {
    static IS_BACK: AtomicBool = AtomicBool::new(false);
    let desk = Desk::new();
    let server = Server::start_with(Kind::V3, |request| {
        let answers = request.number < 600 || IS_BACK.load(Ordering::SeqCst);
        if answers { Fault::Nothing } else { Fault::Reset }
    });
    let package = package(&desk, 40, 1000);
    let words = ["import", &package, "--to", &server.target(), "--json", "--quiet"];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    // One error reports it, and the same command continues from there.
    assert_eq!(run.err.matches("and nothing else for").count(), 1, "{}", run.err);
    let report = run.json();
    let images = report["images"].as_array().expect("images");
    let not_reached = images.iter().filter(|image| image["state"] == "not-reached").count();
    assert!(not_reached > 20, "{not_reached}");
    IS_BACK.store(true, Ordering::SeqCst);
    complete(&desk.run(&["import", &package, "--to", &server.target(), "--quiet"]));
}

/// Every blob is refused once and sent twice, but counted once.
#[test]
fn blobs_that_are_sent_again_count_once() {
    let desk = Desk::new();
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let server = Server::start_with(Kind::V3, move |request| {
        let digest = request.path.rsplit("digest=").next().unwrap_or_default().to_owned();
        let upload = request.is("PUT", "/blobs/uploads/");
        if upload && seen.lock().expect("digests").insert(digest) {
            return Fault::answer(502);
        }
        Fault::Nothing
    });
    let package = package(&desk, 5, 200_000);
    let words = ["import", &package, "--to", &server.target(), "--json", "--progress", "json"];
    let run = desk.run(&words);
    complete(&run);
    let last = last_line(&run);
    assert_eq!(last["bytes"], run.json()["bytes_sent"]);
    assert_eq!(last["bytes"], last["bytes_total"]);
}

#[test]
fn progress_adds_up_however_many_jobs_there_are() {
    let desk = Desk::new();
    let package = package(&desk, 6, 100_000);
    for jobs in ["1", "32"] {
        let server = Server::start(Kind::V3);
        let target = server.target();
        let words = ["import", &package, "--to", &target, "--jobs", jobs, "--progress", "json"];
        let run = desk.run(&words);
        complete(&run);
        let lines = run.err.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let lines: Vec<Value> = lines.collect();
        let last = lines.last().expect("a line at the end at least");
        assert_eq!(last["schema"], "multiarch.progress/v1");
        assert_eq!(last["phase"], "sending");
        for (done, total) in
            [("bytes", "bytes_total"), ("images", "images_total"), ("charts", "charts_total")]
        {
            assert_eq!(last[done], last[total], "--jobs {jobs}: {done}");
        }
        assert_eq!((&last["images"], &last["charts"]), (&12.into(), &6.into()));
        assert_eq!(last["seconds_left"], 0);
    }
}

#[test]
fn a_server_that_asks_for_patience_is_named() {
    let desk = Desk::new();
    let server = Server::start_with(Kind::V3, |request| {
        if request.number == 1 {
            return Fault::Answer(Answer::new(429).header("Retry-After", "3"));
        }
        Fault::Nothing
    });
    let words = ["import", &package(&desk, 1, 100), "--to", &server.target(), "--progress", "json"];
    let run = desk.run(&words);
    complete(&run);
    let waits = run.err.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let waits: Vec<Value> = waits.map(|line| line["waiting_for"].clone()).collect();
    let named = |wait: &Value| {
        wait.as_str().is_some_and(|wait| {
            wait.starts_with(&format!("{}, which asks for patience, ", server.address))
        })
    };
    assert!(waits.iter().any(named), "{waits:?}");
}

#[test]
fn a_plan_says_how_many_requests_it_takes() {
    let desk = Desk::new();
    let server = Server::start_with(Kind::V3, |_| Fault::Nothing);
    for architecture in ["amd64", "arm64"] {
        let package = desk.package(architecture);
        let run = |verb| {
            let run = desk.run(&[verb, &package, "--to", &server.target(), "--json"]);
            complete(&run);
            (run.json(), server.take())
        };
        let (plan, asked) = run("plan");
        assert!(asked.iter().all(|r| r.method == "GET" || r.method == "HEAD"), "{asked:?}");
        let (report, done) = run("import");
        let expected = plan["cost"]["requests"].as_u64().expect("a number");
        assert_eq!((done.len() - asked.len()) as u64, expected, "{architecture}");
        assert_eq!(plan["bytes_to_send"], report["bytes_sent"]);
        assert_eq!(plan["cost"]["disk_bytes"], 0);
    }
}
