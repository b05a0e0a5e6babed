//! Indexes and layouts as people have them: partial, with twins, with platforms that contradict each
//! other. Each test names the report that its input comes from; what is right is by the OCI image
//! specification and by what containerd does.

use std::collections::BTreeSet;

use multiarch_core::{Finding, ImageStore, Platform};
use multiarch_generator::{Image, Layer, Layout, annotated, named, oci_digest, with};
use serde_json::{Value, json};

use crate::runs::{Folder, held, import_paths, platforms, store};

const NAME: &str = "docker.io/team/app:1.0";
const TAG: &str = "team/app:1.0";

fn image(architecture: &str) -> Image {
    Image::new(architecture, "app")
}

/// An image whose config does not name its variant.
fn arm(content: &str) -> Image {
    Image::of("arm", "", vec![Layer::gzip("bin/app", content)])
}

fn listed(platforms: &[(&str, &Image)]) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        platforms.iter().map(|(name, image)| ((*name).to_owned(), oci_digest(image))).collect();
    all.sort();
    all
}

fn tag_text(store: &dyn ImageStore) -> Vec<u8> {
    let name = TAG.parse().expect("a name");
    store.get_tag(&name).expect("read").expect("there").raw().to_vec()
}

/// The whole upstream index, and the archives of two machines that hold one platform each.
fn two_saves(images: [&Image; 2]) -> [(Layout, Vec<u8>); 2] {
    let mut whole = Layout::new();
    let entries = images.map(|image| whole.image(image));
    let index = whole.index(&entries);
    let text = whole.content(index["digest"].as_str().expect("text")).to_vec();
    let whole = whole.top(named(index, NAME));
    [1, 0].map(|other| {
        let mut lost = Layout::new();
        lost.image(images[other]);
        let mut part = whole.clone();
        for digest in
            [oci_digest(images[other]), format!("sha256:{}", images[other].config_digest())]
        {
            part = part.without(&digest);
        }
        (part, text.clone())
    })
}

/// kubernetes-sigs/kind#3795, moby/moby#44833: each machine saves the whole index, but only its own part.
/// In any order, in one run or two, all is there, and the tag gets the upstream index itself.
#[test]
fn two_saves_of_one_index_are_united() {
    let folder = Folder::new();
    let (amd64, arm64) = (image("amd64"), image("arm64"));
    let [(first, index), (second, _)] = two_saves([&amd64, &arm64]);
    let first = folder.write("amd64.tar", first.tar());
    let second = folder.write("arm64.tar", second.tar());
    let all = listed(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)]);
    for order in [[&*first, &*second], [&*second, &*first]] {
        let (target, memory) = store();
        let report = import_paths(&order, &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(held(&*memory, TAG), all);
        assert_eq!(tag_text(&*memory), index, "one run");

        let (target, memory) = store();
        assert!(import_paths(&order[..1], &target).complete);
        assert_eq!(held(&*memory, TAG).len(), 1);
        assert!(import_paths(&order[1..], &target).complete);
        assert_eq!(tag_text(&*memory), index, "two runs");
        let again = import_paths(&order, &target);
        assert_eq!((again.tags_written, again.blobs_sent), (0, 0));
    }
}

/// containerd/containerd#14000: the layer, or the config, of one platform is gone. What is whole is
/// imported; what is not is an error that names the platform, unless the target has it.
#[test]
fn what_is_whole_is_imported() {
    let folder = Folder::new();
    let (amd64, arm64) = (image("amd64"), image("arm64"));
    let mut whole = Layout::new();
    let entries = [whole.image(&amd64), whole.image(&arm64)];
    let index = whole.index(&entries);
    let whole = whole.top(named(index, NAME));
    let own_layer = format!("sha256:{}", arm64.layers[1].digest());
    for lost in [own_layer, format!("sha256:{}", arm64.config_digest())] {
        let path = folder.write("part.tar", whole.clone().without(&lost).tar());
        let (target, memory) = store();
        let report = import_paths(&[&path], &target);
        assert_eq!(held(&*memory, TAG), listed(&[("linux/amd64", &amd64)]));
        assert!(!report.complete);
        let errors: Vec<String> = report.errors().map(ToString::to_string).collect();
        assert!(errors.iter().any(|e| e.contains("linux/arm64") && e.contains(NAME)), "{errors:?}");
        // A file that has it makes the tag whole; then the part is no loss any more.
        let other = folder.write("whole.tar", whole.tar());
        assert!(import_paths(&[&path, &other], &target).complete);
        assert!(import_paths(&[&path], &target).complete);
    }
}

