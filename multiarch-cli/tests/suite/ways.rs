//! Registries that behave unusually, or change in the middle of a run. Real ones cannot be made to
//! do this.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use multiarch_testing::{Demand, Fault, Request, Setup};

use crate::{
    account::SOMEONE,
    desk::{Desk, Run, multiarch, tags},
    server::Server,
};

/// Imports both packages, with credentials that a registry with users accepts.
fn import(desk: &Desk, server: &Server) -> Run {
    import_with(&[], desk, server)
}

fn import_with(more: &[&str], desk: &Desk, server: &Server) -> Run {
    let mut command = multiarch();
    command.args([
        "import",
        &desk.package("amd64"),
        &desk.package("arm64"),
        "--json",
        "-q",
        "--to",
    ]);
    command.env("MULTIARCH_USERNAME", SOMEONE.name).env("MULTIARCH_PASSWORD", SOMEONE.password);
    Run::of(command.arg(server.target()).args(more))
}

/// Imports, and checks that the registry holds the same bytes as a layout.
fn import_all(setup: Setup, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Server {
    let (desk, server) = (Desk::new(), Server::set_up(setup, rule));
    check(&desk, &server);
    server
}

fn check(desk: &Desk, server: &Server) {
    check_after(&import(desk, server), desk, server);
}

fn check_after(run: &Run, desk: &Desk, server: &Server) {
    assert_eq!(run.code, Some(0), "{}", run.err);
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    let run = desk.run(&["import", &amd64, &arm64, "--to", &desk.target(), "-q"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for (name, digest) in tags(&desk.store()) {
        assert_eq!(server.digest(&name), digest, "{name}");
        server.validate(&name);
    }
}

#[test]
fn tokens_that_end() {
    let setup = Setup::default().user(SOMEONE.name, SOMEONE.password).tokens(6);
    let (desk, server) = (Desk::new(), Server::set_up(setup, |_| Fault::Nothing));
    // Where several requests share a token of few uses, one may be too late for each new token.
    check_after(&import_with(&["--jobs", "1"], &desk, &server), &desk, &server);
    let refused = server.take().iter().filter(|request| request.status == Some(401)).count();
    assert!(refused > 6, "tokens ended: {refused}");
    // All tokens end at once. The next run has nothing to write, so it only reads.
    server.registry.revoke_tokens();
    assert_eq!(import_with(&["--jobs", "1"], &desk, &server).code, Some(0));
    let requests = server.take();
    assert!(requests.iter().all(|r| r.method == "GET" || r.method == "HEAD"), "{requests:?}");
    assert!(requests.iter().any(Request::is_authorized));
}

/// If every new token has already ended, the client must stop asking for more.
#[test]
fn tokens_that_are_never_valid() {
    let demand = Demand::Token { lifetime: std::time::Duration::from_secs(60), uses: 0 };
    let desk = Desk::new();
    let server = Server::set_up(Setup { demand, ..Setup::default() }, |_| Fault::Nothing);
    let run = import(&desk, &server);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("401"), "{}", run.err);
    assert!(server.registry.repositories().is_empty());
}

#[test]
fn no_blob_in_one_piece() {
    let server = import_all(Setup { whole_blobs: false, ..Setup::default() }, |_| Fault::Nothing);
    let requests = server.take();
    assert!(requests.iter().any(|r| r.method == "PATCH" && r.header("content-range").is_some()));
}

#[test]
fn no_mounts() {
    let server = import_all(Setup { mounts: false, ..Setup::default() }, |_| Fault::Nothing);
    let mounts: Vec<_> = server.take().into_iter().filter(|r| r.is("POST", "mount=")).collect();
    assert!(!mounts.is_empty() && mounts.iter().all(|r| r.status == Some(202)), "{mounts:?}");
    assert_eq!(server.registry.sessions(), 0, "the upload that replaces a mount is used");
}

#[test]
fn lists_in_pages() {
    let server = import_all(Setup { page: 2, ..Setup::default() }, |_| Fault::Nothing);
    let status = Desk::new().run(&["status", "--to", &server.target(), "--json"]).json();
    assert_eq!(status["tags"].as_array().map(Vec::len), Some(6), "{status}");
    assert!(server.take().iter().any(|request| request.is("GET", "_catalog?n=2&last=")));
}

/// Every manifest is written, but its first answer is lost. The second request finds it already
/// there.
#[test]
fn answers_that_are_lost() {
    let seen = Mutex::new(BTreeSet::new());
    let server = import_all(Setup::default(), move |request| {
        let what = format!("{} {}", request.method, request.path);
        let first = seen.lock().expect("requests").insert(what);
        if first && request.is("PUT", "/manifests/") { Fault::Lost } else { Fault::Nothing }
    });
    let writes = server.take().into_iter().filter(|request| request.is("PUT", "/manifests/"));
    assert!(writes.filter(|request| request.status.is_none()).count() > 6);
}

/// The server deletes blobs as garbage when the first manifest that needs them comes.
#[test]
fn a_blob_that_is_collected_before_its_manifest() {
    static LOST: AtomicBool = AtomicBool::new(false);
    let desk = Desk::new();
    let registry = Arc::new(OnceLock::<Weak<Server>>::new());
    let known = registry.clone();
    let server = Arc::new(Server::set_up(Setup::default(), move |request| {
        if request.is("PUT", "/v2/demo/web/manifests/") && !LOST.swap(true, Ordering::SeqCst) {
            let server = known.get().and_then(Weak::upgrade).expect("it runs");
            for digest in server.registry.blobs("demo/web") {
                assert!(server.registry.delete_blob("demo/web", &digest));
            }
        }
        Fault::Nothing
    }));
    registry.set(Arc::downgrade(&server)).unwrap_or_else(|_| panic!("it is set once"));
    check(&desk, &server);
    let refused = |r: &Request| r.is("PUT", "/v2/demo/web/manifests/") && r.status == Some(400);
    assert!(server.take().iter().any(refused));
}

/// Another writer changes a tag after it was read, so it is merged again, and nothing is lost.
#[test]
fn a_tag_that_another_writer_changes_during_the_run() {
    static READ: AtomicBool = AtomicBool::new(false);
    let (desk, other) = (Desk::new(), Desk::new());
    let address = Arc::new(OnceLock::<String>::new());
    let known = address.clone();
    let package = other.package("arm64");
    let server = Server::set_up(Setup::default(), move |request| {
        // The other writer's whole run happens between the first blob of this run and its
        // manifests.
        if request.is("PUT", "/blobs/uploads/") && !READ.swap(true, Ordering::SeqCst) {
            let target = known.get().expect("it runs");
            let run = other.run(&["import", &package, "--to", target, "-q"]);
            assert_eq!(run.code, Some(0), "{}", run.err);
        }
        Fault::Nothing
    });
    address.set(server.target()).expect("it is set once");
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target(), "-q"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(READ.load(Ordering::SeqCst));
    for name in ["demo/web:v1.2.0", "mesh/pilot:v1", "library/cache:7-alpine"] {
        let manifest = server.manifest(name);
        let both = ["amd64", "arm64"].map(|a| manifest.contains(&format!("\"{a}\"")));
        assert_eq!(both, [true, true], "{name}: {manifest}");
        server.validate(name);
    }
}
