//! Registries that answer what is not so: for moments, or always. No architecture is lost, and what did not
//! arrive is not reported as there.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use multiarch_generator::{Image, images_tar};
use multiarch_testing::{Answer, Fault, Request};
use serde_json::Value;

use crate::{
    desk::{Desk, multiarch},
    server::{Kind, Server},
};

const NAME: &str = "team/app:1";

fn archive(desk: &Desk, architecture: &str) -> String {
    let image = Image::new(architecture, "app");
    desk.write(&format!("{architecture}.tar"), images_tar(&[("q.io/team/app:1", &image)]))
}

fn is_tag(request: &Request, method: &str) -> bool {
    request.is(method, "/v2/team/app/manifests/1")
}

fn unknown() -> Fault {
    Fault::Answer(Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"))
}

fn page(status: u16) -> Fault {
    let page = Answer::new(status).header("Content-Type", "text/html").body("<html></html>");
    Fault::Answer(page)
}

/// A registry whose tag holds amd64 and s390x; then a rule applies.
fn server(desk: &Desk, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Server {
    let on = Arc::new(OnceLock::new());
    let armed = on.clone();
    let server = Server::start_with(Kind::Debian, move |request| {
        if armed.get().is_some() { rule(request) } else { Fault::Nothing }
    });
    for architecture in ["amd64", "s390x"] {
        let run = desk.run(&["import", &archive(desk, architecture), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{}", run.err);
    }
    on.set(()).expect("set once");
    server
}

/// The architectures at the tag, all of which are whole.
fn architectures(server: &Server) -> Vec<String> {
    server.validate(NAME);
    let index: Value = serde_json::from_str(&server.manifest(NAME)).expect("JSON");
    let entries = index["manifests"].as_array().expect("an index").iter();
    entries.map(|e| e["platform"]["architecture"].as_str().expect("text").to_owned()).collect()
}

/// sonatype/nexus-public#217: the tag is not there for some reads, or for some time after it was written.
#[test]
fn a_404_for_a_tag_that_was_there_is_not_believed() {
    let desk = Desk::new();
    for hidden in [2..=3, 2..=4, 3..=4, 4..=5] {
        let reads = AtomicUsize::new(0);
        let range = hidden.clone();
        let server = server(&desk, move |request| {
            let hides = is_tag(request, "GET")
                && range.contains(&(reads.fetch_add(1, Ordering::SeqCst) + 1));
            if hides { unknown() } else { Fault::Nothing }
        });
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "reads {hidden:?}: {}", run.err);
        assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"], "reads {hidden:?}");
    }
    let written: Mutex<Option<Instant>> = Mutex::default();
    let server = server(&desk, move |request| {
        let mut written = written.lock().expect("not poisoned");
        if is_tag(request, "PUT") {
            written.get_or_insert_with(Instant::now);
        }
        let lags = written.is_some_and(|at| at.elapsed() < Duration::from_millis(400));
        if lags && is_tag(request, "GET") { unknown() } else { Fault::Nothing }
    });
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
}

/// A tag that was there and stays away is an error, and nothing is written.
#[test]
fn a_tag_that_stays_away_is_an_error() {
    let desk = Desk::new();
    let reads = AtomicUsize::new(0);
    let server = server(&desk, move |request| {
        let hides = is_tag(request, "GET") && reads.fetch_add(1, Ordering::SeqCst) > 0;
        if hides { unknown() } else { Fault::Nothing }
    });
    server.take();
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(!server.take().iter().any(|request| is_tag(request, "PUT")));
    assert_eq!(architectures(&server), ["amd64", "s390x"]);
}

/// containerd/containerd#3291: a proxy that does not reach the registry answers 404 with a page of its own.
#[test]
fn a_404_that_is_no_registrys_is_a_failure() {
    let desk = Desk::new();
    for answer in [
        page(404),
        Fault::Answer(Answer::new(404)),
        Fault::Answer(Answer::json(404, &serde_json::json!({"message": "no route"}))),
    ] {
        let fault = answer.clone();
        let server =
            server(
                &desk,
                move |request| {
                    if is_tag(request, "GET") { fault.clone() } else { Fault::Nothing }
                },
            );
        server.take();
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains("not that of a registry"), "{}", run.err);
        assert!(!server.take().iter().any(|request| is_tag(request, "PUT")));
        assert_eq!(architectures(&server), ["amd64", "s390x"]);
    }
}

/// containerd/containerd#10447: the server fails while the tag is written, and another writer writes it
/// meanwhile. The write is not repeated without reading again.
#[test]
fn a_tag_is_read_again_before_its_write_is_repeated() {
    for fault in [
        Fault::Answer(Answer::new(503).header("Retry-After", "1")),
        Fault::answer(429),
        Fault::answer(500),
        Fault::Reset,
    ] {
        let desk = Desk::new();
        let (other, target) = (archive(&desk, "ppc64le"), Arc::new(OnceLock::<String>::new()));
        let (first, to) = (AtomicUsize::new(0), target.clone());
        let answer = fault.clone();
        let server = server(&desk, move |request| {
            if !is_tag(request, "PUT") || first.fetch_add(1, Ordering::SeqCst) > 0 {
                return Fault::Nothing;
            }
            let to = to.get().expect("set before the import");
            let run = multiarch().args(["import", &other, "--to", to]).output();
            assert_eq!(run.expect("runs").status.code(), Some(0));
            answer.clone()
        });
        target.set(server.target()).expect("set once");
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{fault:?}: {}", run.err);
        assert_eq!(architectures(&server), ["amd64", "arm64", "ppc64le", "s390x"], "{fault:?}");
    }
}

/// The tag was written, and the answer lost: that is found out, and nothing is written again.
#[test]
fn a_write_whose_answer_is_lost_is_recognised() {
    let desk = Desk::new();
    let first = AtomicUsize::new(0);
    let server = server(&desk, move |request| {
        let is_first = is_tag(request, "PUT") && first.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { Fault::Lost } else { Fault::Nothing }
    });
    server.take();
    let target = server.target();
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &target, "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.json()["images"][0]["state"], "written");
    assert_eq!(server.take().iter().filter(|request| is_tag(request, "PUT")).count(), 1);
    assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
}

/// Only 201 says that something was stored. After any other success it must be there.
#[test]
fn a_success_that_stores_nothing_is_a_failure() {
    let desk = Desk::new();
    for (method, path, status) in [
        ("PUT", "/blobs/uploads/", 200),
        ("PUT", "/manifests/sha256:", 200),
        ("PUT", "/manifests/1", 202),
    ] {
        let server =
            server(
                &desk,
                move |request| {
                    if request.is(method, path) { page(status) } else { Fault::Nothing }
                },
            );
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(1), "{path}: {}", run.err);
        assert!(run.err.contains("does not have what was sent"), "{path}: {}", run.err);
        assert_eq!(architectures(&server), ["amd64", "s390x"], "{path}");
    }
}

/// distribution/distribution#3178: a blob of 0 bytes in the registry's store is no blob. It is sent again;
/// a registry that keeps what it has makes that an error about the size.
#[test]
fn a_blob_of_another_size_is_not_there() {
    let desk = Desk::new();
    let layer = Image::new("arm64", "app").layers[1].digest();
    let wrong = format!("/v2/team/app/blobs/sha256:{layer}");
    let server = server(&desk, move |request| {
        if request.path.starts_with(&wrong) {
            return Fault::Answer(Answer::new(200).header("Content-Length", "0"));
        }
        Fault::Nothing
    });
    server.take();
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("a size of 0 bytes"), "{}", run.err);
    let sent =
        server.take().iter().filter(|r| r.is("PUT", &format!("digest=sha256%3A{layer}"))).count();
    assert_eq!(sent, 1, "it was sent again");
    assert_eq!(architectures(&server), ["amd64", "s390x"]);
}