/// containerd/containerd#11344: an attestation that is not whole keeps no image back.
#[test]
fn a_broken_attestation_keeps_nothing_back() {
    let folder = Folder::new();
    let amd64 = image("amd64");
    let mut layout = Layout::new();
    let entry = layout.image(&amd64);
    let statement = layout.blob("a statement");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{}", amd64.config_digest()), "size": amd64.config.len()},
        "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": statement, "size": 11}],
    });
    let attestation =
        layout.document("application/vnd.oci.image.manifest.v1+json", manifest.to_string());
    let attestation = annotated(attestation, "vnd.docker.reference.digest", &oci_digest(&amd64));
    let attestation =
        with(attestation, "platform", json!({"os": "unknown", "architecture": "unknown"}));
    let index = layout.index(&[entry, attestation]);
    let path = folder.write("a.tar", layout.top(named(index, NAME)).without(&statement).tar());
    let (target, memory) = store();
    let report = import_paths(&[&path], &target);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert!(matches!(report.findings.as_slice(), [Finding::Incomplete { .. }]));
    assert_eq!(held(&*memory, TAG), listed(&[("linux/amd64", &amd64)]));
}

/// The machine images of podman: an index lists a manifest for each kind of disk, so that twins stay.
#[test]
fn twins_of_one_index_stay_twins() {
    let folder = Folder::new();
    let pair = |architecture: &str| {
        let images = ["qemu", "hyperv"].map(|kind| Image::new(architecture, kind));
        let mut layout = Layout::new();
        let entries =
            [0, 1].map(|i| annotated(layout.image(&images[i]), "disktype", ["qemu", "hyperv"][i]));
        let index = layout.index(&entries);
        let path =
            folder.write(&format!("{architecture}.tar"), layout.top(named(index, NAME)).tar());
        (path, images)
    };
    let ((amd64, a), (arm64, b)) = (pair("amd64"), pair("arm64"));
    let all = listed(&[
        ("linux/amd64", &a[0]),
        ("linux/amd64", &a[1]),
        ("linux/arm64", &b[0]),
        ("linux/arm64", &b[1]),
    ]);
    for order in [[&*amd64, &*arm64], [&*arm64, &*amd64]] {
        let (target, memory) = store();
        assert!(import_paths(&order, &target).complete);
        assert_eq!(held(&*memory, TAG), all);
        let again = import_paths(&order, &target);
        assert_eq!((again.complete, again.tags_written), (true, 0));
        assert_eq!(held(&*memory, TAG), all);
    }
}

/// estesp/mquery#9, coredns/coredns#3669: the config of the arm64 image says amd64. The index is believed,
/// on both sides, so that importing the same file again changes nothing.
#[test]
fn an_index_is_believed_where_a_config_contradicts_it() {
    let folder = Folder::new();
    let (amd64, lying) = (image("amd64"), Image::new("amd64", "in truth for arm64"));
    let mut layout = Layout::new();
    let first = layout.image(&amd64);
    let second = layout.image(&lying);
    let second = with(second, "platform", json!({"os": "linux", "architecture": "arm64"}));
    let index = layout.index(&[first, second]);
    let path = folder.write("app.tar", layout.top(named(index, NAME)).tar());
    let (target, memory) = store();
    let report = import_paths(&[&path], &target);
    assert!(report.findings.iter().any(|f| matches!(f, Finding::Contradicted { .. })));
    let all = listed(&[("linux/amd64", &amd64), ("linux/arm64", &lying)]);
    assert_eq!(held(&*memory, TAG), all);
    assert_eq!(import_paths(&[&path], &target).tags_written, 0);

    // It is doubtful, and so replaces no other image.
    let (target, memory) = store();
    let mut honest = Layout::new();
    let entry = honest.image(&image("arm64"));
    let honest = folder.write("arm64.tar", honest.top(named(entry, NAME)).tar());
    assert!(import_paths(&[&honest], &target).complete);
    import_paths(&[&path], &target);
    let held = held(&*memory, TAG);
    assert_eq!(held, listed(&[("linux/amd64", &amd64), ("linux/arm64", &image("arm64"))]));
}

