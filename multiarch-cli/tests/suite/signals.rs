//! The command is killed at any moment, and stopped in an orderly way.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use multiarch_generator::{Image, Layer, images_tar};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::desk::{Desk, PROGRAM, Run, multiarch, tags};

/// A package that takes a while: layers that do not compress.
fn large_package(desk: &Desk, architecture: &str, layer_mib: usize) -> String {
    let mut state = 7u64;
    let images: Vec<(String, Image)> = (0..12)
        .map(|i| {
            let content: String = (0..layer_mib << 16)
                .map(|_| {
                    state =
                        state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    format!("{state:016x}")
                })
                .collect();
            let layer = Layer::plain(&format!("data-{i}"), &content);
            (format!("q.io/image-{i}:v1"), Image::of(architecture, "", vec![layer]))
        })
        .collect();
    let listed: Vec<_> = images.iter().map(|(name, image)| (name.as_str(), image)).collect();
    desk.write(&format!("large-{architecture}.tar"), images_tar(&listed))
}

/// Checks that every tag, and everything it refers to, exists and has the right size. Returns the
/// number of tags.
fn check_whole(store: &Path) -> usize {
    if !store.join("index.json").exists() {
        return 0;
    }
    let blob = |digest: &Value| {
        store.join("blobs").join(digest.as_str().expect("a digest").replace(':', "/"))
    };
    let read = |digest: &Value| -> Value {
        serde_json::from_slice(&fs::read(blob(digest)).expect("a document")).expect("JSON")
    };
    let tags = tags(store);
    for digest in tags.values() {
        let document = read(&Value::String(digest.clone()));
        let children = match document["manifests"].as_array() {
            Some(entries) => entries.iter().map(|e| read(&e["digest"])).collect(),
            None => vec![document],
        };
        for manifest in children {
            let layers = manifest["layers"].as_array().expect("layers").iter();
            for descriptor in layers.chain([&manifest["config"]]) {
                let size = fs::metadata(blob(&descriptor["digest"])).expect("a blob").len();
                assert_eq!(Some(size), descriptor["size"].as_u64());
            }
        }
    }
    tags.len()
}

