//! What a rule does to requests, and how requests are logged.

use std::{sync::mpsc, time::Duration};

use multiarch_testing::{Answer, Fault, Registry, Setup, sha256};

use crate::client::{Client, OCI_MANIFEST};

fn start(rule: impl Fn(&multiarch_testing::Request) -> Fault + Send + Sync + 'static) -> Registry {
    Registry::start(Setup::default(), rule)
}

#[test]
fn an_answer_instead() {
    let registry = start(|request| match request.number {
        1 => {
            Fault::Answer(Answer::error(429, "TOOMANYREQUESTS", "later").header("Retry-After", "7"))
        }
        2 => Fault::answer(503),
        _ => Fault::Nothing,
    });
    // One connection serves all requests, although the refused ones have bodies that are not used.
    let mut client = Client::new(&registry);
    assert_eq!(client.ask("GET /v2/", "", b"").status, 200);
    let digest = sha256(b"a blob");
    let path = format!("POST /v2/a/b/blobs/uploads/?digest={digest}");
    let said = client.ask(&path, "", b"a blob");
    assert_eq!((said.status, said.header("Retry-After")), (429, "7"));
    assert_eq!(client.ask(&path, "", b"a blob").status, 503);
    assert!(registry.repositories().is_empty());
    assert_eq!(client.ask(&path, "", b"a blob").status, 201);
    let log = registry.take();
    let seen: Vec<_> = log.iter().map(|r| (r.number, r.status, r.length, r.at_once)).collect();
    assert_eq!(seen[..3], [(0, Some(200), 0, 1), (1, Some(429), 6, 1), (2, Some(503), 6, 1)]);
    assert!(registry.take().is_empty());
}

#[test]
fn connections_that_end() {
    let registry = start(|request| match request.number {
        0 => Fault::Reset,
        1 => Fault::Lost,
        2 => Fault::CutAnswer(3),
        _ => Fault::Nothing,
    });
    let ask = |body: &[u8]| {
        let path = format!("POST /v2/a/b/blobs/uploads/?digest={}", sha256(body));
        Client::new(&registry).try_ask(&path, "", body)
    };
    assert!(ask(b"reset").is_none());
    assert!(ask(b"lost").is_none());
    assert_eq!(registry.blobs("a/b"), [sha256(b"lost")]);
    let path = format!("GET /v2/a/b/blobs/{}", sha256(b"lost"));
    assert!(Client::new(&registry).try_ask(&path, "", b"").is_none());
    assert_eq!(Client::new(&registry).ask(&path, "", b"").body, b"lost");
    let seen: Vec<_> = registry.take().iter().map(|request| request.status).collect();
    assert_eq!(seen, [None, None, Some(200), Some(200)]);
}

#[test]
fn an_answer_before_the_body() {
    let registry = start(|_| Fault::Early(413));
    let mut client = Client::new(&registry);
    client.send(b"PUT /v2/a/b/blobs/uploads/x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc");
    assert_eq!(client.read(true).expect("an answer").status, 413);
    // The connection stays open until the server stops.
    drop(registry);
    assert!(client.read(true).is_none());
}

#[test]
fn a_tag_answered_with_its_earlier_manifest() {
    let registry = Registry::start(Setup::default(), |request| match request.number {
        0 => Fault::As("/v2/a/b/manifests/before".into()),
        1 => Fault::answer(404),
        _ => Fault::Nothing,
    });
    registry.put_manifest("a/b", "before", OCI_MANIFEST, b"{}");
    registry.put_manifest("a/b", "now", OCI_MANIFEST, b"{ }");
    let mut client = Client::new(&registry);
    let mut ask = || client.ask("GET /v2/a/b/manifests/now", "", b"");
    assert_eq!(ask().body, b"{}");
    assert_eq!(ask().status, 404);
    assert_eq!(ask().body, b"{ }");
}

/// Two requests are under way while the first one is held back, and the first one is still
/// answered.
#[test]
fn requests_at_once_are_counted() {
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let registry = start(move |request| {
        if request.path.ends_with("held") {
            let _ = held.lock().expect("one").recv();
        }
        Fault::Linger(Duration::from_millis(1))
    });
    let mut first = Client::new(&registry);
    first.send(b"GET /v2/a/manifests/held HTTP/1.1\r\n\r\n");
    let mut second = Client::new(&registry);
    while second.ask("GET /v2/", "", b"").status == 200 {
        if registry.take().iter().any(|request| request.at_once == 2) {
            break;
        }
    }
    release.send(()).expect("it waits");
    assert_eq!(first.read(true).expect("an answer").status, 404);
    second.ask("GET /v2/", "", b"");
    assert_eq!(registry.take().pop().map(|request| request.at_once), Some(1));
}

#[test]
#[should_panic(expected = "has panicked")]
fn a_rule_that_panics_fails_the_test() {
    let registry = start(|request| {
        assert_eq!(request.method, "PUT", "this panic is part of a test");
        Fault::Nothing
    });
    assert!(Client::new(&registry).try_ask("GET /v2/", "", b"").is_none());
}

/// An answer is changed after its request was handled; a request that is not heard is not handled.
#[test]
fn answers_that_are_changed_and_requests_that_are_not_heard() {
    let registry = start(|request| match request.number {
        0 => {
            Fault::changed(|answer| answer.without("docker-content-digest").header("X-Was", "201"))
        }
        1 => Fault::Unheard,
        2 => Fault::EarlyEnd(413),
        _ => Fault::Nothing,
    });
    let ask = |body: &[u8]| {
        let path = format!("POST /v2/a/b/blobs/uploads/?digest={}", sha256(body));
        Client::new(&registry).try_ask(&path, "", body)
    };
    let said = ask(b"changed").expect("an answer");
    assert_eq!((said.status, said.header("X-Was")), (201, "201"));
    assert!(ask(b"unheard").is_none());
    let said = ask(b"early").expect("an answer");
    assert_eq!((said.status, said.header("Connection")), (413, "close"));
    assert_eq!(registry.blobs("a/b"), [sha256(b"changed")]);
}
