//! Users, and tokens that end.

use std::time::Duration;

use multiarch_testing::{Demand, Fault, Registry, Setup};

use crate::client::Client;

/// user:pass:word
const USER: &str = "Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n";
const SOMEBODY: &str = "Authorization: Basic eDp5\r\n";
const BEGIN: &str = "POST /v2/a/b/blobs/uploads/";

fn start(setup: Setup) -> Registry {
    Registry::start(setup, |_| Fault::Nothing)
}

/// Requests a token and returns its header line.
fn token(client: &mut Client, scope: &str) -> String {
    let said = client.ask(&format!("GET /token?service=x&scope={scope}"), USER, b"");
    assert_eq!(said.status, 200);
    format!("Authorization: Bearer {}\r\n", said.json()["token"].as_str().expect("a token"))
}

#[test]
fn basic() {
    let registry = start(Setup::default().user("user", "pass:word"));
    let mut client = Client::new(&registry);
    for wrong in ["", SOMEBODY, "Authorization: Bearer x\r\n"] {
        let said = client.ask("GET /v2/", wrong, b"");
        assert_eq!((said.status, said.code().as_str()), (401, "UNAUTHORIZED"));
        assert!(said.header("WWW-Authenticate").starts_with("Basic realm="));
    }
    assert_eq!(client.ask("GET /v2/", USER, b"").status, 200);
    assert_eq!(client.ask(BEGIN, USER, b"").status, 202);
    let seen: Vec<_> = registry.take().iter().map(|r| (r.is_authorized(), r.status)).collect();
    assert_eq!(seen[..2], [(false, Some(401)), (true, Some(401))]);
    assert_eq!(seen[3..], [(true, Some(200)), (true, Some(202))]);
}

#[test]
fn a_token_has_its_scope() {
    let registry = start(Setup::default().user("user", "pass:word").tokens(usize::MAX));
    let mut client = Client::new(&registry);
    let said = client.ask(BEGIN, "", b"");
    assert_eq!(
        (said.status, said.header("WWW-Authenticate")),
        (
            401,
            r#"Bearer realm="http://h/token",service="multiarch-testing",scope="repository:a/b:pull,push""#
        )
    );
    assert_eq!(client.ask("GET /token?scope=repository:a/b:pull", SOMEBODY, b"").status, 401);
    let pull = token(&mut client, "repository%3Aa%2Fb%3Apull");
    assert_eq!(client.ask("GET /v2/a/b/manifests/v1", &pull, b"").status, 404);
    let said = client.ask(BEGIN, &pull, b"");
    assert!(said.status == 401 && said.header("WWW-Authenticate").contains("insufficient_scope"));
    let push = token(&mut client, "repository:a/b:pull,push");
    assert_eq!(client.ask(BEGIN, &push, b"").status, 202);
    assert_eq!(client.ask("GET /v2/a/c/manifests/v1", &push, b"").status, 401);
    assert_eq!(client.ask("GET /v2/_catalog", &push, b"").status, 401);
    let catalog = token(&mut client, "registry:catalog:*");
    assert_eq!(client.ask("GET /v2/_catalog", &catalog, b"").status, 200);

    // A client that may not read a repository cannot mount from it.
    let digest = registry.put_blob("from/here", b"a blob");
    let path = format!("{BEGIN}?mount={digest}&from=from/here");
    assert_eq!(client.ask(&path, &push, b"").status, 202);
    let both = token(&mut client, "repository:a/b:pull,push&scope=repository:from/here:pull");
    assert_eq!(client.ask(&path, &both, b"").status, 201);
}

#[test]
fn a_token_ends() {
    let registry = start(Setup::default().user("user", "pass:word").tokens(2));
    let mut client = Client::new(&registry);
    let push = token(&mut client, "repository:a/b:pull,push");
    assert_eq!([(); 2].map(|()| client.ask(BEGIN, &push, b"").status), [202, 202]);
    let said = client.ask(BEGIN, &push, b"");
    assert!(said.status == 401 && said.header("WWW-Authenticate").contains("invalid_token"));
    let push = token(&mut client, "repository:a/b:pull,push");
    registry.revoke_tokens();
    assert_eq!(client.ask(BEGIN, &push, b"").status, 401);

    // This token has already ended when it is issued. Without users every client gets one.
    let demand = Demand::Token { lifetime: Duration::ZERO, uses: 9 };
    let registry = start(Setup { demand, ..Setup::default() });
    let mut client = Client::new(&registry);
    let said = client.ask("GET /token?scope=repository:a/b:pull,push", "", b"");
    assert_eq!(said.json()["expires_in"], 0);
    let push = token(&mut client, "repository:a/b:pull,push");
    assert_eq!(client.ask(BEGIN, &push, b"").status, 401);
}
