//! Several sources of one tag that overlap: each holds parts that another one lists. Found by random
//! sources; what is right is by the rules of fusion in docs/design.md.

use multiarch_core::{ConflictPolicy, Finding, ImageStore, Import, MemoryStore, Options};
use multiarch_generator::{
    Image, Layer, Layout, annotated, images_tar, named, oci_digest, sha256, with,
};
use serde_json::{Value, json};

use crate::runs::{Folder, held, import_paths, platforms, store};

const NAME: &str = "docker.io/t/x:1";
const TAG: &str = "t/x:1";

fn image(architecture: &str) -> Image {
    Image::new(architecture, "x")
}

fn root(memory: &MemoryStore) -> String {
    let there = memory.get_tag(&TAG.parse().expect("a name")).expect("read");
    there.map(|document| document.digest().to_string()).unwrap_or_default()
}

fn digest(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().expect("text")
}

/// An attestation of an image, as BuildKit writes it.
fn attestation(layout: &mut Layout, of: &Value) -> Value {
    let statement = layout.blob(format!("about {}", digest(of)));
    let size = layout.content(&statement).len();
    let config = json!({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers", "diff_ids": [statement]}});
    let config = layout.document("application/vnd.oci.image.config.v1+json", config.to_string());
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let text = json!({
        "schemaVersion": 2, "mediaType": manifest, "config": config,
        "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": statement, "size": size}],
    });
    let descriptor = layout.document(manifest, text.to_string());
    let descriptor = annotated(descriptor, "vnd.docker.reference.digest", digest(of));
    with(descriptor, "platform", json!({"os": "unknown", "architecture": "unknown"}))
}

/// The layout without an image's manifest, config and own layer.
fn without(layout: &Layout, image: &Image) -> Layout {
    let own = image.layers.last().expect("a layer").digest();
    let parts = [oci_digest(image), image.config_digest(), own];
    parts.iter().fold(layout.clone(), |layout, part| layout.without(part))
}

/// An index that nests one, of amd64 and arm64.
fn nested() -> (Layout, Value) {
    let mut layout = Layout::new();
    let inner = layout.image(&image("amd64"));
    let inner = layout.index(&[inner]);
    let arm64 = layout.image(&image("arm64"));
    let outer = layout.index(&[inner, arm64]);
    (layout.top(named(outer.clone(), NAME)), outer)
}

