//! Refusals: each cause is printed once, with what the server says, and with a next step that fits.
//!
//! The answers are those of Harbor 2.15, docker-registry 2.8, nginx and others.

use multiarch_testing::{Answer, Fault, HttpServer, Request};

use crate::{
    desk::{Desk, Run},
    server::{Kind, Server},
};

fn import(server: &Server) -> Run {
    let desk = Desk::new();
    desk.run(&["import", "-q", &desk.package("amd64"), "--to", &server.target()])
}

fn harbor(status: u16, code: &str, message: &str) -> Answer {
    Answer::error(status, code, message)
}

/// The errors that a run printed.
fn errors(run: &Run) -> usize {
    run.err.lines().filter(|line| line.starts_with("error: ")).count()
}

/// Every write is refused with one answer. The package has six images.
#[test]
fn one_error_for_one_cause() {
    let project = |_: &Request| {
        let message = "project nosuch not found: project nosuch not found";
        harbor(401, "UNAUTHORIZED", message).header("WWW-Authenticate", "")
    };
    type Refusal = Box<dyn Fn(&Request) -> Answer + Send + Sync>;
    let fixed = |answer: Answer| -> Refusal { Box::new(move |_| answer.clone()) };
    let cases: [(&str, Refusal, &[&str]); 8] = [
        (
            "missing project",
            Box::new(project),
            &["projects: demo, library, mesh", "--create-projects"],
        ),
        (
            "no right",
            Box::new(|request| {
                let repository = request
                    .local_path()
                    .trim_start_matches("/v2/")
                    .split("/blobs")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                harbor(
                    403,
                    "DENIED",
                    &format!("unauthorized to access repository: {repository}, action: push"),
                )
            }),
            &["6 times the same", "ask for the right to push"],
        ),
        (
            "read-only",
            fixed(harbor(
                403,
                "DENIED",
                "The system is in read only mode. Any modification is prohibited.",
            )),
            &["read only mode", "switched off"],
        ),
        (
            "quota",
            fixed(harbor(
                403,
                "DENIED",
                "adding 700.0 KiB of storage resource, which when updated to current usage of 700.0 KiB will exceed the configured upper limit of 1.0 MiB.",
            )),
            &["upper limit of 1.0 MiB", "bytes of blobs are left to send", "raise the quota"],
        ),
        (
            "one component",
            fixed(harbor(400, "BAD_REQUEST", "bad request: invalid repository name: busybox")),
            &["invalid repository name", "HOST/PROJECT"],
        ),
        (
            "proxy project",
            fixed(harbor(403, "DENIED", "denied: can not push artifact to a proxy project: proxy")),
            &["choose another project"],
        ),
        (
            "a text",
            fixed(
                Answer::new(400).header("Content-Type", "text/plain").body("blocked by policy 17"),
            ),
            &["400", "blocked by policy 17"],
        ),
        (
            "a page",
            fixed(
                Answer::new(403)
                    .header("Content-Type", "text/html")
                    .body("<html><title>Blocked by the firewall</title></html>"),
            ),
            &["403", "Blocked by the firewall"],
        ),
    ];
    for (name, refusal, told) in cases {
        let server = Server::start_with(Kind::Debian, move |request| match request.reads() {
            true => Fault::Nothing,
            false => Fault::Answer(refusal(request)),
        });
        let run = import(&server);
        assert_eq!(run.code, Some(1), "{name}: {}", run.err);
        assert_eq!(errors(&run), 1, "{name}: {}", run.err);
        for told in told.iter().chain(&[server.address.as_str()]) {
            assert!(run.err.contains(told), "{name}, {told}: {}", run.err);
        }
    }
}

/// What is wrong with the target as a whole is found by the first requests, and ends the run.
#[test]
fn the_whole_target() {
    let page = Answer::new(200)
        .header("Content-Type", "text/html")
        .body("<html><title>Portal</title></html>");
    let server = Server::start_with(Kind::Debian, move |_| Fault::Answer(page.clone()));
    let run = import(&server);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("a web page answers instead of a registry") && run.err.contains("Portal")
    );
    assert!(
        run.err.contains(&server.address) && !run.err.contains("fetch the package"),
        "{}",
        run.err
    );
    assert_eq!(server.take().len(), 1);

    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let https = server.target().replace("docker://", "https://");
    let run = desk.run(&["import", "-q", &desk.package("amd64"), "--to", &https]);
    assert!(run.err.contains("plain HTTP") && run.err.contains("http://"), "{}", run.err);

    let run = desk.run(&["import", "-q", &desk.package("amd64"), "--to", "registry.invalid"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("registry.invalid")
            && run.err.contains("the name of the host is not known")
    );
    assert_eq!(errors(&run), 1, "{}", run.err);
}

