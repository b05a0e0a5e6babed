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
use serde_json::Value;

use crate::{
    desk::{Desk, Run, multiarch, succeed, tool},
    proxy::{Action, Proxy, Request},
    servers::{Kind, Server, certificate, openssl},
};

fn answer(status: u16) -> Action {
    Action::Answer(status, Vec::new(), String::new())
}

fn is_upload(request: &Request) -> bool {
    request.is("PUT", "/blobs/uploads/")
}

/// Imports the amd64 package through a rule, and checks with crane that all of it is there.
fn import_through(
    name: &str,
    rule: impl Fn(&Request) -> Action + Send + Sync + 'static,
) -> Vec<Request> {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let proxy = Proxy::start(&server.address, rule);
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &proxy.target(), "--json"]);
    assert_eq!(run.code, Some(0), "{name}: {}", run.err);
    for image in run.json()["images"].as_array().expect("images") {
        let reference = format!("{}/{}", server.address, image["name"].as_str().expect("a name"));
        succeed(tool("crane").args(["validate", "--remote", &reference]));
    }
    proxy.take()
}

#[test]
fn what_passes_is_waited_for() {
    for status in [429, 500, 502, 503] {
        import_through("every fifth request fails", move |request| {
            if request.number % 5 == 3 {
                let after = vec![("Retry-After", "0".to_owned())];
                return Action::Answer(status, after, String::new());
            }
            Action::Forward
        });
    }
    import_through("every fourth connection is dropped", |request| {
        if request.number % 4 == 2 { Action::Reset } else { Action::Forward }
    });
}

#[test]
fn mounts_may_be_refused() {
    for status in [202, 401, 403, 404, 405, 500] {
        let requests = import_through("mounts are refused", move |request| {
            if !request.path.contains("mount=") {
                return Action::Forward;
            }
            // 202 without a session that works: the upload is begun anew.
            let location = vec![("Location", "/v2/nowhere/blobs/uploads/none".to_owned())];
            Action::Answer(status, location, String::new())
        });
        assert!(requests.iter().any(|r| r.path.contains("mount=")));
    }
}

#[test]
fn chunks_where_they_are_demanded() {
    let requests = import_through("no blob in one piece", |request| {
        if is_upload(request) && request.length > 0 { answer(413) } else { Action::Forward }
    });
    assert!(
        requests.iter().any(|r| r.method == "PATCH" && r.headers.contains_key("content-range"))
    );
}

/// A tag that cannot be read is never taken for absent: nothing is written.
#[test]
fn what_cannot_be_read_stays_untouched() {
    for (name, status) in [
        ("unauthorized", 401),
        ("denied", 403),
        ("too many", 429),
        ("broken", 500),
        ("teapot", 418),
    ] {
        let desk = Desk::new();
        let server = Server::start(Kind::Debian);
        let proxy = Proxy::start(&server.address, move |request| {
            if request.is("GET", "/manifests/") {
                return Action::Answer(status, vec![("Retry-After", "0".into())], String::new());
            }
            Action::Forward
        });
        let run = desk.run(&["import", &desk.package("amd64"), "--to", &proxy.target()]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.err);
        // A server that has enough of everything is told once.
        let named = run.err.contains("demo/web:v1.2.0");
        assert!(named || status == 429 && run.err.contains("nothing else for"), "{}", run.err);
        assert!(run.err.contains(&status.to_string()), "{name}: {}", run.err);
        let writes: Vec<_> =
            proxy.take().into_iter().filter(|r| r.method != "GET" && r.method != "HEAD").collect();
        assert!(writes.is_empty(), "{name}: {writes:?}");
    }
}

#[test]
fn a_reset_while_reading_ends_the_run_before_it_writes() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let proxy = Proxy::start(&server.address, |request| {
        if request.is("GET", "/manifests/v1.2.0") { Action::Reset } else { Action::Forward }
    });
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &proxy.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("GET /v2/demo/web/manifests/v1.2.0"), "{}", run.err);
    assert!(proxy.take().iter().all(|r| r.method == "GET" || r.method == "HEAD"));
}

/// An upload that goes on elsewhere: the bytes arrive there, the credentials do not.
#[test]
fn an_upload_may_go_to_another_host() {
    let desk = Desk::new();
    let (server, _folder) = protected();
    let elsewhere = Proxy::start(&server.address, |request| {
        assert_eq!(request.headers.get("authorization"), None, "{}", request.path);
        Action::Answer(201, Vec::new(), String::new())
    });
    let other = elsewhere.address.clone();
    let proxy = Proxy::start(&server.address, move |request| {
        if !request.is("POST", "/blobs/uploads/") {
            return Action::Forward;
        }
        let location = format!("http://{other}/store?session=a%2Fb");
        Action::Answer(202, vec![("Location", location)], String::new())
    });
    // The registry never gets the blobs, so its manifests fail; what counts is where the bytes went.
    let run = Run::of(
        with_docker_config(&desk, "{}")
            .args(["import", &desk.package("amd64"), "--to", &proxy.target()])
            .env("MULTIARCH_USERNAME", USER)
            .env("MULTIARCH_PASSWORD", PASSWORD),
    );
    assert_eq!(run.code, Some(1), "{}", run.err);
    let puts = elsewhere.take();
    assert!(!puts.is_empty());
    let whole = |r: &Request| r.path.starts_with("/store?session=a%2Fb&digest=sha256%3A");
    assert!(puts.iter().all(whole), "{puts:?}");
}