#[test]
fn a_nested_index_beside_another_source() {
    let folder = Folder::new();
    let (layout, outer) = nested();
    let whole = folder.write("whole.tar", layout.tar());
    let part = folder.write("part.tar", without(&layout, &image("amd64")).tar());
    let other = folder.write("s390x.tar", images_tar(&[(NAME, &image("s390x"))]));
    for order in [[&*whole, &*part], [&*part, &*whole]] {
        let (target, memory) = store();
        let report = import_paths(&order, &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(root(&memory), digest(&outer));
        assert_eq!(held(&*memory, TAG).len(), 2);
    }
    for order in [[&*whole, &*other], [&*other, &*whole]] {
        let (target, memory) = store();
        let report = import_paths(&order, &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(platforms(&*memory, TAG), ["linux/amd64", "linux/arm64", "linux/s390x"]);
        assert_eq!(import_paths(&order, &target).tags_written, 0);
    }
}

/// Each source lacks a layer of the image that the other one has as a whole.
#[test]
fn a_part_is_taken_from_the_source_that_has_it() {
    let folder = Folder::new();
    let (layout, outer) = nested();
    let paths = ["amd64", "arm64"].map(|architecture| {
        let layer = image(architecture).layers[1].digest();
        folder.write(&format!("no-{architecture}.tar"), layout.clone().without(&layer).tar())
    });
    for order in [[0, 1], [1, 0]] {
        let (target, memory) = store();
        let report = import_paths(&order.map(|i| &*paths[i]), &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(root(&memory), digest(&outer));
        assert_eq!(held(&*memory, TAG).len(), 2);
        // What the tag has is no loss.
        assert!(import_paths(&[&paths[0]], &target).complete);
    }
}

/// A named index of two images and an attestation of the first; its entry, and the attestation's.
fn attested() -> (Layout, Value, Value) {
    let mut layout = Layout::new();
    let amd64 = layout.image(&image("amd64"));
    let about = attestation(&mut layout, &amd64);
    let arm64 = layout.image(&image("arm64"));
    let index = layout.index(&[amd64, about.clone(), arm64]);
    (layout.top(named(index.clone(), NAME)), index, about)
}

#[test]
fn an_attestation_in_another_file_than_its_image() {
    let folder = Folder::new();
    let (layout, index, about) = attested();
    let one = folder.write("one.tar", without(&layout, &image("amd64")).tar());
    let two = without(&layout, &image("arm64")).without(digest(&about));
    let two = folder.write("two.tar", two.tar());
    for order in [[&*one, &*two], [&*two, &*one]] {
        let (target, memory) = store();
        assert!(import_paths(&order, &target).complete);
        assert_eq!(root(&memory), digest(&index), "all of it, so the index itself");
        assert_eq!(import_paths(&order, &target).tags_written, 0);
    }
    // Alone it cannot stand at the tag, and is reported.
    let (target, _) = store();
    let report = import_paths(&[&one], &target);
    assert!(report.findings.iter().any(|f| matches!(f, Finding::NotUsed { .. })));
}

/// A source may hold attestations alone.
#[test]
fn a_source_with_nothing_but_an_attestation() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let amd64 = layout.image(&image("amd64"));
    let about = attestation(&mut layout, &amd64);
    let index = layout.index(&[amd64, about.clone()]);
    let layout = layout.top(named(index.clone(), NAME));
    let image_alone = folder.write("image.tar", layout.clone().without(digest(&about)).tar());
    let about_alone = folder.write("about.tar", without(&layout, &image("amd64")).tar());
    let (target, memory) = store();
    assert!(!import_paths(&[&about_alone], &target).complete, "no image of it is there");
    assert_eq!(root(&memory), "");
    assert!(import_paths(&[&about_alone, &image_alone], &target).complete);
    assert_eq!(root(&memory), digest(&index));
}

/// The tag holds the index; a part of it and a docker-archive of one of its images come in together.
#[test]
fn the_same_image_does_not_replace_itself() {
    let folder = Folder::new();
    let (layout, index, _) = attested();
    let whole = folder.write("whole.tar", layout.tar());
    let part = folder.write("part.tar", without(&layout, &image("amd64")).tar());
    let archive = folder.write("amd64.tar", images_tar(&[(NAME, &image("amd64"))]));
    let (target, memory) = store();
    assert!(import_paths(&[&whole], &target).complete);
    let mut options = Options::default();
    options.fuse.on_conflict = ConflictPolicy::Fail;
    let import = Import::into(target).options(options).package(part).package(archive);
    let report = import.plan().expect("planned").apply();
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!((root(&memory).as_str(), report.tags_written), (digest(&index), 0));
}

/// A single manifest has the platform of its config, also where an index lists the same manifest for
/// another one. Both stay.
#[test]
fn one_manifest_for_two_platforms() {
    let folder = Folder::new();
    let v6 = Image::of("arm", "v6", vec![Layer::gzip("bin/app", "x")]);
    let mut layout = Layout::new();
    let single = layout.image(&v6);
    let single = folder.write("single.tar", layout.clone().top(named(single, NAME)).tar());
    let v7 = json!({"os": "linux", "architecture": "arm", "variant": "v7"});
    let listed = with(layout.image(&v6), "platform", v7);
    let amd64 = layout.image(&image("amd64"));
    let index = layout.index(&[listed, amd64]);
    let index = folder.write("index.tar", layout.top(named(index, NAME)).tar());
    let all = ["linux/amd64", "linux/arm/v6", "linux/arm/v7"];
    for order in [[&*single, &*index], [&*index, &*single]] {
        let (target, memory) = store();
        assert!(import_paths(&order, &target).complete);
        assert_eq!(platforms(&*memory, TAG), all, "one run");
        let (target, memory) = store();
        for path in order {
            assert!(import_paths(&[path], &target).complete);
        }
        assert_eq!(platforms(&*memory, TAG), all, "two runs");
    }
}

/// An index that lists one manifest twice is restored to its bytes, too.
#[test]
fn an_index_with_a_duplicate_is_restored() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let amd64 = layout.image(&image("amd64"));
    let noted = annotated(amd64.clone(), "note", "twice");
    let arm64 = layout.image(&image("arm64"));
    let index = layout.index(&[noted, amd64, arm64]);
    let layout = layout.top(named(index.clone(), NAME));
    let parts = ["amd64", "arm64"].map(|architecture| {
        let part = without(&layout, &image(architecture));
        folder.write(&format!("no-{architecture}.tar"), part.tar())
    });
    for order in [[0, 1], [1, 0]] {
        let (target, memory) = store();
        for place in order {
            assert!(import_paths(&[&parts[place]], &target).complete);
        }
        assert_eq!(root(&memory), digest(&index));
    }
}

/// A twin alone and the index that holds it are no two different images.
#[test]
fn a_twin_beside_the_index_that_holds_it() {
    let folder = Folder::new();
    let twins = ["qemu", "hyperv"].map(|kind| Image::new("amd64", kind));
    let mut layout = Layout::new();
    let entries = [layout.image(&twins[0]), layout.image(&twins[1])];
    let index = layout.index(&entries);
    let single = layout.clone().top(named(entries[0].clone(), NAME));
    let single = folder.write("single.tar", single.tar());
    let archive = folder.write("archive.tar", images_tar(&[(NAME, &twins[1])]));
    let whole = folder.write("whole.tar", layout.top(named(index, NAME)).tar());
    for other in [single, archive] {
        for order in [[&*other, &*whole], [&*whole, &*other]] {
            let (target, memory) = store();
            let report = import_paths(&order, &target);
            assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
            assert_eq!(platforms(&*memory, TAG), ["linux/amd64", "linux/amd64"]);
        }
    }
}

/// The config that a held entry without a platform needs is gone; the package brings it back.
#[test]
fn a_lost_config_of_an_entry_without_platform() {
    let folder = Folder::new();
    let amd64 = image("amd64");
    let mut layout = Layout::new();
    let mut bare = layout.image(&amd64);
    bare.as_object_mut().expect("an object").remove("platform");
    let arm64 = layout.image(&image("arm64"));
    let index = layout.index(&[bare, arm64]);
    let path = folder.write("x.tar", layout.top(named(index, NAME)).tar());
    let target = folder.layout("target");
    assert!(import_paths(&[&path], &target).complete);
    let config = folder.path().join("target/blobs/sha256").join(sha256(&amd64.config));
    std::fs::remove_file(&config).expect("removed");
    let report = import_paths(&[&path], &target);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(std::fs::read(&config).expect("there again"), amd64.config);
}

/// The document of the tag itself is damaged in a layout; the package has it.
#[test]
fn a_damaged_root_is_restored() {
    let folder = Folder::new();
    let (layout, outer) = nested();
    let path = folder.write("x.tar", layout.tar());
    let target = folder.layout("target");
    assert!(import_paths(&[&path], &target).complete);
    let root = folder.path().join("target/blobs").join(digest(&outer).replace(':', "/"));
    let text = std::fs::read(&root).expect("there");
    for damaged in [None, Some(&text[..10]), Some(&[][..])] {
        match damaged {
            Some(text) => std::fs::write(&root, text).expect("written"),
            None => std::fs::remove_file(&root).expect("removed"),
        }
        let report = import_paths(&[&path], &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(std::fs::read(&root).expect("there again"), text);
    }
}