/// A quota that ends half-way: what has begun is finished, and no blob takes the room of its manifests.
#[test]
fn a_full_project_keeps_complete_images() {
    let (desk, sent) = (Desk::new(), std::sync::atomic::AtomicU64::new(0));
    let server = Server::start_with(Kind::Debian, move |request| {
        let is_blob = request.is("PUT", "/blobs/uploads/");
        let size = if is_blob { request.length } else { 0 };
        let before = sent.fetch_add(size, std::sync::atomic::Ordering::SeqCst);
        if is_blob && before + size > 2000 {
            return Fault::Answer(harbor(
                403,
                "DENIED",
                "will exceed the configured upper limit of 1.0 MiB",
            ));
        }
        Fault::Nothing
    });
    let words =
        ["import", "-q", "--json", "--jobs", "1", &desk.package("amd64"), "--to", &server.target()];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let report = run.json();
    let state = |image: &serde_json::Value, wanted| image["state"] == wanted;
    let images = report["images"].as_array().expect("images");
    let written: Vec<_> = images.iter().filter(|image| state(image, "written")).collect();
    assert!(!written.is_empty() && written.len() < images.len(), "{images:?}");
    for image in written {
        server.validate(image["name"].as_str().expect("a name"));
    }
    let refused = server.take().iter().filter(|request| request.status == Some(403)).count();
    assert_eq!(refused, 1, "after the first refusal no blob is sent to the project");
}

#[test]
fn a_body_that_is_too_large() {
    let server = Server::start_with(Kind::Debian, |request| match request.length > 300 {
        true => Fault::answer(413),
        false => Fault::Nothing,
    });
    let run = import(&server);
    assert_eq!(run.code, Some(1), "{}", run.err);
    for told in ["413", "the body has ", "client_max_body_size", &server.address] {
        assert!(run.err.contains(told), "{told}: {}", run.err);
    }
}

/// A mount that is answered 201 and did not happen is found where the manifest is refused.
#[test]
fn mounts_that_did_not_happen() {
    let server = Server::start_with(Kind::Debian, |request| {
        if request.is("POST", "mount=") {
            return Fault::Answer(Answer::new(201).header("Location", "/v2/x/blobs/x"));
        }
        Fault::Nothing
    });
    let desk = Desk::new();
    let run =
        desk.run(&["import", "-q", "--json", &desk.package("amd64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for image in run.json()["images"].as_array().expect("images") {
        server.validate(image["name"].as_str().expect("a name"));
    }
}

/// Requests are redirected to another server; it gets all of them, and no login.
#[test]
fn redirects_that_keep_the_method() {
    for status in [307, 308] {
        let store = Server::start(Kind::Debian);
        let to = format!("http://{}", store.address.replace("127.0.0.1", "localhost"));
        let server = Server::start_with(Kind::Debian, move |request| match request.local_path() {
            "/v2/" => Fault::Nothing,
            _ => Fault::Answer(
                Answer::new(status).header("Location", format!("{to}{}", request.path)),
            ),
        });
        let run = import(&server);
        assert_eq!(run.code, Some(0), "{status}: {}", run.err);
        store.validate("demo/web:v1.2.0");
        assert!(store.take().iter().all(|request| !request.is_authorized()));
    }
    let server = Server::start_with(Kind::Debian, |request| match request.reads() {
        true => Fault::Nothing,
        false => {
            Fault::Answer(Answer::new(302).header("Location", "http://login.example.com/?secret=1"))
        }
    });
    let run = import(&server);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("http://login.example.com/: a POST would become a GET"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("secret"), "{}", run.err);
}

/// A limit without a burst: a request is refused that comes within 40 ms of the one before.
#[test]
fn a_limit_without_a_burst() {
    let last = std::sync::Mutex::new(None::<std::time::Instant>);
    let server = Server::start_with(Kind::Debian, move |_| {
        let (mut last, now) = (last.lock().expect("whole"), std::time::Instant::now());
        if last.is_some_and(|last| now - last < std::time::Duration::from_millis(40)) {
            return Fault::answer(503);
        }
        *last = Some(now);
        Fault::Nothing
    });
    let run = import(&server);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let requests = server.take();
    let refused = requests.iter().filter(|request| request.status == Some(503)).count();
    assert!(refused * 2 < requests.len(), "{refused} of {} refused", requests.len());
}

/// The proxy's refusal is named as the proxy's.
#[test]
fn a_proxy_that_refuses() {
    for (status, scheme, told) in [
        (407, "http", "wants a login"),
        (407, "https", "where it wants a login"),
        (403, "https", "did not connect to the server"),
    ] {
        let proxy = HttpServer::empty(move |_| Fault::answer(status));
        let desk = Desk::new();
        let way = format!("http://me:secret@{}", proxy.address());
        let mut command = crate::desk::multiarch();
        command.args([
            "import",
            "-q",
            &desk.package("amd64"),
            "--to",
            &format!("{scheme}://registry.test"),
        ]);
        let run = Run::of(command.env("HTTP_PROXY", &way).env("HTTPS_PROXY", &way));
        assert_eq!(run.code, Some(1), "{}", run.err);
        let is_named = run.err.contains(told) || run.err.contains("407");
        assert!(
            is_named && run.err.contains("NO_PROXY") && !run.err.contains("secret"),
            "{}",
            run.err
        );
        assert!(proxy.take().len() <= 2, "it is not tried again and again");
    }
}
