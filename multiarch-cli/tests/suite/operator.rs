//! Faults of the operator's verbs that others met with their tools, and that ours once had.

use std::sync::atomic::{AtomicUsize, Ordering};

use multiarch_generator::{Image, Layer, images_tar};
use multiarch_testing::{Fault, Harbor, Registry, Setup};
use serde_json::Value;

use crate::{
    desk::{Desk, Run, multiarch, tags},
    server::{Kind, Server},
};

fn check<'v>(report: &'v Value, subject: &str) -> &'v Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["subject"] == subject).unwrap_or(&Value::Null)
}

fn kinds(diagnosis: &Value) -> Vec<&str> {
    let damages = diagnosis["damages"].as_array().expect("damages").iter();
    damages.map(|damage| damage["kind"].as_str().expect("a kind")).collect()
}

/// containerd/containerd#2133: `arm64/v8` is arm64, and so are the kernel's names.
#[test]
fn platforms_by_all_their_names() {
    let desk = Desk::new();
    let packages = [desk.package("amd64"), desk.package("arm64")];
    for (number, (names, expected)) in [
        ("linux/arm64/v8", "linux/arm64"),
        ("aarch64", "linux/arm64"),
        ("linux/ARM64", "linux/arm64"),
        ("linux/x86_64", "linux/amd64"),
        ("!linux/arm64/v8", "linux/amd64"),
        ("!x86_64", "linux/arm64"),
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("oci:store{number}");
        let words = ["import", &packages[0], &packages[1], "--to", &target, "--platforms", names];
        let run = desk.run(&words);
        assert_eq!(run.code, Some(0), "{names}: {}", run.err);
        let status = desk.run(&["status", "--to", &target, "--json"]).json();
        let found = status["tags"].as_array().expect("tags").iter();
        let found = found.flat_map(|tag| tag["platforms"].as_array().expect("a list"));
        let found: Vec<&str> = found.map(|p| p["platform"].as_str().expect("a text")).collect();
        assert!(
            !found.is_empty() && found.iter().all(|one| *one == expected),
            "{names}: {found:?}"
        );
    }
}

