//! Registries that misbehave, and registries that refuse.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use multiarch_generator::{Image, Layer, images_tar};
use multiarch_testing::{Answer, Fault, HttpServer, Request};
use serde_json::Value;

use crate::{
    account::SOMEONE,
    desk::{Desk, Run, multiarch},
    server::{Kind, Server},
};

fn is_upload(request: &Request) -> bool {
    request.is("PUT", "/blobs/uploads/")
}

/// Imports the amd64 package through a rule, and checks that all of its images are in the registry.
fn import_through(
    name: &str,
    rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
) -> Vec<Request> {
    let desk = Desk::new();
    let server = Server::start_with(Kind::Debian, rule);
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target(), "--json"]);
    assert_eq!(run.code, Some(0), "{name}: {}", run.err);
    let requests = server.take();
    for image in run.json()["images"].as_array().expect("images") {
        server.validate(image["name"].as_str().expect("a name"));
    }
    requests
}

/// Runs cases in parallel, because they spend most of their time waiting.
fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| check(case));
        }
    });
}

#[test]
fn temporary_failures_are_retried() {
    at_once([429, 500, 502, 503], |status| {
        import_through("every fifth request fails", move |request| {
            if request.number % 5 == 3 {
                return Fault::Answer(Answer::new(status).header("Retry-After", "0"));
            }
            Fault::Nothing
        });
    });
    import_through("every fourth connection is dropped", |request| {
        if request.number % 4 == 2 { Fault::Reset } else { Fault::Nothing }
    });
}

#[test]
fn mounts_may_be_refused() {
    at_once([202, 401, 403, 404, 405, 500], |status| {
        let requests = import_through("mounts are refused", move |request| {
            if !request.path.contains("mount=") {
                return Fault::Nothing;
            }
            // The 202 names no session that works, so the upload is begun again.
            let location = "/v2/nowhere/blobs/uploads/none";
            Fault::Answer(Answer::new(status).header("Location", location))
        });
        assert!(requests.iter().any(|r| r.path.contains("mount=")));
    });
}

#[test]
fn chunks_where_they_are_demanded() {
    let requests = import_through("no blob in one piece", |request| {
        if is_upload(request) && request.length > 0 { Fault::answer(413) } else { Fault::Nothing }
    });
    assert!(
        requests.iter().any(|r| r.method == "PATCH" && r.headers.contains_key("content-range"))
    );
}

/// If a tag cannot be read, nothing is written, because the tag may exist.
#[test]
fn a_tag_that_cannot_be_read_is_not_written() {
    let cases = [
        ("unauthorized", 401),
        ("denied", 403),
        ("too many", 429),
        ("broken", 500),
        ("teapot", 418),
    ];
    at_once(cases, |(name, status)| {
        let desk = Desk::new();
        let server = Server::start_with(Kind::Debian, move |request| {
            if request.is("GET", "/manifests/") {
                return Fault::Answer(Answer::new(status).header("Retry-After", "0"));
            }
            Fault::Nothing
        });
        let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.err);
        // A server that answers 429 to everything is reported once, not once for each image.
        let named = run.err.contains("demo/web:v1.2.0");
        assert!(named || status == 429 && run.err.contains("nothing else for"), "{}", run.err);
        assert!(run.err.contains(&status.to_string()), "{name}: {}", run.err);
        let writes: Vec<_> =
            server.take().into_iter().filter(|r| r.method != "GET" && r.method != "HEAD").collect();
        assert!(writes.is_empty(), "{name}: {writes:?}");
    });
}

#[test]
fn a_reset_while_reading_ends_the_run_before_it_writes() {
    let desk = Desk::new();
    let server = Server::start_with(Kind::Debian, |request| {
        if request.is("GET", "/manifests/v1.2.0") { Fault::Reset } else { Fault::Nothing }
    });
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("GET /v2/demo/web/manifests/v1.2.0"), "{}", run.err);
    assert!(server.take().iter().all(|r| r.method == "GET" || r.method == "HEAD"));
}