/// containers/skopeo#1136: `index.json` itself is the list of platforms, and configs leave the variant out.
#[test]
fn the_top_of_a_layout_states_platforms() {
    let folder = Folder::new();
    let (v6, v7) = (arm("for v6"), arm("for v7"));
    let stated = |layout: &mut Layout, image: &Image, variant: &str| {
        let platform = json!({"os": "linux", "architecture": "arm", "variant": variant});
        named(with(layout.image(image), "platform", platform), NAME)
    };
    let mut both = Layout::new();
    let tops = [stated(&mut both, &v6, "v6"), stated(&mut both, &v7, "v7")];
    let write = |name: &str, tops: &[Value]| {
        let layout = tops.iter().cloned().fold(both.clone(), Layout::top);
        folder.write(name, layout.tar())
    };
    let (one, two) = (write("v6.tar", &tops[..1]), write("v7.tar", &tops[1..]));
    let all = listed(&[("linux/arm/v6", &v6), ("linux/arm/v7", &v7)]);
    for run in [vec![&*one, &*two], vec![&*two, &*one], vec![&*write("both.tar", &tops)]] {
        let (target, memory) = store();
        for path in &run {
            assert!(import_paths(&[path], &target).complete);
        }
        // A single image stays a plain manifest, whose config says `arm`: that is arm/v7.
        let held = held(&*memory, TAG).into_iter();
        let held: BTreeSet<_> = held.map(|(name, digest)| (key(&name), digest)).collect();
        assert_eq!(held, all.iter().map(|(name, digest)| (key(name), digest.clone())).collect());
    }
}

fn key(platform: &str) -> String {
    platform.parse::<Platform>().expect("a platform").key().to_string()
}

/// A held entry that leaves the variant open has the one that its config names.
#[test]
fn a_config_completes_what_a_held_entry_leaves_open() {
    let folder = Folder::new();
    let v6 = Image::of("arm", "v6", vec![Layer::gzip("bin/app", "six")]);
    let v7 = Image::of("arm", "v7", vec![Layer::gzip("bin/app", "seven")]);
    let mut layout = Layout::new();
    let open = with(layout.image(&v6), "platform", json!({"os": "linux", "architecture": "arm"}));
    let index = layout.index(&[open]);
    let held_first = folder.write("v6.tar", layout.top(named(index, NAME)).tar());
    let mut layout = Layout::new();
    let entry = layout.image(&v7);
    let second = folder.write("v7.tar", layout.top(named(entry, NAME)).tar());
    let (target, memory) = store();
    import_paths(&[&held_first], &target);
    assert!(import_paths(&[&second], &target).complete);
    assert_eq!(held(&*memory, TAG), listed(&[("linux/arm", &v6), ("linux/arm/v7", &v7)]));
}

