//! `multiarch rollback`: each tag holds again what it held before an import, or of half of one.

use std::{collections::BTreeMap, path::Path};

use multiarch_generator::{Image, images_tar};
use multiarch_testing::{Fault, Setup};

use crate::{
    desk::{Desk, Run, multiarch, tags},
    server::{Kind, Server},
};

fn layout(desk: &Desk) -> BTreeMap<String, String> {
    tags(&desk.store())
}

/// Name → digest of every tag in a registry.
fn registry(server: &Server) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for repository in server.registry.repositories() {
        for tag in server.registry.tags(&repository) {
            let manifest = server.registry.manifest(&repository, &tag).expect("there");
            all.insert(format!("{repository}:{tag}"), manifest.digest());
        }
    }
    all
}

fn import(desk: &Desk, architecture: &str, target: &str, snapshot: &str) -> Run {
    desk.run(&["import", &desk.package(architecture), "--to", target, "--snapshot", snapshot])
}

#[test]
fn a_layout_is_as_before() {
    let desk = Desk::new();
    let snapshot = desk.path().join("snapshot.json").display().to_string();
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &desk.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let before = layout(&desk);
    let run = import(&desk, "arm64", &desk.target(), &snapshot);
    assert!(run.err.contains("multiarch rollback"), "{}", run.err);
    let after = layout(&desk);
    assert_ne!(before, after);
    // A dry run shows, and writes nothing.
    let run = desk.run(&["rollback", &snapshot, "--dry-run"]);
    assert_eq!((run.code, layout(&desk)), (Some(0), after.clone()), "{}", run.err);
    assert!(run.out.contains("to put back"), "{}", run.out);
    let run = desk.run(&["rollback", &snapshot, "--json"]);
    assert_eq!((run.code, layout(&desk)), (Some(0), before.clone()), "{}", run.err);
    let put_back = run.json()["tags"].as_array().expect("tags").iter().all(|tag| {
        tag["state"] == "put-back" && before[tag["name"].as_str().expect("a name")] == tag["now"]
    });
    assert!(put_back, "{}", run.out);
    // Once more there is nothing to do.
    let run = desk.run(&["rollback", &snapshot]);
    assert_eq!((run.code, layout(&desk)), (Some(0), before), "{}", run.err);
    assert!(run.out.contains("as before") && !run.out.contains("put back"), "{}", run.out);
    // And the import does the same again.
    let run = import(&desk, "arm64", &desk.target(), &snapshot);
    assert_eq!((run.code, layout(&desk)), (Some(0), after), "{}", run.err);
}

#[test]
fn half_of_an_import_into_a_registry() {
    let desk = Desk::new();
    for stop in 0..4 {
        let snapshot = desk.path().join(format!("snapshot{stop}.json")).display().to_string();
        let written = std::sync::atomic::AtomicUsize::new(0);
        let stops = std::sync::atomic::AtomicUsize::new(usize::MAX);
        let stops = std::sync::Arc::new(stops);
        let heard = stops.clone();
        // From the stop on no tag is written any more.
        let server = Server::start_with(Kind::Debian, move |request| {
            let tag = request.method == "PUT" && request.path.contains("/manifests/");
            let tag = tag && !request.path.contains("sha256:");
            let number =
                if tag { written.fetch_add(1, std::sync::atomic::Ordering::SeqCst) } else { 0 };
            match tag && number >= heard.load(std::sync::atomic::Ordering::SeqCst) {
                true => Fault::answer(403),
                false => Fault::Nothing,
            }
        });
        let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        let before = registry(&server);
        stops.store(before.len() + stop, std::sync::atomic::Ordering::SeqCst);
        let run = import(&desk, "arm64", &server.target(), &snapshot);
        assert_eq!(run.code, Some(1), "{}", run.err);
        let changed =
            registry(&server).iter().filter(|(name, now)| before.get(*name) != Some(now)).count();
        assert!(changed >= stop.min(1), "{stop} {changed}");
        stops.store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
        if stop == 0 {
            assert!(!Path::new(&snapshot).exists(), "nothing is to be taken back");
            continue;
        }
        let run = desk.run(&["rollback", &snapshot]);
        assert_eq!((run.code, registry(&server)), (Some(0), before), "{}{}", run.out, run.err);
    }
}