/// An upload continues on another host: the bytes go there, the credentials do not.
#[test]
fn an_upload_may_go_to_another_host() {
    let desk = Desk::new();
    let elsewhere = HttpServer::empty(|request| {
        assert_eq!(request.header("authorization"), None, "{}", request.path);
        Fault::answer(201)
    });
    let other = elsewhere.address();
    let server = Server::protected(Kind::Debian, move |request| {
        if !request.is("POST", "/blobs/uploads/") {
            return Fault::Nothing;
        }
        let location = format!("http://{other}/store?session=a%2Fb");
        Fault::Answer(Answer::new(202).header("Location", location))
    });
    // The registry never gets the blobs, so its manifests fail. The test checks where the bytes
    // went.
    let run = Run::of(
        with_docker_config(&desk, "{}")
            .args(["import", &desk.package("amd64"), "--to", &server.target()])
            .env("MULTIARCH_USERNAME", SOMEONE.name)
            .env("MULTIARCH_PASSWORD", SOMEONE.password),
    );
    assert_eq!(run.code, Some(1), "{}", run.err);
    let puts = elsewhere.take();
    assert!(!puts.is_empty());
    let whole = |r: &Request| r.path.starts_with("/store?session=a%2Fb&digest=sha256%3A");
    assert!(puts.iter().all(whole), "{puts:?}");
}

