//! A listing is not trusted: what a tag lists may be gone. Each import sends it again, the tag keeps its
//! bytes, and until then the status says so.

use multiarch_core::{
    Digest, Document, ImageStore, Import, MemoryStore, Options, Report, Status, Target, TargetName,
};
use multiarch_generator::{Image, Layout, images_tar, named, oci_digest};

use crate::runs::{Folder, held, import_paths};

const TAG: &str = "team/app:1";
const NAME: &str = "quay.io/team/app:1";

fn tag() -> TargetName {
    TAG.parse().expect("a name")
}

/// Two packages, imported into a layout directory.
fn imported(folder: &Folder) -> (Vec<std::path::PathBuf>, Target) {
    let paths: Vec<_> = ["amd64", "arm64"]
        .iter()
        .map(|architecture| {
            let tar = images_tar(&[(NAME, &Image::new(architecture, "app"))]);
            folder.write(&format!("{architecture}.tar"), tar)
        })
        .collect();
    let target = folder.layout("target");
    let report = import_paths(&paths.iter().map(|p| &**p).collect::<Vec<_>>(), &target);
    assert!(report.complete);
    (paths, target)
}

fn status(target: &Target) -> Status {
    Import::into(target.clone()).status().expect("read")
}

/// quay/quay#7033, oras-project/oras-go#1211: a manifest, a config or a layer of a listed image is gone
/// from a directory. An import of its package sends just that.
#[test]
fn what_is_listed_and_gone_is_sent_again() {
    let folder = Folder::new();
    let arm64 = Image::new("arm64", "app");
    for lost in [arm64.digest(), arm64.config_digest(), arm64.layers[1].digest()] {
        let (paths, target) = imported(&folder);
        let blobs = folder.path().join("target/blobs/sha256");
        let index = std::fs::read(folder.path().join("target/index.json")).expect("read");
        assert!(status(&target).is_sound());
        std::fs::remove_file(blobs.join(lost.trim_start_matches("sha256:"))).expect("removed");

        let told = status(&target);
        assert!(!told.is_sound());
        let missing: Vec<_> = told.tags[0].platforms.iter().filter(|p| p.missing).collect();
        assert_eq!(missing.len(), 1, "{told}");
        assert!(told.to_string().contains("linux/arm64 (listed, missing)"), "{told}");

        // The other package does not have it.
        assert_eq!(import_paths(&[&paths[0]], &target).blobs_sent, 0);
        let report = import_paths(&[&paths[1]], &target);
        assert!(report.complete && report.to_string().contains("restored"), "{report}");
        assert!(status(&target).is_sound());
        assert_eq!(std::fs::read(folder.path().join("target/index.json")).expect("read"), index);
        std::fs::remove_dir_all(folder.path().join("target")).expect("removed");
    }
}

/// A sparse index at the tag, as skopeo and mirrors of quay leave it: the child is sent, the index stays.
#[test]
fn a_sparse_index_is_filled() {
    let folder = Folder::new();
    let images = ["amd64", "arm64"].map(|architecture| Image::new(architecture, "app"));
    let mut layout = Layout::new();
    let entries = [layout.image(&images[0]), layout.image(&images[1])];
    let index = layout.index(&entries);
    let text = layout.content(index["digest"].as_str().expect("text")).to_vec();
    let document = Document::new(text, None).expect("an index");
    let memory = std::sync::Arc::new(MemoryStore::new());
    memory.put_tag(&tag(), None, &document).expect("set");
    let target = Target::new("sparse", memory.clone());
    for (image, architecture) in images.iter().zip(["amd64", "arm64"]) {
        let mut single = Layout::new();
        let entry = single.image(image);
        let path =
            folder.write(&format!("{architecture}.tar"), single.top(named(entry, NAME)).tar());
        assert!(import_paths(&[&path], &target).complete);
        let there = memory.get_tag(&tag()).expect("read").expect("there");
        assert_eq!(there.digest(), document.digest(), "the index keeps its bytes");
        let digest: Digest = oci_digest(image).parse().expect("a digest");
        assert!(memory.get_manifest("team/app", &digest).expect("read").is_some());
    }
    assert_eq!(held(&*memory, TAG).len(), 2);
}

/// What no node can pull is replaced whatever the policy says: there is no image that could be lost.
#[test]
fn a_lost_image_gives_way_to_another() {
    let folder = Folder::new();
    let (_, target) = imported(&folder);
    let lost = Image::new("arm64", "app").digest();
    let blobs = folder.path().join("target/blobs/sha256");
    std::fs::remove_file(blobs.join(lost.trim_start_matches("sha256:"))).expect("removed");
    let newer = images_tar(&[(NAME, &Image::new("arm64", "newer"))]);
    let path = folder.write("newer.tar", newer);
    let mut options = Options::default();
    options.fuse.on_conflict = multiarch_core::ConflictPolicy::Fail;
    let import = Import::into(target.clone()).options(options).package(path);
    let report: Report = import.plan().expect("planned").apply();
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert!(status(&target).is_sound());
}

/// `keep_children_tagged` gives each manifest of an index a tag of its own; without, no such tag is set.
#[test]
fn children_are_tagged_where_that_is_asked_for() {
    let folder = Folder::new();
    let (paths, _) = imported(&folder);
    let memory = std::sync::Arc::new(MemoryStore::new());
    let target = Target::new("memory", memory.clone());
    let mut options = Options::default();
    options.keep_children_tagged = true;
    let import = Import::into(target).options(options);
    let import = paths.iter().fold(import, Import::package);
    assert!(import.plan().expect("planned").apply().complete);
    let children: Vec<String> = ["amd64", "arm64"]
        .iter()
        .map(|architecture| {
            let digest = Image::new(architecture, "app").digest();
            format!("team/app:child-{}", &digest["sha256:".len()..][..12])
        })
        .collect();
    let mut expected = children.clone();
    expected.push(TAG.into());
    expected.sort();
    let mut tags: Vec<String> =
        memory.tags().expect("read").iter().map(ToString::to_string).collect();
    tags.sort();
    assert_eq!(tags, expected);
    assert!(import.plan().expect("planned").apply().tags_written == 0);
}
