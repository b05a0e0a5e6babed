//! The OCI layout directory: two writers at once, foreign content, leftovers of a killed run.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use multiarch_core::{Cancel, ErrorKind, Meter, Package, Status, Target};
use multiarch_generator::{Image, images_tar};

use serde_json::Value;

use crate::runs::{Folder, import, into, kinds, open, plan};

fn package(folder: &Folder, architecture: &str, count: usize) -> Arc<Package> {
    let images: Vec<(String, Image)> = (0..count)
        .map(|i| (format!("q.io/image-{i}:v1"), Image::new(architecture, &format!("image-{i}"))))
        .collect();
    let listed: Vec<_> = images.iter().map(|(name, image)| (name.as_str(), image)).collect();
    open(&folder.write(&format!("p-{architecture}.tar"), images_tar(&listed)))
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.display().to_string(), fs::read(&path).expect("read"));
            }
        }
    }
    all
}

fn status(target: &Target) -> Status {
    into(&[], target).status().expect("readable")
}

fn complete_tags(target: &Target) -> usize {
    status(target).tags.iter().filter(|tag| tag.platforms.len() == 2).count()
}

#[test]
fn a_status_reports_progress_and_can_be_cancelled() {
    let folder = Folder::new();
    let target = folder.layout("store");
    import(&[package(&folder, "amd64", 20)], &target);
    let (meter, cancel) = (Meter::new(), Cancel::new());
    let look = into(&[], &target).meter(&meter).cancel(&cancel);
    assert_eq!(look.status().expect("readable").tags.len(), 20);
    let now = meter.progress();
    assert_eq!((now.answers_total, now.answers), (20, 20));
    cancel.cancel();
    assert_eq!(look.status().expect_err("stopped").kind(), ErrorKind::Cancelled);
}

/// Both plans are made for an empty target before either is applied: the worst case.
#[test]
fn two_writers_lose_nothing() {
    let folder = Folder::new();
    let (amd64, arm64) = ([package(&folder, "amd64", 20)], [package(&folder, "arm64", 20)]);
    let (first, second) = (folder.layout("store"), folder.layout("store"));
    let (plan_first, plan_second) = (plan(&amd64, &first), plan(&arm64, &second));
    std::thread::scope(|scope| {
        for plan in [&plan_first, &plan_second] {
            scope.spawn(move || {
                let report = plan.apply();
                assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
            });
        }
    });
    assert_eq!(complete_tags(&first), 20);

    // The result is the same as of one import after the other, to the byte.
    let both = folder.layout("both");
    import(&amd64, &both);
    import(&arm64, &both);
    let index = |name: &str| fs::read(folder.path().join(name).join("index.json")).expect("read");
    assert_eq!(index("store"), index("both"));
}

/// A tag that changes between plan and apply is fused again, and the report says what was done.
#[test]
fn a_stale_plan_fuses_again() {
    let folder = Folder::new();
    let (amd64, arm64) = ([package(&folder, "amd64", 3)], [package(&folder, "arm64", 3)]);
    let target = folder.layout("store");
    let stale = plan(&amd64, &target);
    import(&arm64, &folder.layout("store"));
    let report = stale.apply();
    assert!(report.complete && report.images.iter().all(|image| image.before.is_some()));
    assert_eq!(complete_tags(&target), 3);
}

#[test]
fn a_rerun_writes_nothing_and_the_next_write_removes_leftovers() {
    let folder = Folder::new();
    let amd64 = [package(&folder, "amd64", 3)];
    import(&amd64, &folder.layout("store"));
    let root = folder.path().join("store");
    let before = files(&root);
    let left = [root.join(".multiarch-x"), root.join("blobs/sha256/.multiarch-y")];
    for path in &left {
        fs::write(path, "half").expect("written");
    }
    // A run that writes nothing removes nothing, either.
    let report = import(&amd64, &folder.layout("store"));
    assert_eq!((report.tags_written, report.blobs_sent), (0, 0));
    let folder_of_others = root.join("blobs/sha256/.multiarch-folder");
    fs::create_dir(&folder_of_others).expect("a folder");
    let arm64 = [package(&folder, "arm64", 3)];
    import(&arm64, &folder.layout("store"));
    assert!(left.iter().all(|path| !path.exists()) && folder_of_others.exists());
    let after = files(&root);
    assert!(before.keys().all(|path| after.contains_key(path)));
    assert_eq!(complete_tags(&folder.layout("store")), 3);
}