#[test]
fn killed_at_any_moment() {
    let desk = Desk::new();
    let (amd64, arm64) = (large_package(&desk, "amd64", 1), large_package(&desk, "arm64", 1));
    let clean = format!("oci:{}", desk.path().join("clean").display());
    let begun = Instant::now();
    for package in [&amd64, &arm64] {
        assert_eq!(desk.run(&["import", package, "--to", &clean]).code, Some(0));
    }
    let whole = begun.elapsed();
    let mut complete = 0;
    for package in [&amd64, &arm64] {
        for step in 0..12u32 {
            let mut child = multiarch()
                .args(["import", package, "--to", &desk.target(), "--quiet"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("runs");
            std::thread::sleep(whole * step / 20);
            let _ = child.kill();
            let _ = child.wait();
            let tags = check_whole(&desk.store());
            assert!(tags >= complete, "a tag was lost");
            complete = tags;
        }
        let run = desk.run(&["import", package, "--to", &desk.target()]);
        assert_eq!(run.code, Some(0), "{}", run.err);
    }
    // The result is the same as without any kill, and nothing is left over.
    let listing = |root: &Path| {
        let mut names: Vec<String> = Vec::new();
        for folder in ["", "blobs", "blobs/sha256"] {
            let items = fs::read_dir(root.join(folder)).expect("a folder");
            names.extend(items.map(|item| {
                format!("{folder}/{}", item.expect("an item").file_name().to_string_lossy())
            }));
        }
        names.sort();
        names
    };
    assert_eq!(listing(&desk.store()), listing(&desk.path().join("clean")));
    let index = |root: &Path| fs::read(root.join("index.json")).expect("read");
    assert_eq!(index(&desk.store()), index(&desk.path().join("clean")));
}

/// Starts an import under `env` with an option for signals, and sends it a signal once it writes.
fn signalled(desk: &Desk, package: &str, option: &str, signal: Signal) -> Run {
    let child = Command::new("env")
        .args([option, PROGRAM])
        .args(["import", package, "--to", &desk.target(), "--json", "--quiet", "--no-cache"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let blobs = desk.store().join("blobs/sha256");
    while !fs::read_dir(&blobs).is_ok_and(|mut blobs| blobs.next().is_some()) {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), signal).expect("it has not been waited for");
    child.wait_with_output().expect("ends").into()
}

#[test]
fn stopped_it_reports_what_was_done() {
    let desk = Desk::new();
    let package = large_package(&desk, "amd64", 4);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut tries = 0;
        // If this test was delayed, the run may have ended before the signal.
        let run = loop {
            let _ = fs::remove_dir_all(desk.store());
            let run = signalled(&desk, &package, "--default-signal=INT,TERM,HUP", signal);
            if run.code != Some(0) {
                break run;
            }
            tries += 1;
            assert!(tries < 20, "{signal:?}: never stopped in the middle");
        };
        assert_eq!(run.code, Some(1), "{signal:?}: {}", run.err);
        assert!(run.err.contains("the same command goes on from here"), "{}", run.err);
        let report = run.json();
        assert_eq!((&report["cancelled"], &report["complete"]), (&true.into(), &false.into()));
        let states: Vec<_> =
            report["images"].as_array().expect("images").iter().map(|i| &i["state"]).collect();
        assert!(states.iter().any(|s| **s == "not-reached"), "{states:?}");
        check_whole(&desk.store());
        assert_eq!(desk.run(&["import", &package, "--to", &desk.target()]).code, Some(0));
        assert_eq!(check_whole(&desk.store()), 12);
    }
}

#[test]
fn under_nohup_it_outlives_the_terminal() {
    let desk = Desk::new();
    let package = large_package(&desk, "amd64", 1);
    let run = signalled(&desk, &package, "--ignore-signal=HUP", Signal::HUP);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(check_whole(&desk.store()), 12);
}

/// Waits for a process that was sent a signal, and says whether it ended soon.
fn ends_soon(child: &mut std::process::Child) -> bool {
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        if child.try_wait().expect("waited").is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    false
}

fn start(words: &[&str]) -> std::process::Child {
    let mut command = multiarch();
    command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs")
}

/// Another run may be stopped while it holds the lock of the target.
#[test]
fn a_signal_ends_the_wait_for_a_lock() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["import", &desk.package("amd64"), "--to", &desk.target()]).code, Some(0));
    let lock = fs::File::open(desk.store().join("oci-layout")).expect("there");
    lock.lock().expect("locked");
    let mut child = start(&["import", &desk.package("arm64"), "--to", &desk.target()]);
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().expect("waited").is_none(), "it waits for the lock");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it has not been waited for");
    assert!(ends_soon(&mut child));
    drop(lock);
    assert_eq!(desk.run(&["import", &desk.package("arm64"), "--to", &desk.target()]).code, Some(0));
}

/// A pipe that no one writes to is never read to its end.
#[test]
fn a_signal_ends_a_read_that_hangs() {
    let desk = Desk::new();
    let pipe = desk.path().join("plan.json");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    let mut child = start(&["apply", &pipe.display().to_string()]);
    std::thread::sleep(Duration::from_millis(500));
    kill_process(Pid::from_child(&child), Signal::INT).expect("it has not been waited for");
    assert!(ends_soon(&mut child));
    // Where something was written, only the second signal ends what does not look at the first.
    let mut child = start(&["apply", &pipe.display().to_string()]);
    std::thread::sleep(Duration::from_millis(500));
    for _ in 0..2 {
        kill_process(Pid::from_child(&child), Signal::INT).expect("it has not been waited for");
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = child.try_wait().expect("waited").expect("the second signal ends it at once");
    assert_eq!(status.code(), None, "by the signal itself");
}