/// moby/moby#47065: docker 25.0.0 wrote a manifest without layers. It is refused; the list of the
/// docker-archive in the same file gives the image; and where such a manifest is held, a good one replaces it.
#[test]
fn a_manifest_that_does_not_fit_its_config_is_refused_and_replaced() {
    let folder = Folder::new();
    let amd64 = image("amd64");
    let mut layout = Layout::new();
    let good = layout.image(&amd64);
    let good_text = layout.content(good["digest"].as_str().expect("text")).to_vec();
    let mut broken: Value = serde_json::from_slice(&good_text).expect("JSON");
    broken["layers"] = Value::Null;
    let broken = layout.document("application/vnd.oci.image.manifest.v1+json", broken.to_string());
    let save = layout.clone().top(named(broken.clone(), NAME));
    let (target, memory) = store();
    let alone = folder.write("alone.tar", save.tar());
    assert!(!import_paths(&[&alone], &target).complete);
    assert!(platforms(&*memory, TAG).is_empty());
    let both = folder.write("both.tar", save.docker(NAME, &amd64).tar());
    assert!(import_paths(&[&both], &target).complete);
    assert_eq!(platforms(&*memory, TAG), ["linux/amd64"]);

    // As an earlier version, or another tool, left it.
    let (target, memory) = store();
    let content = layout.content(broken["digest"].as_str().expect("text"));
    let document = multiarch_core::Document::new(content, None).expect("a manifest");
    for blob in [&amd64.config].into_iter().chain(amd64.layers.iter().map(|l| &l.blob)) {
        let digest = multiarch_core::Digest::sha256(blob);
        let content = multiarch_core::BlobContent::in_memory(&digest, blob);
        memory.put_blob("team/app", None, &content).expect("put");
    }
    memory.put_tag(&TAG.parse().expect("a name"), None, &document).expect("set");
    let path = folder.write("good.tar", layout.top(named(good, NAME)).tar());
    assert!(import_paths(&[&path], &target).complete);
    assert_eq!(held(&*memory, TAG), listed(&[("linux/amd64", &amd64)]));
}

/// moby/moby#47210: `docker save IMAGE@DIGEST` of docker 25 lists nothing in `index.json`.
#[test]
fn an_empty_index_json_beside_a_docker_list() {
    let folder = Folder::new();
    let amd64 = image("amd64");
    let mut layout = Layout::new();
    layout.image(&amd64);
    let layout = layout.docker("team/app:1.0", &amd64);
    for empty in ["null", "[]"] {
        let files = layout.files().into_iter().map(|(path, content)| match path.as_str() {
            "index.json" => {
                let text = format!(r#"{{"schemaVersion":2,"manifests":{empty}}}"#);
                multiarch_generator::Entry::file(path, text)
            }
            _ => multiarch_generator::Entry::file(path, content),
        });
        let tar = multiarch_generator::tar(&files.collect::<Vec<_>>());
        let (target, memory) = store();
        assert!(import_paths(&[&folder.write("save.tar", tar)], &target).complete);
        assert_eq!(platforms(&*memory, TAG), ["linux/amd64"], "{empty}");
    }
}

/// docker/cli#1156: a list states a wrong size, and containerd refuses to pull. The platform is refused when
/// it comes in; where it is held so, the right entry replaces it.
#[test]
fn a_wrong_size_in_an_index_is_not_believed() {
    let folder = Folder::new();
    let (amd64, arm64) = (image("amd64"), image("arm64"));
    let mut layout = Layout::new();
    let wrong = with(layout.image(&amd64), "size", 1);
    let right = layout.image(&arm64);
    let index = layout.index(&[wrong, right]);
    let text = layout.content(index["digest"].as_str().expect("text")).to_vec();
    let path = folder.write("wrong.tar", layout.top(named(index, NAME)).tar());
    let (target, memory) = store();
    let report = import_paths(&[&path], &target);
    assert!(report.errors().any(|error| error.to_string().contains("linux/amd64")));
    assert_eq!(held(&*memory, TAG), listed(&[("linux/arm64", &arm64)]));

    let mut honest = Layout::new();
    let entry = honest.image(&amd64);
    let honest = folder.write("amd64.tar", honest.top(named(entry, NAME)).tar());
    assert!(import_paths(&[&honest], &target).complete);
    let before = memory.get_tag(&TAG.parse().expect("a name")).expect("read").expect("there");
    let document = multiarch_core::Document::new(text, None).expect("an index");
    memory.put_tag(&TAG.parse().expect("a name"), Some(before.digest()), &document).expect("set");
    assert!(import_paths(&[&honest], &target).complete);
    let all = listed(&[("linux/amd64", &amd64), ("linux/arm64", &arm64)]);
    assert_eq!(held(&*memory, TAG), all);
}