#[test]
fn nobody_listens() {
    let desk = Desk::new();
    let run = desk.run(&["plan", &desk.package("amd64"), "--to", "docker://127.0.0.1:9"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("host 127.0.0.1:9") && run.err.contains("check host and port"),
        "{}",
        run.err
    );
}

/// The server collects garbage between our look and our manifest.
#[test]
fn a_blob_that_is_gone_is_sent_again() {
    let lost = AtomicUsize::new(0);
    let requests = import_through("the first manifest misses a blob", move |request| {
        if request.is("PUT", "/manifests/") && lost.fetch_add(1, Ordering::Relaxed) == 0 {
            let body = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#;
            return Action::Answer(404, Vec::new(), body.into());
        }
        Action::Forward
    });
    let heads = requests.iter().filter(|r| r.is("HEAD", "/blobs/")).count();
    assert!(heads > 0);
}

const USER: &str = "someone";
const PASSWORD: &str = "s3cr3t:with/colon";
/// bcrypt of the password, made by htpasswd.
const HTPASSWD: &str = include_str!("htpasswd");

fn protected() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("htpasswd");
    std::fs::write(&path, HTPASSWD).expect("written");
    let auth = format!("auth:\n  htpasswd: {{realm: test, path: {}}}\n", path.display());
    (Server::start_with(Kind::Debian, &auth), folder)
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
    let (server, _folder) = protected();
    let words = ["import", &desk.package("amd64"), "--to", &server.target()];
    let said = |run: &Run| assert!(!run.err.contains(PASSWORD) && !run.out.contains(PASSWORD));

    // None, and wrong ones.
    let run = Run::of(with_docker_config(&desk, "{}").args(words));
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("401") && run.err.contains("docker login"), "{}", run.err);
    let wrong = with_docker_config(&desk, "{}")
        .args(words)
        .env("MULTIARCH_USERNAME", USER)
        .env("MULTIARCH_PASSWORD", "wrong-one")
        .output();
    let run = Run::from(wrong.expect("runs"));
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(!run.err.contains("wrong-one"), "{}", run.err);

    // docker's configuration, a credential helper, the environment.
    let basic = "c29tZW9uZTpzM2NyM3Q6d2l0aC9jb2xvbg==";
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"{basic}"}}}}}}"#, server.address);
    let run = Run::of(with_docker_config(&desk, &config).args(words));
    assert_eq!(run.code, Some(0), "{}", run.err);
    said(&run);
    let helper = desk.path().join("docker-credential-test");
    let script = format!(
        "#!/bin/sh\ncat >/dev/null\necho '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n"
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
            .env("MULTIARCH_USERNAME", USER)
            .env("MULTIARCH_PASSWORD", PASSWORD),
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

/// A registry with tokens: one for each repository, each good for a few requests only, so that they
/// end in the middle of everything.
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
            return Action::Answer(
                200,
                Vec::new(),
                format!(r#"{{"token":"{token}","access_token":"","expires_in":300}}"#),
            );
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
        // A token is good for six requests.
        let ended = {
            let mut used = used.lock().expect("counts");
            let count = used.entry(authorization.clone()).or_default();
            *count += 1;
            *count > 6
        };
        if request.path == "/v2/" || (right && !ended) {
            return Action::Forward;
        }
        let host = request.headers.get("host").cloned().unwrap_or_default();
        let challenge = format!(r#"Bearer realm="http://{host}/token",service="test""#);
        Action::Answer(401, vec![("WWW-Authenticate", challenge)], String::new())
    });
    assert!(requests.iter().filter(|r| r.path.starts_with("/token")).count() > 3);
}

#[test]
fn certificates() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, tls) = certificate(folder.path(), "IP:127.0.0.1");
    let fingerprint =
        openssl(folder.path(), &["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256"]);
    let fingerprint = fingerprint.trim().split('=').next_back().expect("a fingerprint").to_owned();
    let server = Server::start_with(Kind::Debian, &tls);
    let (amd64, target) = (desk.package("amd64"), server.target());
    let run = desk.run(&["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains(&fingerprint), "{fingerprint}: {}", run.err);
    assert!(run.err.contains("--ca FILE") && run.err.contains("--insecure"), "{}", run.err);
    for words in [["--ca", cert.as_str()], ["--insecure", server.address.as_str()]] {
        let run = desk.run(&["import", &amd64, "--to", &target, words[0], words[1]]);
        assert_eq!(run.code, Some(0), "{words:?}: {}", run.err);
    }
    // Insecure for another host is not insecure for this one.
    let run = desk.run(&["import", &amd64, "--to", &target, "--insecure", "other.host"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    let run = desk.run(&["import", &amd64, "--to", &target, "--ca", &amd64]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    // A machine without any certificates of its own.
    let bare = Run::of(
        multiarch()
            .args(["import", &amd64, "--to", &target, "--ca", &cert])
            .env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent"),
    );
    assert_eq!(bare.code, Some(0), "{}", bare.err);
}

/// What one repository refuses goes to the others, though they share a layer.
#[test]
fn a_repository_that_refuses_stands_in_nobodys_way() {
    let desk = Desk::new();
    let layer = || Layer::plain("shared", "the same in both");
    let image = |name: &str| Image::of("amd64", "", vec![layer(), Layer::plain(name, name)]);
    let (denied, fine) = (image("a"), image("b"));
    let images = [("q.io/denied/a:1", &denied), ("q.io/fine/b:1", &fine)];
    let package = desk.write("two-amd64.tar", images_tar(&images));
    let server = Server::start(Kind::V3);
    let refuse = |request: &Request| match request.is("POST", "/v2/denied/") {
        true => answer(403),
        false => Action::Forward,
    };
    let proxy = Proxy::start(&server.address, refuse);
    let words = ["import", &package, "--to", &proxy.target(), "--json", "--progress", "json"];
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
    // What cannot be sent is no longer waited for.
    let last = run.err.lines().rfind(|line| line.starts_with('{')).expect("progress");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["bytes"], last["bytes_total"], "{last}");
}