/// zarf-dev/zarf#92: a misspelt name must not pass beside a right one.
#[test]
fn a_glob_that_fits_nothing_is_named() {
    let desk = Desk::new();
    let amd64 = desk.package("amd64");
    let import = |words: &[&str]| desk.run(&[&["import", &amd64, "--to", "oci:s"], words].concat());
    for words in [
        &["--charts", "web,nosuch"][..],
        &["--images", "*cache*,*cahe*"],
        &["--platforms", "linux/amd64,linux/arm46"],
        &["--folders", "addon,adon"],
    ] {
        let run = import(words);
        assert_eq!(run.code, Some(2), "{words:?}: {}", run.err);
        let glob = words[1].split(',').next_back().expect("two");
        assert!(run.err.contains(&format!("{glob:?}")), "{words:?}: {}", run.err);
        assert!(!desk.path().join("s").exists(), "nothing is written");
    }
    // People write a blank after a comma.
    assert_eq!(
        import(&["--charts", "web, queue", "--json"]).json()["charts"].as_array().map(Vec::len),
        Some(2)
    );
    let run = import(&["--charts", "!nosuch"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("nosuch"), "it is said: {}", run.err);
    for text in [
        "charts: [web]\ncharts: [queue]\n",
        "charts: [web]\n---\ncharts: [queue]\n",
        "chart: [web]\n",
    ] {
        let file = desk.write("select.yaml", text);
        assert_eq!(import(&["--select", &file]).code, Some(2), "{text}");
    }
}

/// The same command again goes on with its snapshot, so that all of it can be taken back.
#[test]
fn a_snapshot_over_several_runs() {
    let desk = Desk::new();
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), desk.target());
    let run = desk.run(&["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let before = tags(&desk.store());
    for charts in ["web", "!web"] {
        let words = ["import", &arm64, "--to", &target, "--snapshot", "s.json", "--charts", charts];
        assert_eq!(desk.run(&words).code, Some(0));
    }
    assert_ne!(tags(&desk.store()), before);
    // From another folder, too.
    let mut command = multiarch();
    let snapshot = desk.path().join("s.json");
    let run = Run::of(command.current_dir("/").args(["rollback", &snapshot.display().to_string()]));
    assert_eq!((run.code, tags(&desk.store())), (Some(0), before), "{}", run.err);
    // Another file is not written over, nor the snapshot of another target.
    let other = desk.write("other.json", "{}");
    for (file, target) in [(other.as_str(), target.as_str()), ("s.json", "oci:another")] {
        let run = desk.run(&["import", &arm64, &amd64, "--to", target, "--snapshot", file]);
        assert_eq!(run.code, Some(2), "{file}: {}", run.err);
    }
    assert_eq!(std::fs::read_to_string(other).expect("read"), "{}");
    // A layout that is not there is no target that is as before.
    std::fs::remove_dir_all(desk.store()).expect("removed");
    assert_eq!(desk.run(&["rollback", "s.json"]).code, Some(2));
}

const HEALTHY: usize = 0;
const GOING: usize = 1;
const GONE: usize = 2;

/// A server that goes away may have written what it was last sent: that stays in the snapshot.
#[test]
fn a_server_that_goes_away_leaves_a_snapshot() {
    let desk = Desk::new();
    let state = std::sync::Arc::new(AtomicUsize::new(HEALTHY));
    let now = state.clone();
    let server = Server::start_with(Kind::Debian, move |request| {
        let is_tag = request.is("PUT", "/web/manifests/v1");
        match now.load(Ordering::SeqCst) {
            GONE => Fault::Reset,
            GOING if is_tag => {
                now.store(GONE, Ordering::SeqCst);
                Fault::Lost
            }
            _ => Fault::Nothing,
        }
    });
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let run = desk.run(&["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let before = server.digest("demo/web:v1.2.0");
    state.store(GOING, Ordering::SeqCst);
    let run =
        desk.run(&["import", &arm64, "--to", &target, "--snapshot", "s.json", "--charts", "web"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    state.store(HEALTHY, Ordering::SeqCst);
    let text = std::fs::read_to_string(desk.path().join("s.json")).expect("the snapshot is there");
    assert!(text.contains("demo/web"), "{text}");
    assert_ne!(server.digest("demo/web:v1.2.0"), before, "it was written without an answer");
}

/// goharbor/harbor#890: what the login may not ask is unknown, and not right.
#[test]
fn what_may_not_be_asked_is_unknown() {
    let desk = Desk::new();
    let amd64 = desk.package("amd64");
    for (part, status, subject) in [
        ("/projects?project_name", 401, "projects"),
        ("/projects?project_name", 500, "projects"),
        ("/summary", 403, "quota"),
        ("/systeminfo", 502, "target"),
        ("/immutabletagrules", 500, "tags"),
    ] {
        let refuses = move |request: &multiarch_testing::Request| {
            let hit = request.path.contains(part)
                || (subject == "tags" && request.path.contains("/artifacts/"));
            if hit { Fault::answer(status) } else { Fault::Nothing }
        };
        let harbor = Harbor::new(&["demo", "library", "mesh"], "dev");
        let setup = Setup { harbor: Some(harbor), ..Setup::default() };
        let server = Server::set_up(setup.user("dev", "secret"), refuses);
        let run = |verb: &str, package: &str| {
            let mut command = multiarch();
            command.env("MULTIARCH_USERNAME", "dev").env("MULTIARCH_PASSWORD", "secret");
            Run::of(command.args([verb, package, "--to", &server.target(), "--json"]))
        };
        if subject == "tags" {
            assert_eq!(run("import", &amd64).code, Some(0));
        }
        let package = if subject == "tags" { desk.package("arm64") } else { amd64.clone() };
        let report = run("check", &package).json();
        assert_eq!(check(&report, subject)["result"], "unknown", "{part} {status}: {report}");
        assert_eq!(run("import", &package).code, Some(0), "what is unknown stops nothing: {part}");
    }
}

#[test]
fn a_check_without_packages_looks_at_the_login() {
    let setup = Setup::default().user("dev", "secret");
    let registry = Registry::start(setup, |_| Fault::Nothing);
    let target = format!("docker://{}", registry.address());
    let run = |user: bool| {
        let mut command = multiarch();
        if user {
            command.env("MULTIARCH_USERNAME", "dev").env("MULTIARCH_PASSWORD", "secret");
        }
        Run::of(command.args(["check", "--to", &target]))
    };
    let without = run(false);
    assert_eq!(without.code, Some(1), "{}", without.out);
    assert!(without.err.contains("docker login"), "{}", without.err);
    assert_eq!(run(true).code, Some(0));
}

/// containers/skopeo#2882: an image that the tag lists, and that the registry has lost.
#[test]
fn a_lost_image_beside_the_incoming_one_is_named() {
    let desk = Desk::new();
    let server = Server::start(Kind::V3);
    let target = server.target();
    let archives = ["amd64", "s390x", "arm64"].map(|architecture| {
        let image = Image::new(architecture, "app");
        let name = format!("{architecture}.tar");
        desk.write(&name, images_tar(&[("quay.io/team/app:1", &image)]))
    });
    let run = desk.run(&["import", &archives[0], &archives[1], "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let index: Value =
        serde_json::from_slice(&server.registry.manifest("team/app", "1").expect("there").bytes)
            .expect("JSON");
    let lost = index["manifests"][1]["digest"].as_str().expect("a digest").to_owned();
    assert!(server.registry.delete_manifest("team/app", &lost));
    let run = desk.run(&["import", &archives[2], "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("linux/s390x") && run.err.contains("in the same run"), "{}", run.err);
    let run = desk.run(&["import", &archives[2], &archives[1], "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = desk.run(&["doctor", &archives[0], &archives[1], &archives[2], "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.out);
}

/// What the doctor says of tags that keep manifests from being deleted, and of images of other tags.
#[test]
fn the_doctor_knows_its_own_tags_and_others_images() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let import = ["import", &amd64, &arm64, "--to", &target, "--keep-children-tagged"];
    assert_eq!(desk.run(&import).code, Some(0));
    let doctor =
        |words: &[&str]| desk.run(&[&["doctor", "--to", &target, "--json"], words].concat());
    assert_eq!(kinds(&doctor(&["--strict"]).json()), [""; 0]);
    // bench's image under web's name, and a platform lost with it.
    let other = server.registry.manifest("demo/bench", "0.4.0").expect("there");
    for digest in server.registry.blobs("demo/bench") {
        let bytes = server.registry.blob("demo/bench", &digest).expect("there");
        server.registry.put_blob("demo/web", &bytes);
    }
    server.registry.put_manifest("demo/web", "v1.2.0", &other.media_type, &other.bytes);
    let run = doctor(&[&amd64, &arm64]);
    let found = run.json();
    assert!(
        kinds(&found).contains(&"other-image") && kinds(&found).contains(&"collapsed"),
        "{found}"
    );
    // What is listed and gone is said once.
    let target = server.target();
    assert_eq!(desk.run(&["import", &amd64, &arm64, "--to", &target]).code, Some(0));
    let index: Value = serde_json::from_slice(
        &server.registry.manifest("demo/web", "v1.2.0").expect("there").bytes,
    )
    .expect("JSON");
    let child = index["manifests"][0]["digest"].as_str().expect("a digest");
    assert!(server.registry.delete_manifest("demo/web", child));
    let found = doctor(&[&amd64, &arm64]).json();
    let of_web = found["damages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|d| d["image"] == "demo/web:v1.2.0");
    assert_eq!(of_web.count(), 1, "{found}");
}

#[test]
fn the_doctor_sees_missing_charts_and_images_without_a_platform() {
    let desk = Desk::new();
    let charts = format!("dir:{}", desk.path().join("charts").display());
    let to = ["--to", &desk.target(), "--charts-to", &charts, "--registry", "r.example.com"];
    let amd64 = desk.package("amd64");
    assert_eq!(desk.run(&[&["import", &amd64], &to[..]].concat()).code, Some(0));
    std::fs::remove_file(desk.path().join("charts/web-1.2.0.tgz")).expect("removed");
    let run = desk.run(&[&["doctor", &amd64, "--json"], &to[..]].concat());
    assert_eq!((run.code, kinds(&run.json())), (Some(1), vec!["missing-chart"]), "{}", run.out);
    let nothing = Image::of("", "", vec![Layer::gzip("f", "x")]);
    let archive = desk.write("none.tar", images_tar(&[("quay.io/team/none:1", &nothing)]));
    assert_eq!(desk.run(&["import", &archive, "--to", "oci:none"]).code, Some(0));
    let run = desk.run(&["doctor", "--to", "oci:none", "--json"]);
    assert_eq!(kinds(&run.json()), ["unknown-architecture"], "{}", run.out);
    // A place that holds nothing is no healthy target.
    assert_eq!(desk.run(&["doctor", "--to", "oci:misspelt"]).code, Some(1));
    assert_eq!(desk.run(&["doctor", "--to", "oci:none", "--images", "nosuch"]).code, Some(2));
    assert_eq!(desk.run(&["status", "--to", "oci:none", "--images", "nosuch"]).code, Some(2));
}

/// google/go-containerregistry#999: distribution 2.x deletes no tag by its name.
#[test]
fn tags_that_cannot_be_removed_are_a_failure() {
    let desk = Desk::new();
    let server = Server::start_with(Kind::Debian, |request| match request.method.as_str() {
        "DELETE" => Fault::answer(400),
        _ => Fault::Nothing,
    });
    let words =
        ["import", &desk.package("amd64"), "--to", &server.target(), "--snapshot", "s.json"];
    assert_eq!(desk.run(&words).code, Some(0));
    let run = desk.run(&["rollback", "s.json", "--remove-new"]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.err.contains("removes no tags"), "{}", run.err);
}
