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

/// Makes a certificate that signs itself, for `name`. Returns its path, and the server configuration for
/// it.
fn certificate(folder: &Path, name: &str) -> (String, String) {
    self_signed(folder, name, "ec -pkeyopt ec_paramgen_curve:P-256 -days 2")
}

fn self_signed(folder: &Path, name: &str, more: &str) -> (String, String) {
    let name = format!("subjectAltName={name}");
    let words =
        format!("req -x509 -nodes -keyout key.pem -out cert.pem -subj /CN=test -newkey {more}");
    let mut words: Vec<&str> = words.split(' ').collect();
    words.extend(["-addext", &name]);
    openssl(folder, &words);
    (folder.join("cert.pem").display().to_string(), configuration(folder, "cert.pem", ""))
}

/// The TLS part of a registry's configuration.
fn configuration(folder: &Path, certificate: &str, more: &str) -> String {
    let path = |file| folder.join(file).display().to_string();
    format!("  tls: {{certificate: {}, key: {}{more}}}", path(certificate), path("key.pem"))
}

/// Makes an authority, `ca.pem`, and a certificate of it for this machine, `cert.pem`.
fn issued(folder: &Path, authority: &str, digest: &str, key: &str) -> String {
    let run = |words: String| openssl(folder, &words.split(' ').collect::<Vec<_>>());
    run(format!(
        "req -x509 -nodes -days 2 -keyout ca-key.pem -out ca.pem -subj /CN=authority -newkey {authority} {digest}"
    ));
    run(format!("req -nodes -keyout key.pem -out cert.csr -subj /CN=test -newkey {key}"));
    std::fs::write(
        folder.join("names"),
        "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .expect("written");
    run(format!(
        "x509 -req -in cert.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile names -out cert.pem {digest}"
    ));
    folder.join("ca.pem").display().to_string()
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

/// Certificates that curl, crane and skopeo take.
#[test]
fn certificates_that_other_clients_take() {
    const P256: &str = "ec -pkeyopt ec_paramgen_curve:P-256";
    const P521: &str = "ec -pkeyopt ec_paramgen_curve:P-521";
    for (name, authority, digest, key) in [
        ("a key on P-521", "rsa:2048", "-sha256", P521),
        ("an authority on P-521", P521, "-sha512", P256),
        ("ECDSA with SHA-512", P256, "-sha512", "rsa:2048"),
    ] {
        let (desk, folder) = (Desk::new(), tempfile::tempdir().expect("a folder"));
        let authority = issued(folder.path(), authority, digest, key);
        let tls = configuration(folder.path(), "cert.pem", "");
        let server = Server::configured(Kind::Debian, &tls);
        let words =
            ["import", "-q", &desk.package("amd64"), "--to", &server.target(), "--ca", &authority];
        let run = desk.run(&words);
        assert_eq!(run.code, Some(0), "{name}: {}", run.err);
    }
    let (desk, folder) = (Desk::new(), tempfile::tempdir().expect("a folder"));
    let (cert, tls) = certificate(folder.path(), "IP:127.0.0.1");
    let server = Server::configured(Kind::Debian, &tls);
    let mut command = multiarch();
    command.args(["import", "-q", &desk.package("amd64"), "--to", &server.target()]);
    let run = Run::of(command.env("SSL_CERT_FILE", cert));
    assert_eq!(run.code, Some(0), "one that signs itself, in the system's store: {}", run.err);
}

/// Each cause is printed in words, once, and with a step that fits.
#[test]
fn certificates_that_are_refused() {
    for (names, days, told) in [
        ("IP:127.0.0.2,DNS:other.example.com", "2", "other.example.com, and not for 127.0.0.1"),
        ("IP:127.0.0.1", "-1", "expired"),
    ] {
        let (desk, folder) = (Desk::new(), tempfile::tempdir().expect("a folder"));
        let run = |words: &str| openssl(folder.path(), &words.split(' ').collect::<Vec<_>>());
        run("req -nodes -keyout key.pem -out cert.csr -subj /CN=test -newkey rsa:2048");
        std::fs::write(folder.path().join("names"), format!("subjectAltName={names}\n"))
            .expect("written");
        run(&format!(
            "x509 -req -in cert.csr -signkey key.pem -days {days} -extfile names -out cert.pem"
        ));
        let server =
            Server::configured(Kind::Debian, &configuration(folder.path(), "cert.pem", ""));
        let cert = folder.path().join("cert.pem").display().to_string();
        let words =
            ["import", "-q", &desk.package("amd64"), "--to", &server.target(), "--ca", &cert];
        let run = desk.run(&words);
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(run.err.contains(told) && !run.err.contains("add `--ca"), "{told}: {}", run.err);
        assert_eq!(run.err.lines().filter(|line| line.starts_with("error: ")).count(), 1);
    }
}

/// A server that wants a client certificate: from files that the user names, or from the folder of the
/// host.
#[test]
fn client_certificates() {
    let (desk, folder) = (Desk::new(), tempfile::tempdir().expect("a folder"));
    let authority = issued(folder.path(), "rsa:2048", "-sha256", "rsa:2048");
    let path = |file: &str| folder.path().join(file).display().to_string();
    let tls = configuration(folder.path(), "cert.pem", &format!(", clientcas: [{authority}]"));
    let server = Server::configured(Kind::Debian, &tls);
    let (amd64, target) = (desk.package("amd64"), server.target());
    let words = ["import", "-q", &amd64, "--to", &target, "--ca", &authority];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("wants a client certificate") && run.err.contains("--client-cert"),
        "{}",
        run.err
    );
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let run = desk.run(&[&words[..], &["--client-cert", &cert, "--client-key", &key]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);

    let host = desk.path().join("containers/certs.d").join(&server.address);
    std::fs::create_dir_all(&host).expect("made");
    for (from, to) in [("ca.pem", "ca.crt"), ("cert.pem", "client.cert"), ("key.pem", "client.key")]
    {
        std::fs::copy(path(from), host.join(to)).expect("copied");
    }
    let mut command = multiarch();
    command.args(["import", "-q", &amd64, "--to", &target]).env("XDG_CONFIG_HOME", desk.path());
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// X.509 version 1 has no names, and is taken only with `--insecure`.
#[test]
fn a_certificate_of_version_1() {
    let (desk, folder) = (Desk::new(), tempfile::tempdir().expect("a folder"));
    let run = |words: &str| openssl(folder.path(), &words.split(' ').collect::<Vec<_>>());
    run("req -nodes -keyout key.pem -out cert.csr -subj /CN=127.0.0.1 -newkey rsa:2048");
    run("x509 -req -in cert.csr -signkey key.pem -days 2 -out cert.pem");
    let server = Server::configured(Kind::Debian, &configuration(folder.path(), "cert.pem", ""));
    let words = ["import", "-q", &desk.package("amd64"), "--to", &server.target()];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(2), "{}", run.err);
    let run = desk.run(&[&words[..], &["--insecure", &server.address]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
}
