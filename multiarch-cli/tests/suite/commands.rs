//! Arguments and exit codes.

use std::{
    io::ErrorKind,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use multiarch_generator::{Bundle, Entry, Image, gzip, tar};
use serde_json::Value;

use crate::desk::{Desk, Run, multiarch, tags};

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

#[test]
fn import_and_status() {
    let desk = Desk::new();
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), desk.target());
    let run = desk.run(&["import", &amd64, &arm64, "--to", &target, "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let report = run.json();
    assert_eq!(report["schema"], "multiarch.report/v1");
    assert_eq!(report["complete"], true);
    assert_eq!(array(&report, "findings")[0]["finding"], "mislabelled");
    assert!(run.err.contains("declares arm64, the config says linux/amd64"), "{}", run.err);

    let status = desk.run(&["status", &amd64, "--to", &target, "--json"]).json();
    let both = ["linux/amd64", "linux/arm64"];
    for tag in array(&status, "tags") {
        let platforms: Vec<_> =
            array(tag, "platforms").iter().map(|p| p["platform"].as_str().unwrap_or("")).collect();
        let name = tag["name"].as_str().expect("a name");
        let single = ["demo/bench:0.4.0", "demo/queue:2.0"].contains(&name);
        assert_eq!(platforms, if single { &both[..1] } else { &both[..] }, "{name}");
    }
    let charts = array(&status, "charts");
    let web = charts.iter().find(|c| c["chart"] == "web-1.2.0").expect("web");
    assert_eq!(array(web, "all_images_for").len(), 2);
    let queue = charts.iter().find(|c| c["chart"] == "queue-90").expect("queue");
    assert_eq!(queue["some_images_for"]["linux/arm64"][0], "demo/queue:2.0");

    // A second run has nothing to do. With `--strict` the finding counts.
    let again = desk.run(&["import", &amd64, &arm64, "--to", &target, "--json"]).json();
    assert_eq!((&again["tags_written"], &again["blobs_sent"]), (&0.into(), &0.into()));
    assert_eq!(desk.run(&["import", &amd64, &arm64, "--to", &target, "--strict"]).code, Some(1));
    let table = desk.run(&["status", "--to", &target]).out;
    assert!(table.contains("demo/web:v1.2.0         linux/amd64, linux/arm64"), "{table}");
}

#[test]
fn plan_writes_nothing_and_apply_does_it() {
    let desk = Desk::new();
    let (amd64, target) = (desk.package("amd64"), desk.target());
    let file = desk.path().join("plan.json").display().to_string();
    let run = desk.run(&["plan", &amd64, "--to", &target, "-o", &file]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.contains("6 images, 6 tags to write"), "{}", run.out);
    assert!(!desk.store().exists(), "plan wrote something");
    let plan = desk.run(&["plan", &amd64, "--to", &target, "--json"]).json();
    assert_eq!(plan["schema"], "multiarch.plan/v2");
    let bytes = |image: &Value| array(image, "pushes").len();
    assert!(array(&plan, "images").iter().all(|image| bytes(image) == 1));

    assert_eq!(desk.run(&["apply", &file]).code, Some(0));
    assert_eq!(tags(&desk.store()).len(), 6);
    assert_eq!(desk.run(&["apply", &file]).code, Some(0), "once more is the same plan");
    // Another import has changed the tags, so the plan is refused and nothing is written.
    let arm64 = desk.package("arm64");
    assert_eq!(desk.run(&["import", &arm64, "--to", &target]).code, Some(0));
    let before = tags(&desk.store());
    let run = desk.run(&["apply", &file]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("make a new plan"), "{}", run.err);
    assert_eq!(tags(&desk.store()), before);
}

#[test]
fn inspect() {
    let desk = Desk::new();
    let run = desk.run(&["inspect", &desk.package("arm64"), "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let inspection = &run.json()["packages"][0];
    assert_eq!(inspection["schema"], "multiarch.inspection/v1");
    assert_eq!(inspection["name"]["architecture"], "arm64");
    assert_eq!(array(inspection, "bundles").len(), 4);
    let table = desk.run(&["inspect", &desk.package("arm64")]).out;
    assert!(table.contains("mesh-2.9.0+3"), "{table}");
}

#[test]
fn exit_codes() {
    let desk = Desk::new();
    let (amd64, target) = (desk.package("amd64"), desk.target());
    let image = Image::new("amd64", "bad");
    let mut bad = Bundle::simple("bad", "1.0.0", &[("b", "q.io", "demo/bad", "v1", &image)]);
    bad.values.clear();
    let broken =
        desk.write("broken.tar.gz", gzip(&tar(&[Entry::file("bad_1.0.0.bundle.tar", bad.tar())])));
    let text = desk.write("text.tar.gz", "hello");
    let empty = desk.write("empty.tar.gz", "");
    let full = desk.path().join("full");
    std::fs::create_dir(&full).expect("created");
    std::fs::write(full.join("mine"), "x").expect("written");
    let full = format!("oci:{}", full.display());
    for (words, code, said) in [
        (vec![], 2, "Usage"),
        (vec!["import"], 2, "required"),
        (vec!["import", &amd64], 2, "--to"),
        (vec!["import", &amd64, "--to", "nowhere"], 2, "name the target as oci:DIR"),
        (vec!["import", &amd64, "--to", &target, "--on-conflict", "x"], 2, "possible values"),
        (
            vec!["import", "absent.tar.gz", "--to", &target],
            2,
            "package absent.tar.gz: cannot be opened",
        ),
        (vec!["import", &amd64, "absent.tar.gz", "--to", &target], 2, "cannot be opened"),
        (vec!["import", &amd64, "--to", &full], 2, "not empty, and no OCI layout"),
        (vec!["apply", &text], 2, "not a saved plan"),
        (vec!["import", &text, "--to", &target], 1, "neither a tar archive"),
        (vec!["import", &empty, "--to", &target], 1, "the file is empty"),
        (vec!["import", &broken, "--to", &target], 1, "the value .b.registry is not set"),
    ] {
        let run = desk.run(&words);
        assert_eq!(run.code, Some(code), "{words:?}: {}", run.err);
        assert!(run.err.contains(said), "{words:?}: {}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
        assert!(!desk.store().exists(), "{words:?} wrote something");
    }
    // An error in one package does not affect the others.
    let run = desk.run(&["import", &amd64, &text, &broken, "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("  next: "), "{}", run.err);
    assert_eq!(tags(&desk.store()).len(), 6);
    // Help needs no other arguments.
    assert_eq!(desk.run(&["import", "--help"]).code, Some(0));
    assert!(desk.run(&["import", "--help"]).out.contains("Examples:"));
}

/// A run without the right to read or write. Root may read everything, so as root it runs as
/// another user.
#[test]
fn no_right_to_read_or_write() {
    let desk = Desk::new();
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    let is_root = std::fs::metadata(desk.path()).expect("a folder").uid() == 0;
    let binary = desk.path().join("multiarch");
    std::fs::copy(env!("CARGO_BIN_EXE_multiarch"), &binary).expect("copied");
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    let open = desk.path().join("open");
    std::fs::create_dir(&open).expect("created");
    allow(&open, 0o777);
    allow(Path::new(&amd64), 0o000);
    allow(desk.path(), 0o555);
    let as_nobody = |words: &[&str]| {
        let mut command = Command::new(&binary);
        command.env("XDG_CACHE_HOME", "/dev/null").args(words);
        if is_root {
            command.uid(65534).gid(65534);
        }
        loop {
            match command.output() {
                // A process that another test has just forked holds the copy open until it runs its own
                // program.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now();
                }
                output => return Run::from(output.expect("the command runs")),
            }
        }
    };
    let run = as_nobody(&["inspect", &amd64]);
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains(&amd64) && run.err.contains("Permission denied"), "{}", run.err);
    // If the target cannot be written, every chart reports it, and nothing is left half written.
    let run = as_nobody(&["import", &arm64, "--to", &desk.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("Permission denied"), "{}", run.err);
    assert!(!desk.store().exists());
    // With the right to read and write.
    let target = format!("oci:{}/store", open.display());
    assert_eq!(as_nobody(&["import", &arm64, "--to", &target]).code, Some(0));
    allow(desk.path(), 0o755);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    let mut child = multiarch()
        .args(["inspect", &desk.package("amd64"), "--quiet"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}