/// distribution/distribution#3004: what was deleted by its digest is sent again, the tag stays as it is, and
/// until then the status says what is missing.
#[test]
fn what_was_deleted_is_sent_again() {
    let desk = Desk::new();
    let server = server(&desk, |_| Fault::Nothing);
    let digest = server.digest(NAME);
    let image = Image::new("s390x", "app");
    assert!(server.registry.delete_manifest("team/app", &image.digest()));
    let run = desk.run(&["status", "--to", &server.target()]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.out.contains("linux/s390x (listed, missing)"), "{}", run.out);
    let import = |words: &[&str]| {
        let archive = archive(&desk, "s390x");
        let target = server.target();
        desk.run(&[&["import", &archive, "--to", &target, "--json"], words].concat())
    };
    let run = import(&[]);
    assert_eq!((run.code, run.json()["images"][0]["state"].as_str()), (Some(0), Some("restored")));
    assert_eq!(server.digest(NAME), digest);
    assert_eq!(architectures(&server), ["amd64", "s390x"]);
    assert_eq!(desk.run(&["status", "--to", &server.target()]).code, Some(0));

    // A layer is only asked for with --verify.
    let layer = format!("sha256:{}", image.layers[1].digest());
    assert!(server.registry.delete_blob("team/app", &layer));
    assert_eq!(import(&[]).json()["images"][0]["state"], "unchanged");
    assert_eq!(desk.run(&["status", "--verify", "--to", &server.target()]).code, Some(1));
    assert_eq!(import(&["--verify"]).json()["images"][0]["state"], "restored");
    assert_eq!(architectures(&server), ["amd64", "s390x"]);
}

