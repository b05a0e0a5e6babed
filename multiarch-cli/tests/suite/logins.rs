//! Where logins come from, how they are refused, and where they are not sent.
//!
//! Files: containers-auth.json(5) and docker's `config.json`. Challenges: RFC 9110, section 11.6.1. Tokens:
//! <https://distribution.github.io/distribution/spec/auth/token/>

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use multiarch_testing::{Answer, Fault, Request, Setup};

use crate::{
    account::SOMEONE,
    desk::{Desk, Run, multiarch},
    server::{Kind, Server},
};

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

fn basic() -> String {
    encoded(&format!("{}:{}", SOMEONE.name, SOMEONE.password))
}

/// A file with logins: keys, and the members of each.
fn logins(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> =
        entries.iter().map(|(key, members)| format!("\"{key}\": {members}")).collect();
    format!("{{\"auths\": {{{}}}}}", entries.join(", "))
}

fn import(desk: &Desk, to: &str, environment: &[(&str, &str)]) -> Run {
    let mut command = multiarch();
    command.args(["import", "-q", &desk.package("amd64"), "--to", to]);
    for name in
        ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"]
    {
        command.env_remove(name);
    }
    Run::of(command.env("HOME", "/nonexistent").envs(environment.iter().copied()))
}

fn with_password(desk: &Desk, to: &str, password: &str) -> Run {
    let login = [("MULTIARCH_USERNAME", SOMEONE.name), ("MULTIARCH_PASSWORD", password)];
    import(desk, to, &login)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

#[test]
fn files_of_podman_and_docker() {
    let server = Server::protected(Kind::V3, |_| Fault::Nothing);
    let (host, right) = (server.address.as_str(), format!(r#"{{"auth": "{}"}}"#, basic()));
    let wrong = format!(r#"{{"auth": "{}"}}"#, encoded("old:old"));
    let https = format!("https://{host}/v2/");
    let below = format!("{host}/platform");
    let of_host = logins(&[(host, &right)]);
    let (stale, path) = (logins(&[(host, &wrong)]), logins(&[(host, &wrong), (&below, &right)]));
    let members = format!(
        r#"{{"auth": "", "username": "{}", "password": "{}", "identitytoken": null}}"#,
        SOMEONE.name, SOMEONE.password
    );
    let odd = logins(&[(host, &members), ("other.example.com", "null")]);
    let url = logins(&[(&https, &right)]);
    let podman = ".config/containers/auth.json";
    for (name, files, variables, to) in [
        ("podman", &[(podman, &of_host)][..], &[][..], ""),
        ("docker", &[(".docker/config.json", &of_host)], &[], ""),
        ("a URL as the key", &[(".docker/config.json", &url)], &[], ""),
        ("empty members", &[(".docker/config.json", &odd)], &[], ""),
        (
            "the first file counts",
            &[("run/containers/auth.json", &of_host), (podman, &stale)],
            &[("XDG_RUNTIME_DIR", "run")],
            "",
        ),
        (
            "only this file",
            &[("a.json", &of_host), (podman, &stale)],
            &[("REGISTRY_AUTH_FILE", "a.json")],
            "",
        ),
        ("the longest key", &[(podman, &path)], &[], "/platform"),
    ] {
        let desk = Desk::new();
        for (path, text) in files {
            write(&desk.path().join(path), text);
        }
        let home = desk.path().display().to_string();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, path)| (*name, desk.path().join(path).display().to_string()))
            .collect();
        let mut environment: Vec<_> =
            variables.iter().map(|(name, path)| (*name, path.as_str())).collect();
        environment.push(("HOME", &home));
        let run = import(&desk, &format!("{}{to}", server.target()), &environment);
        assert_eq!(run.code, Some(0), "{name}: {}", run.err);
    }
}

#[test]
fn a_file_that_the_user_names() {
    let (desk, server) = (Desk::new(), Server::protected(Kind::V3, |_| Fault::Nothing));
    let login = format!(r#"{{"auth": "{}"}}"#, basic());
    let file = desk.write("logins.json", logins(&[(&server.address, &login)]));
    let amd64 = desk.package("amd64");
    let words = ["import", "-q", &amd64, "--to", &server.target(), "--authfile"];
    let with = |file: &str| desk.run(&[&words[..], &[file]].concat());
    let run = with(&file);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for (file, named) in
        [("nowhere.json".into(), "nowhere.json"), (desk.write("b.json", "{\"auths\""), "b.json")]
    {
        let run = with(&file);
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(run.err.contains(named), "{}", run.err);
    }
}

#[test]
fn a_refused_login_says_whose_it_was_and_is_tried_once() {
    for token in [false, true] {
        let setup = Setup::default().user(SOMEONE.name, SOMEONE.password);
        let setup = if token { setup.tokens(1000) } else { setup };
        let (desk, server) = (Desk::new(), Server::set_up(setup, |_| Fault::Nothing));
        let run = with_password(&desk, &server.target(), "wrong");
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert_eq!(run.err.matches("error:").count(), 1, "{}", run.err);
        assert!(run.err.contains("the user \"someone\" of MULTIARCH_USERNAME"), "{}", run.err);
        let sent = server.take().into_iter().filter(Request::is_authorized).count();
        assert_eq!(sent, 1, "token: {token}");
        assert!(!run.err.contains("wrong\""), "{}", run.err);

        let run = import(&desk, &server.target(), &[]);
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert_eq!(run.err.matches("error:").count(), 1, "{}", run.err);
        assert!(
            run.err.contains("without a login") && run.err.contains("next: log in"),
            "{}",
            run.err
        );
    }
}

#[test]
fn places_that_cannot_be_read_are_named_where_a_login_is_missing() {
    let server = Server::protected(Kind::V3, |_| Fault::Nothing);
    let helper = |script: &str| {
        let desk = Desk::new();
        let path = desk.path().join("bin/docker-credential-sso");
        write(&path, &format!("#!/bin/sh\ncat > /dev/null\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
        write(&desk.path().join(".docker/config.json"), r#"{"credsStore": "sso"}"#);
        let home = desk.path().display().to_string();
        let path = format!("{home}/bin:{}", std::env::var("PATH").expect("a PATH"));
        import(&desk, &server.target(), &[("HOME", &home), ("PATH", &path)])
    };
    let run = helper("echo the session has expired >&2; exit 1");
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("docker-credential-sso: the session has expired"), "{}", run.err);
    let run = helper("echo credentials not found in native keychain; exit 1");
    assert!(run.err.contains("there is none for this host in"), "{}", run.err);
    let answer =
        format!(r#"echo '{{"Username":"{}","Secret":"{}"}}'"#, SOMEONE.name, SOMEONE.password);
    let run = helper(&answer);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = helper("echo secret-that-is-no-json");
    assert!(
        run.err.contains("docker-credential-sso") && !run.err.contains("secret-that"),
        "{}",
        run.err
    );

    let desk = Desk::new();
    write(&desk.path().join(".docker/config.json"), r#"{"auths": {"secret"#);
    let home = desk.path().display().to_string();
    let run = import(&desk, &server.target(), &[("HOME", &home)]);
    assert!(run.err.contains(".docker/config.json: not the JSON"), "{}", run.err);
    assert!(!run.err.contains("secret"), "{}", run.err);
}

/// Some registries show strangers nothing, and say 404 for it.
#[test]
fn the_login_is_used_from_the_first_request() {
    let setup = Setup::default().user(SOMEONE.name, SOMEONE.password);
    let server = Server::set_up(setup, |request| {
        if request.reads() && !request.is_authorized() && request.local_path() != "/v2/" {
            return Fault::Answer(Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"));
        }
        Fault::Nothing
    });
    let desk = Desk::new();
    for architecture in ["amd64", "arm64"] {
        let mut command = multiarch();
        command.args(["import", "-q", &desk.package(architecture), "--to", &server.target()]);
        command.env("MULTIARCH_USERNAME", SOMEONE.name).env("MULTIARCH_PASSWORD", SOMEONE.password);
        let run = Run::of(&mut command);
        assert_eq!(run.code, Some(0), "{}", run.err);
    }
    let index = server.manifest("demo/web:v1.2.0");
    assert!(index.contains("amd64") && index.contains("arm64"), "{index}");
}

/// A registry with a token server at the same address. `challenge` is what it sends with 401, where HOST
/// stands for its address; `token` answers the request for a token.
fn with_tokens(
    challenge: &'static str,
    token: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = asked.clone();
    let server = Server::start_with(Kind::V3, move |request| {
        if request.local_path() == "/token" {
            seen.lock().expect("whole").push(format!("{} {}", request.method, request.path));
            return Fault::Answer(token(request));
        }
        if request.header("authorization") == Some("Bearer TOKEN") {
            return Fault::Nothing;
        }
        let host = request.header("host").unwrap_or_default();
        let challenge = challenge.replace("HOST", host);
        Fault::Answer(Answer::new(401).header("WWW-Authenticate", challenge))
    });
    (server, asked)
}

#[test]
fn challenges_and_tokens_of_all_forms() {
    let answers: [(&'static str, &'static str); 7] = [
        (r#"Bearer realm="http://HOST/token",service="r""#, r#"{"token":"TOKEN","expires_in":-1}"#),
        (r#"Bearer realm="/token""#, r#"{"access_token":"TOKEN","expires_in":"3600"}"#),
        (
            r#"Basic realm="x", Bearer realm="http://HOST/token""#,
            r#"{"token":"TOKEN","expires_in":3600.5}"#,
        ),
        (
            r#"Negotiate oYG=, Bearer realm=http://HOST/token"#,
            r#"{"token":"TOKEN","access_token":""}"#,
        ),
        (
            "Bearer\trealm=\"http://HOST/token\" ,\tservice=\"r\"",
            r#"{"token":"TOKEN","expires_in":null}"#,
        ),
        (r#"bearer REALM="http://HOST/token",,scope="a b""#, r#"{"token":"TOKEN","issued_at":1}"#),
        (r#"Bearer realm="http://HOST/token?x=1,2""#, r#"{"token":"TOKEN"}"#),
    ];
    for (challenge, answer) in answers {
        let (server, _) = with_tokens(challenge, move |_| {
            Answer::new(200).header("Content-Type", "application/json").body(answer)
        });
        let desk = Desk::new();
        let run = with_password(&desk, &server.target(), SOMEONE.password);
        assert_eq!(run.code, Some(0), "{challenge} {answer}: {}", run.err);
    }
    let (server, _) = with_tokens(r#"Bearer realm="mailto:x""#, |_| Answer::new(500));
    let run = with_password(&Desk::new(), &server.target(), SOMEONE.password);
    assert!(run.code == Some(1) && run.err.contains("realm"), "{}", run.err);
}

#[test]
fn the_scope_of_a_challenge_is_asked_for() {
    let server = Server::start_with(Kind::V3, |request| {
        let path = request.local_path();
        if path == "/token" {
            return Fault::Answer(Answer::json(
                200,
                &serde_json::json!({"token": encoded(&request.parameters("scope").join("|"))}),
            ));
        }
        let Some((repository, _)) = path.strip_prefix("/v2/").and_then(|p| {
            ["/manifests/", "/blobs/", "/referrers/"].iter().find_map(|part| p.split_once(part))
        }) else {
            return Fault::Nothing;
        };
        let inner = format!("repository:docker-local/{repository}");
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let token = token.and_then(|token| STANDARD.decode(token).ok()).unwrap_or_default();
        if String::from_utf8_lossy(&token).contains(&format!("{inner}:pull,push")) {
            return Fault::Nothing;
        }
        let realm = format!("http://{}/token", request.header("host").unwrap_or_default());
        let challenge = format!("Bearer realm=\"{realm}\",scope=\"{inner}:pull,push\"");
        Fault::Answer(Answer::new(401).header("WWW-Authenticate", challenge))
    });
    let run = with_password(&Desk::new(), &server.target(), SOMEONE.password);
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// A token for several repositories costs one request, where the server gives such tokens.
#[test]
fn requests_that_wait_share_a_token() {
    let count = |refuses: bool| {
        let (server, asked) = with_tokens(r#"Bearer realm="http://HOST/token""#, move |request| {
            // Slow, so that requests come to wait.
            std::thread::sleep(std::time::Duration::from_millis(50));
            if refuses && request.parameters("scope").len() > 1 {
                return Answer::new(403);
            }
            Answer::new(200).body(r#"{"token":"TOKEN"}"#)
        });
        let run = with_password(&Desk::new(), &server.target(), SOMEONE.password);
        assert_eq!(run.code, Some(0), "{}", run.err);
        let asked = asked.lock().expect("whole").clone();
        let scopes: usize = asked.iter().map(|path| path.matches("scope=").count()).sum();
        (asked.len(), scopes)
    };
    let (tokens, scopes) = count(false);
    assert!(tokens < scopes, "{tokens} tokens for {scopes} scopes");
    count(true);
}

/// An identity token is posted; where that is not possible it is the password of a user without a name.
#[test]
fn identity_tokens() {
    for has_post in [true, false] {
        let (server, asked) = with_tokens(r#"Bearer realm="http://HOST/token""#, move |request| {
            let is_basic = request.header("authorization").is_some_and(|value| {
                value.strip_prefix("Basic ") == Some(&encoded("<token>:REFRESH"))
            });
            match request.method.as_str() {
                "POST" if has_post => Answer::new(200).body(r#"{"access_token":"TOKEN"}"#),
                "GET" if is_basic => Answer::new(200).body(r#"{"token":"TOKEN"}"#),
                _ => Answer::new(405),
            }
        });
        let desk = Desk::new();
        let file = logins(&[(&server.address, r#"{"auth": "dTo=", "identitytoken": "REFRESH"}"#)]);
        let file = desk.write("a.json", file);
        let run = import(&desk, &server.target(), &[("REGISTRY_AUTH_FILE", &file)]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert!(asked.lock().expect("whole").iter().all(|path| !path.contains("REFRESH")));
    }
}

/// A login goes to the token server that the registry names, and not to where that sends it on.
#[test]
fn a_login_is_not_sent_on() {
    for method in ["GET", "POST"] {
        let other = Server::start_with(Kind::V3, |_| {
            Fault::Answer(Answer::new(200).body(r#"{"token":"TOKEN"}"#))
        });
        let elsewhere = format!("http://{}/token", other.address.replace("127.0.0.1", "localhost"));
        let (server, _) = with_tokens(r#"Bearer realm="http://HOST/token""#, move |_| {
            Answer::new(307).header("Location", elsewhere.clone())
        });
        let desk = Desk::new();
        let run = if method == "GET" {
            with_password(&desk, &server.target(), SOMEONE.password)
        } else {
            let file = logins(&[(&server.address, r#"{"identitytoken": "REFRESH"}"#)]);
            let file = desk.write("a.json", file);
            import(&desk, &server.target(), &[("REGISTRY_AUTH_FILE", &file)])
        };
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(run.err.contains("it is not sent there"), "{}", run.err);
        assert!(other.take().is_empty());
    }
}

/// Where a redirect leads, another server asks for a login. It is not told ours, nor asked for a token with it.
#[test]
fn a_login_is_not_sent_where_a_redirect_asks_for_one() {
    type Part = fn(&Request) -> bool;
    let parts: [(&str, Part); 5] = [
        ("greeting", |request| request.path == "/v2/"),
        ("tag", |request| request.is("GET", "/manifests/")),
        ("blob", |request| request.is("HEAD", "/blobs/")),
        ("upload", |request| request.is("POST", "/uploads/")),
        ("manifest", |request| request.is("PUT", "/manifests/")),
    ];
    for (name, is_part) in parts {
        let foreign = Server::start_with(Kind::V3, |request| {
            let host = request.header("host").unwrap_or_default();
            let challenge = format!("Bearer realm=\"http://{host}/steal\",service=\"s\"");
            Fault::Answer(Answer::new(401).header("WWW-Authenticate", challenge))
        });
        let elsewhere = format!("http://{}", foreign.address.replace("127.0.0.1", "localhost"));
        let server = Server::protected(Kind::Debian, move |request| match is_part(request) {
            true => Fault::Answer(
                Answer::new(307).header("Location", format!("{elsewhere}{}", request.path)),
            ),
            false => Fault::Nothing,
        });
        let run = with_password(&Desk::new(), &server.target(), SOMEONE.password);
        // After a greeting elsewhere the registry itself may still be used.
        assert!(run.code != Some(0) || name == "greeting", "{name}");
        let requests = foreign.take();
        assert!(!requests.is_empty(), "{name}: {}", run.err);
        for request in requests {
            assert_eq!(request.header("authorization"), None, "{name}: {}", request.path);
            assert!(!request.path.starts_with("/steal"), "{name}");
        }
    }
}