#[test]
fn no_server_at_the_address() {
    let desk = Desk::new();
    let run = desk.run(&["plan", &desk.package("amd64"), "--to", "docker://127.0.0.1:9"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("host 127.0.0.1:9") && run.err.contains("check host and port"),
        "{}",
        run.err
    );
}

/// The server deletes a blob as garbage after the client has seen it, and before its manifest
/// comes.
#[test]
fn a_blob_that_is_gone_is_sent_again() {
    let lost = AtomicUsize::new(0);
    let requests = import_through("the first manifest misses a blob", move |request| {
        if request.is("PUT", "/manifests/") && lost.fetch_add(1, Ordering::Relaxed) == 0 {
            let body = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#;
            return Fault::Answer(Answer::new(404).body(body));
        }
        Fault::Nothing
    });
    let heads = requests.iter().filter(|r| r.is("HEAD", "/blobs/")).count();
    assert!(heads > 0);
}

fn with_docker_config(desk: &Desk, config: &str) -> Command {
    let folder = desk.path().join("docker");
    std::fs::create_dir_all(&folder).expect("created");
    std::fs::write(folder.join("config.json"), config).expect("written");
    let mut command = multiarch();
    command.env("DOCKER_CONFIG", folder).env("HOME", desk.path());
    command
}

#[test]
fn credentials_from_everywhere() {
    let desk = Desk::new();
    let server = Server::protected(Kind::Debian, |_| Fault::Nothing);
    let words = ["import", &desk.package("amd64"), "--to", &server.target()];
    let said = |run: &Run| {
        assert!(!run.err.contains(SOMEONE.password) && !run.out.contains(SOMEONE.password))
    };

    // No credentials, then wrong ones.
    let run = Run::of(with_docker_config(&desk, "{}").args(words));
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("401") && run.err.contains("docker login"), "{}", run.err);
    let wrong = with_docker_config(&desk, "{}")
        .args(words)
        .env("MULTIARCH_USERNAME", SOMEONE.name)
        .env("MULTIARCH_PASSWORD", "wrong-one")
        .output();
    let run = Run::from(wrong.expect("runs"));
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(!run.err.contains("wrong-one"), "{}", run.err);

    // Credentials from docker's configuration, a credential helper, and the environment.
    let basic = "c29tZW9uZTpzM2NyM3Q6d2l0aC9jb2xvbg==";
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"{basic}"}}}}}}"#, server.address);
    let run = Run::of(with_docker_config(&desk, &config).args(words));
    assert_eq!(run.code, Some(0), "{}", run.err);
    said(&run);
    let helper = desk.path().join("docker-credential-test");
    let script = format!(
        "#!/bin/sh\ncat >/dev/null\necho '{{\"Username\":\"{}\",\"Secret\":\"{}\"}}'\n",
        SOMEONE.name, SOMEONE.password
    );
    std::fs::write(&helper, script).expect("written");
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    let path = format!("{}:{}", desk.path().display(), std::env::var("PATH").unwrap_or_default());
    let config = format!(r#"{{"credHelpers":{{"{}":"test"}}}}"#, server.address);
    let run = Run::of(with_docker_config(&desk, &config).args(words).env("PATH", &path));
    assert_eq!(run.code, Some(0), "{}", run.err);
    said(&run);
    let run = Run::of(
        with_docker_config(&desk, "{}")
            .args(words)
            .env("MULTIARCH_USERNAME", SOMEONE.name)
            .env("MULTIARCH_PASSWORD", SOMEONE.password),
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    said(&run);
    let run = Run::of(with_docker_config(&desk, "{}").args([
        "import",
        &desk.package("amd64"),
        "--to",
        "docker://u:s3cr3t@h.io",
    ]));
    assert_eq!(run.code, Some(2));
    assert!(!run.err.contains("s3cr3t"), "{}", run.err);
}

/// A registry with one token for each repository. Each token is valid for only a few requests, so
/// tokens end in the middle of the run.
#[test]
fn tokens_per_repository_that_end() {
    let served = AtomicUsize::new(0);
    let used: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let requests = import_through("tokens", move |request| {
        if request.path.starts_with("/token") {
            assert!(request.path.contains("service=test"), "{}", request.path);
            let number = served.fetch_add(1, Ordering::Relaxed);
            let scopes: Vec<&str> =
                request.path.split(['?', '&']).filter_map(|p| p.strip_prefix("scope=")).collect();
            let token = format!("{number}|{}", scopes.join("|"));
            let body = format!(r#"{{"token":"{token}","access_token":"","expires_in":300}}"#);
            return Fault::Answer(Answer::new(200).body(body));
        }
        let repository = request
            .path
            .trim_start_matches("/v2/")
            .split(['/', '?'])
            .take_while(|part| !["blobs", "manifests"].contains(part))
            .collect::<Vec<_>>()
            .join("%2F");
        let authorization = request.headers.get("authorization").cloned().unwrap_or_default();
        let right = authorization.contains(&format!("repository%3A{repository}%3A"));
        // A token is valid for six requests.
        let ended = {
            let mut used = used.lock().expect("counts");
            let count = used.entry(authorization.clone()).or_default();
            *count += 1;
            *count > 6
        };
        if request.path == "/v2/" || (right && !ended) {
            return Fault::Nothing;
        }
        let host = request.headers.get("host").cloned().unwrap_or_default();
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="test""#);
        Fault::Answer(Answer::new(401).header("WWW-Authenticate", challenge))
    });
    assert!(requests.iter().filter(|r| r.path.starts_with("/token")).count() > 3);
}

/// An image that one repository refuses does not stop another repository, even if they share a
/// layer.
#[test]
fn a_repository_that_refuses_does_not_stop_the_others() {
    let desk = Desk::new();
    let layer = || Layer::plain("shared", "the same in both");
    let image = |name: &str| Image::of("amd64", "", vec![layer(), Layer::plain(name, name)]);
    let (denied, fine) = (image("a"), image("b"));
    let images = [("q.io/denied/a:1", &denied), ("q.io/fine/b:1", &fine)];
    let package = desk.write("two-amd64.tar", images_tar(&images));
    let refuse = |request: &Request| match request.is("POST", "/v2/denied/") {
        true => Fault::answer(403),
        false => Fault::Nothing,
    };
    let server = Server::start_with(Kind::V3, refuse);
    let words = ["import", &package, "--to", &server.target(), "--json", "--progress", "json"];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let states: Vec<_> = run.json()["images"]
        .as_array()
        .expect("images")
        .iter()
        .map(|image| (image["name"].clone(), image["state"].clone()))
        .collect();
    assert_eq!(
        states,
        [("denied/a:1".into(), "failed".into()), ("fine/b:1".into(), "written".into())]
    );
    // Bytes that cannot be sent are no longer part of the total.
    let last = run.err.lines().rfind(|line| line.starts_with('{')).expect("progress");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["bytes"], last["bytes_total"], "{last}");
}