/// A server that has no HEAD is asked by GET.
#[test]
fn a_server_without_head() {
    let desk = Desk::new();
    let server =
        server(
            &desk,
            |request| {
                if request.method == "HEAD" { Fault::answer(405) } else { Fault::Nothing }
            },
        );
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
}

/// Names that no registry can hold would become paths of other requests.
#[test]
fn a_catalogue_of_other_paths() {
    let desk = Desk::new();
    let server = server(&desk, |request| match request.path.as_str() {
        path if path.starts_with("/v2/_catalog") => {
            let names = r#"{"repositories": ["../../admin", "x?y", "a//b", "team/app"]}"#;
            Fault::Answer(Answer::new(200).header("Content-Type", "application/json").body(names))
        }
        path if path.starts_with("/v2/team/app/") || path == "/v2/" => Fault::Nothing,
        path => panic!("{path} was asked for"),
    });
    let run = desk.run(&["status", "--to", &server.target(), "--json"]);
    assert_eq!(run.json()["tags"].as_array().map(Vec::len), Some(1), "{}", run.err);
}

/// Lists whose pages are new each time, lead in a circle, or to another server.
#[test]
fn a_catalogue_without_end() {
    for (link, said) in [
        ("</v2/_catalog?n=NUMBER>; rel=\"next\"", "a registry's lists of more than 64 MiB"),
        ("</v2/_catalog?n=1>; rel=\"next\"", "leads in a circle"),
        ("<http://127.0.0.2:1/v2/_catalog>; rel=\"next\"", "goes on at another server"),
    ] {
        let desk = Desk::new();
        let server = server(&desk, move |request| {
            if !request.path.starts_with("/v2/_catalog") {
                return Fault::Nothing;
            }
            let names: Vec<String> =
                (0..60_000).map(|i| format!("\"team/application-{i}\"")).collect();
            let page = format!(r#"{{"repositories": [{}]}}"#, names.join(","));
            let answer = Answer::new(200).header("Content-Type", "application/json");
            let link = link.replace("NUMBER", &request.number.to_string());
            Fault::Answer(answer.header("Link", link).body(page))
        });
        let run = desk.run(&["status", "--to", &server.target()]);
        assert_eq!(run.code, Some(1), "{}", run.out);
        assert!(run.err.contains(said) && run.err.contains("/v2/_catalog"), "{}", run.err);
    }
}

/// A cache or a replica does not know the tag for its first readers. The list of tags does.
#[test]
fn a_404_for_a_tag_that_is_listed_is_not_believed() {
    for (refused, code) in [(2, 0), (usize::MAX, 1)] {
        let desk = Desk::new();
        let reads = AtomicUsize::new(0);
        let server = server(&desk, move |request| {
            let is_refused =
                is_tag(request, "GET") && reads.fetch_add(1, Ordering::SeqCst) < refused;
            if is_refused { unknown() } else { Fault::Nothing }
        });
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(code), "{}", run.err);
        let held = if code == 0 { vec!["amd64", "arm64", "s390x"] } else { vec!["amd64", "s390x"] };
        assert_eq!(architectures(&server), held);
    }
}

