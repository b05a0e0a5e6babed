//! TLS with certificates that openssl makes, directly to the registry and through a proxy.

use std::{path::Path, process::Command};

use multiarch_testing::Fault;

use crate::{
    desk::{Desk, Run, multiarch},
    outbound::{HOST, import},
    proxy::proxy,
    server::{Kind, Server},
    tools::succeed,
};

fn openssl(folder: &Path, words: &[&str]) -> String {
    succeed(Command::new("openssl").args(words).current_dir(folder))
}

/// Makes a self-signed certificate for `name`. Returns its path, and the server configuration for
/// it.
fn certificate(folder: &Path, name: &str) -> (String, String) {
    let name = format!("subjectAltName={name}");
    let mut words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=test -addext".split(' ').collect::<Vec<_>>();
    words.push(&name);
    openssl(folder, &words);
    let path = |file| folder.join(file).display().to_string();
    let tls = format!("  tls: {{certificate: {}, key: {}}}", path("cert.pem"), path("key.pem"));
    (path("cert.pem"), tls)
}

#[test]
fn certificates() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, tls) = certificate(folder.path(), "IP:127.0.0.1");
    let fingerprint =
        openssl(folder.path(), &["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256"]);
    let fingerprint = fingerprint.trim().split('=').next_back().expect("a fingerprint").to_owned();
    let server = Server::configured(Kind::Debian, &tls);
    let (amd64, target) = (desk.package("amd64"), server.target());
    let run = desk.run(&["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains(&fingerprint), "{fingerprint}: {}", run.err);
    assert!(run.err.contains("--ca FILE") && run.err.contains("--insecure"), "{}", run.err);
    for words in [["--ca", cert.as_str()], ["--insecure", server.address.as_str()]] {
        let run = desk.run(&["import", &amd64, "--to", &target, words[0], words[1]]);
        assert_eq!(run.code, Some(0), "{words:?}: {}", run.err);
    }
    // `--insecure` for another host does not apply to this one.
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

#[test]
fn tls_through_a_proxy() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, tls) = certificate(folder.path(), &format!("DNS:{HOST}"));
    let server = Server::configured(Kind::V3, &tls);
    let proxy = proxy(&server.address, |_| Fault::Nothing);
    let (target, way) = (format!("docker://{HOST}"), format!("http://{}", proxy.address()));
    let run = import(&desk, &[&target, "--ca", &cert], &[("HTTPS_PROXY", &way)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let requests = proxy.take();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|r| r.is("CONNECT", &format!("{HOST}:443"))));
    // Through the proxy the client still checks the registry's certificate, so it fails without
    // `--ca`.
    let run = import(&desk, &[&target], &[("HTTPS_PROXY", &way)]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("--ca"), "{}", run.err);
}
