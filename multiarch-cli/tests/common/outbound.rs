//! Connections through an HTTP proxy that the environment names.

use multiarch_testing::{Fault, HttpServer};

use crate::{
    desk::{Desk, Run, multiarch},
    server::{Kind, Server},
};

/// This name never resolves (RFC 6761), so a request can only arrive through the proxy.
pub(crate) const HOST: &str = "registry.test";

pub(crate) fn import(desk: &Desk, words: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = multiarch();
    command.args(["import", "-q", &desk.package("amd64"), "--to"]).args(words);
    Run::of(command.envs(environment.iter().copied()))
}

#[test]
fn plain_http_through_a_proxy() {
    let desk = Desk::new();
    // The registry can act as the proxy, because it accepts requests in the form that proxies get.
    let proxy = Server::start_with(Kind::V3, |_| Fault::Nothing);
    let (target, way) = (format!("http://{HOST}"), format!("http://me:secret@{}", proxy.address));
    let run = import(&desk, &[&target], &[("HTTP_PROXY", &way)]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let requests = proxy.take();
    assert!(requests.iter().all(|r| r.path.starts_with(&format!("http://{HOST}/v2/"))));
    // base64 of me:secret
    let known = |value: &String| value == "Basic bWU6c2VjcmV0";
    assert!(requests.iter().all(|r| r.headers.get("proxy-authorization").is_some_and(known)));

    let run = import(&desk, &[&target], &[("HTTP_PROXY", &way), ("NO_PROXY", HOST)]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("NO_PROXY") && !run.err.contains("secret"), "{}", run.err);
    assert!(proxy.take().is_empty());
}

#[test]
fn this_machine_is_reached_without_a_proxy() {
    let desk = Desk::new();
    let server = Server::start(Kind::V3);
    let proxy = HttpServer::empty(|_| Fault::Reset);
    let way = format!("http://{}", proxy.address());
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let run = import(&desk, &[&server.target()], &[(variable, &way), ("HTTPS_PROXY", &way)]);
        assert_eq!(run.code, Some(0), "{variable}: {}", run.err);
    }
    assert!(proxy.take().is_empty());
}