/// A run that was killed has left the snapshot that it took before its first write.
#[test]
fn a_snapshot_that_was_never_completed() {
    let desk = Desk::new();
    let server = Server::start(Kind::V3);
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let before = registry(&server);
    let plan =
        desk.run(&["plan", &desk.package("arm64"), "--to", &server.target(), "--json"]).json();
    let run = desk.run(&["import", &desk.package("arm64"), "--to", &server.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let images = plan["images"].as_array().expect("images").iter();
    let tags: Vec<_> = images
        .filter(|image| image["after"].is_string())
        .map(|image| serde_json::json!({"name": image["name"], "before": image["before"], "after": image["after"]}))
        .collect();
    let text = serde_json::json!({"schema": "multiarch.snapshot/v1", "target": server.target(), "tags": tags});
    let snapshot = desk.write("snapshot.json", text.to_string());
    let run = desk.run(&["rollback", &snapshot]);
    assert_eq!((run.code, registry(&server)), (Some(0), before), "{}{}", run.out, run.err);
}

/// What another writer has changed since stays, unless the user says otherwise.
#[test]
fn changed_since_and_gone() {
    let desk = Desk::new();
    let snapshot = desk.path().join("snapshot.json").display().to_string();
    let server = Server::start(Kind::Debian);
    let target = server.target();
    let run = desk.run(&["import", &desk.package("amd64"), "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let before = registry(&server);
    let run = import(&desk, "arm64", &target, &snapshot);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let other = desk.write(
        "other.tar",
        images_tar(&[("quay.io/demo/web:v1.2.0", &Image::new("s390x", "web"))]),
    );
    let run = desk.run(&["import", &other, "--to", &target, "--no-snapshot"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let theirs = registry(&server)["demo/web:v1.2.0"].clone();
    assert!(server.registry.delete_manifest("mesh/pilot", &before["mesh/pilot:v1"]));
    let run = desk.run(&["rollback", &snapshot]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.out.contains("CHANGED SINCE") && run.out.contains("GONE"), "{}", run.out);
    assert!(run.err.contains("--even-changed"), "{}", run.err);
    let now = registry(&server);
    assert_eq!(now["demo/web:v1.2.0"], theirs);
    assert_eq!(now["library/cache:7-alpine"], before["library/cache:7-alpine"]);
    let run = desk.run(&["rollback", &snapshot, "--even-changed"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(registry(&server)["demo/web:v1.2.0"], before["demo/web:v1.2.0"]);
}

/// Tags that the import made stay, or are removed where the target does that.
#[test]
fn new_tags() {
    let desk = Desk::new();
    let snapshot = desk.path().join("snapshot.json").display().to_string();
    let run = import(&desk, "amd64", &desk.target(), &snapshot);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let all = layout(&desk);
    let run = desk.run(&["rollback", &snapshot]);
    assert_eq!((run.code, layout(&desk)), (Some(0), all), "{}", run.err);
    let run = desk.run(&["rollback", &snapshot, "--remove-new"]);
    assert_eq!((run.code, layout(&desk).len()), (Some(0), 0), "{}", run.err);
    let snapshot = desk.path().join("another.json").display().to_string();
    let server = Server::set_up(Setup::default(), |_| Fault::Nothing);
    let run = import(&desk, "amd64", &server.target(), &snapshot);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = desk.run(&["rollback", &snapshot, "--remove-new"]);
    assert_eq!((run.code, registry(&server).len()), (Some(0), 0), "{}", run.err);
    assert!(!server.registry.repositories().is_empty(), "what the tags held is still there");
}

#[test]
fn where_snapshots_are_kept() {
    let desk = Desk::new();
    let state = desk.path().join("state");
    let run_of = |words: &[&str]| {
        let mut command = multiarch();
        Run::of(command.current_dir(desk.path()).env("XDG_STATE_HOME", &state).args(words))
    };
    let (amd64, target) = (desk.package("amd64"), desk.target());
    let files = || {
        let files = std::fs::read_dir(state.join("multiarch/snapshots")).into_iter().flatten();
        files.map(|file| file.expect("a file").path().display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(run_of(&["import", &amd64, "--to", &target, "--no-snapshot"]).code, Some(0));
    assert_eq!(files(), [""; 0]);
    let run = run_of(&["import", &desk.package("arm64"), "--to", &target, "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(files(), [run.json()["snapshot"].as_str().expect("a path")]);
    // What writes nothing keeps nothing, and removes what a killed run left in writing its snapshot.
    desk.write("state/multiarch/snapshots/.multiarch-saved-killed", "{");
    let run = run_of(&["import", &amd64, "--to", &target]);
    assert_eq!((run.code, files().len()), (Some(0), 1), "{}", run.err);
    for (name, text) in [
        ("none.json", None),
        ("plan.json", Some("{}")),
        ("v9.json", Some(r#"{"schema": "multiarch.snapshot/v9", "target": "oci:x", "tags": []}"#)),
    ] {
        if let Some(text) = text {
            desk.write(name, text);
        }
        let run = desk.run(&["rollback", name]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.err);
    }
    // A file that the user names must be written before anything else is.
    let run = desk.run(&["import", &amd64, "--to", "oci:new", "--snapshot", "no/such/folder"]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(!desk.path().join("new").exists());
}