/// The same connection trouble as an answer that never comes, and survived in the same way.
#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    type Part = fn(&Request) -> bool;
    let parts: [(&str, Part); 3] = [
        ("tag", |request| is_tag(request, "GET")),
        ("child", |request| request.is("GET", "/manifests/sha256:")),
        ("config", |request| request.is("GET", "/blobs/sha256:")),
    ];
    for (name, is_part) in parts {
        let desk = Desk::new();
        let cuts = AtomicUsize::new(0);
        let server = server(&desk, move |request| {
            let is_cut = is_part(request) && cuts.fetch_add(1, Ordering::SeqCst) == 0;
            if is_cut { Fault::CutAnswer(20) } else { Fault::Nothing }
        });
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{name}: {}", run.err);
        assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
    }
}

/// A tag that is shown as it was before, for some time, is no other writer's.
#[test]
fn a_tag_that_lags_behind_its_write_is_waited_for() {
    let desk = Desk::new();
    let written: Arc<OnceLock<Instant>> = Arc::default();
    let before: Arc<OnceLock<String>> = Arc::default();
    let (since, earlier) = (written.clone(), before.clone());
    let server = server(&desk, move |request| {
        if is_tag(request, "PUT") {
            since.get_or_init(Instant::now);
        }
        let lags = since.get().is_some_and(|at| at.elapsed() < Duration::from_secs(5));
        match earlier.get().filter(|_| lags && is_tag(request, "GET")) {
            Some(digest) => Fault::As(format!("/v2/team/app/manifests/{digest}")),
            None => Fault::Nothing,
        }
    });
    before.set(server.digest(NAME)).expect("set once");
    server.take();
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
    assert_eq!(server.take().iter().filter(|request| is_tag(request, "PUT")).count(), 1);
}

/// An upload of which each attempt leaves a few bytes more would go on without end.
#[test]
fn a_server_that_keeps_a_few_bytes_of_each_attempt_is_given_up() {
    let desk = Desk::new();
    let server = server(&desk, |request| match request.method.as_str() {
        "PUT" | "PATCH" if request.path.contains("/blobs/uploads/") => {
            Fault::Cut(request.number as u64 % 1000)
        }
        _ => Fault::Nothing,
    });
    let layer = multiarch_generator::Layer::plain("data", &"x".repeat(3 << 20));
    let image = Image::of("arm64", "", vec![layer]);
    let archive = desk.write("large.tar", images_tar(&[("q.io/team/app:1", &image)]));
    let run = desk.run(&["import", &archive, "--to", &server.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let sent = server.take().iter().filter(|r| ["PUT", "PATCH"].contains(&&*r.method)).count();
    assert!(sent < 30, "{sent}");
}

/// golang/go#4677 and others: a server closes a connection in the moment in which it is used again.
#[test]
fn connections_that_are_closed_as_they_are_used_again() {
    let desk = Desk::new();
    for every in [5, 7] {
        let server = server(&desk, move |request| match request.number % every {
            0 => Fault::Reset,
            _ => Fault::Nothing,
        });
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "each {every}.: {}", run.err);
        assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"], "each {every}.");
    }
}

/// RFC 9110, section 10.2.3: seconds or a date. A minute is waited for, an hour is an error that says so.
#[test]
fn an_hour_of_retry_after_is_not_waited_for() {
    let desk = Desk::new();
    for when in ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = server(&desk, move |request| match is_tag(request, "GET") {
            true => Fault::Answer(Answer::new(429).header("Retry-After", when)),
            false => Fault::Nothing,
        });
        let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains("429"), "{}", run.err);
        assert_eq!(architectures(&server), ["amd64", "s390x"]);
    }
    // Once, and soon.
    let first = AtomicUsize::new(0);
    let server = server(&desk, move |request| {
        match is_tag(request, "GET") && first.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Fault::Answer(Answer::new(503).header("Retry-After", "1")),
            false => Fault::Nothing,
        }
    });
    let run = desk.run(&["import", &archive(&desk, "arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(architectures(&server), ["amd64", "arm64", "s390x"]);
}