/// Temporary files of a run that still holds its lock are left alone.
#[test]
fn files_of_a_running_writer_stay() {
    let folder = Folder::new();
    let amd64 = [package(&folder, "amd64", 1)];
    let running = plan(&amd64, &folder.layout("store"));
    assert!(running.apply().complete);
    let theirs = folder.path().join("store/blobs/sha256/.multiarch-theirs");
    fs::write(&theirs, "half").expect("written");
    import(&[package(&folder, "arm64", 1)], &folder.layout("store"));
    assert!(theirs.exists(), "the first plan still holds its lock");
    drop(running);
    import(&[package(&folder, "s390x", 1)], &folder.layout("store"));
    assert!(!theirs.exists());
}

#[test]
fn foreign_content_stays() {
    let folder = Folder::new();
    let amd64 = [package(&folder, "amd64", 1)];
    // A directory that is not a layout is refused, and nothing is written into it.
    folder.write("home/notes.txt", "mine");
    let target = folder.layout("home");
    let error = into(&amd64, &target).plan().expect_err("no layout");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(files(&folder.path().join("home")).len(), 1);

    // Entries that another tool wrote stay as they are.
    let digest = format!("sha256:{}", "ab".repeat(32));
    let theirs = format!(r#"{{"digest":"{digest}","size":3,"x":1.50}}"#);
    folder.write("store/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    folder.write(
        "store/index.json",
        format!(r#"{{"schemaVersion":2,"y":1e9,"manifests":[ {theirs} ]}}"#),
    );
    assert!(import(&amd64, &folder.layout("store")).complete);
    let text = fs::read_to_string(folder.path().join("store/index.json")).expect("read");
    assert!(text.starts_with(r#"{"schemaVersion":2,"y":1e9,"manifests":[{"mediaType""#), "{text}");
    assert!(text.ends_with(&format!("{theirs}]}}")), "{text}");
}

/// A damaged manifest at a tag is an error for that tag, which stays as it is.
#[test]
fn a_damaged_tag_is_left_alone() {
    let folder = Folder::new();
    import(&[package(&folder, "amd64", 2)], &folder.layout("store"));
    let root = folder.path().join("store");
    let entry = || {
        let text = fs::read(root.join("index.json")).expect("read");
        serde_json::from_slice::<Value>(&text).expect("an index")["manifests"][0].clone()
    };
    let before = entry();
    let digest = before["digest"].as_str().expect("a digest");
    let blob = root.join("blobs").join(digest.replace(':', "/"));
    fs::write(&blob, "{\"damaged\":true}").expect("written");
    let report = import(&[package(&folder, "arm64", 2)], &folder.layout("store"));
    assert!(!report.complete);
    assert!(kinds(&report).contains(&ErrorKind::DigestMismatch));
    let error = report.errors().next().expect("an error");
    assert_eq!(error.image(), Some("image-0:v1"));
    assert_eq!(complete_tags(&folder.layout("store")), 1);
    assert_eq!(entry(), before);
}

/// A target that could not be read afterwards is not written: its index grows by what is imported.
#[test]
fn an_index_does_not_grow_beyond_what_is_read() {
    let folder = Folder::new();
    let target = folder.layout("store");
    assert!(import(&[package(&folder, "amd64", 1)], &target).complete);
    let path = folder.path().join("store/index.json");
    let mut index: Value =
        serde_json::from_slice(&fs::read(&path).expect("an index")).expect("JSON");
    index["x"] = "y".into();
    let length = index.to_string().len();
    index["x"] = "y".repeat((16 << 20) - length - 50).into();
    fs::write(&path, index.to_string()).expect("written");
    let before = fs::read(&path).expect("read");
    let report = import(&[package(&folder, "arm64", 2)], &target);
    assert!(!report.complete);
    assert!(kinds(&report).contains(&ErrorKind::TooLarge), "{:?}", kinds(&report));
    assert!(fs::read(&path).expect("read") == before);
}

/// A pipe in the place of a file is an error, and is not waited for.
#[test]
fn pipes_in_a_target_are_not_read() {
    for name in ["index.json", "oci-layout"] {
        let folder = Folder::new();
        let target = folder.layout("store");
        assert!(import(&[package(&folder, "amd64", 1)], &target).complete);
        let path = folder.path().join("store").join(name);
        fs::remove_file(&path).expect("removed");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        let planned = into(&[package(&folder, "arm64", 1)], &target).plan();
        let complete = planned.is_ok_and(|plan| plan.apply().complete);
        assert!(!complete, "{name}");
    }
}
