//! What goes along with images: listed children, referrers, signatures. None of them needs a name, and none
//! keeps an image back.

use multiarch_core::{Digest, Finding, ImageStore};
use multiarch_generator::{Image, Layout, annotated, named, oci_digest, with};
use serde_json::{Value, json};

use crate::runs::{Folder, held, import_paths, platforms, store};

const NAME: &str = "docker.io/team/app:1.0";
const TAG: &str = "team/app:1.0";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A document that refers to another one by its `subject`.
fn referrer(layout: &mut Layout, subject: &Value, content: &str) -> Value {
    let empty = layout.blob("{}");
    let payload = layout.blob(content);
    let text = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": payload, "size": content.len()}],
        "subject": {"mediaType": MANIFEST, "digest": subject["digest"], "size": subject["size"]},
        "annotations": {"by": content},
    });
    layout.document(MANIFEST, text.to_string())
}

/// A layout of an image and its signature, with the entries of both.
fn signed(image: &Image) -> (Layout, Value, Value) {
    let mut layout = Layout::new();
    let subject = layout.image(image);
    let signature = referrer(&mut layout, &subject, "signature");
    (layout, subject, signature)
}

/// oras-project/oras#1514: the children of a named index stand in `index.json` once more, without names.
#[test]
fn listed_children_need_no_name() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let entries = ["amd64", "arm64"].map(|a| layout.image(&Image::new(a, "app")));
    let index = layout.index(&entries);
    let layout = entries.into_iter().fold(layout.top(named(index, NAME)), Layout::top);
    let (target, memory) = store();
    let report = import_paths(&[&folder.write("oras.tar", layout.tar())], &target);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(platforms(&*memory, TAG), ["linux/amd64", "linux/arm64"]);
}

/// oras-project/oras#1737: a referrer without a name goes into its subject's repository, and so does one
/// that refers to a referrer. A store without a list of referrers gets the fallback tag of the distribution
/// specification, with the type and the annotations of each.
#[test]
fn referrers_go_with_their_subject() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let (mut layout, subject, signature) = signed(&image);
    let counter = referrer(&mut layout, &signature, "countersignature");
    let tops = [named(subject, NAME), counter.clone(), signature.clone()];
    let layout = tops.into_iter().fold(layout, Layout::top);
    let path = folder.write("signed.tar", layout.tar());
    let (target, memory) = store();
    let report = import_paths(&[&path], &target);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(held(&*memory, TAG), [("linux/amd64".to_owned(), oci_digest(&image))]);
    for (subject, referrer) in [(oci_digest(&image), &signature), (text(&signature), &counter)] {
        let tag = format!("team/app:{}", subject.replace(':', "-"));
        let list = memory.get_tag(&tag.parse().expect("a name")).expect("read").expect(&tag);
        let list: Value = serde_json::from_slice(list.raw()).expect("JSON");
        let entry = &list["manifests"][0];
        assert_eq!(entry["digest"], referrer["digest"]);
        assert_eq!(entry["artifactType"], "application/vnd.example.signature");
        assert!(entry["annotations"]["by"].as_str().expect("text").ends_with("signature"));
        let digest: Digest = text(referrer).parse().expect("a digest");
        assert!(memory.get_manifest("team/app", &digest).expect("read").is_some());
    }
    let again = import_paths(&[&path], &target);
    assert_eq!((again.complete, again.tags_written, again.blobs_sent), (true, 0, 0));

    // Another signature joins the list; none is lost.
    let mut layout = Layout::new();
    let subject = layout.image(&image);
    let other = referrer(&mut layout, &subject, "another signature");
    let layout = layout.top(named(subject, NAME)).top(other.clone());
    assert!(import_paths(&[&folder.write("other.tar", layout.tar())], &target).complete);
    let tag = format!("team/app:{}", oci_digest(&image).replace(':', "-"));
    let list = memory.get_tag(&tag.parse().expect("a name")).expect("read").expect("there");
    let list: Value = serde_json::from_slice(list.raw()).expect("JSON");
    let digests: Vec<String> =
        list["manifests"].as_array().expect("a list").iter().map(text).collect();
    assert_eq!(digests, [text(&signature), text(&other)]);
}

fn text(descriptor: &Value) -> String {
    descriptor["digest"].as_str().expect("text").to_owned()
}

/// hauler-dev/hauler#291: an image and its signature have one name. cosign's kind says what the signature
/// is; another artifact of that name is reported, and keeps the image from nothing.
#[test]
fn a_signature_with_the_name_of_its_image() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let entries = ["amd64", "arm64"].map(|a| layout.image(&Image::new(a, "app")));
    let index = layout.index(&entries);
    let payload = layout.blob("payload");
    let config = json!({"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": [payload]}});
    let config = layout.document("application/vnd.oci.image.config.v1+json", config.to_string());
    let signature = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config,
        "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": payload, "size": 7}],
    });
    let signature = layout.document(MANIFEST, signature.to_string());
    let kind = |descriptor: Value, kind: &str| {
        annotated(named(descriptor, NAME), "kind", &format!("dev.cosignproject.cosign/{kind}"))
    };
    for (name, is_tagged) in [("sigs", true), ("other", false)] {
        for order in [[0, 1], [1, 0]] {
            let tops = [kind(index.clone(), "imageIndex"), kind(signature.clone(), name)];
            let layout = order.into_iter().fold(layout.clone(), |l, i| l.top(tops[i].clone()));
            let (target, memory) = store();
            let report = import_paths(&[&folder.write("haul.tar", layout.tar())], &target);
            assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
            assert_eq!(platforms(&*memory, TAG), ["linux/amd64", "linux/arm64"]);
            let tag = format!("team/app:{}.sig", text(&index).replace(':', "-"));
            let there = memory.get_tag(&tag.parse().expect("a name")).expect("read");
            assert_eq!(there.map(|d| d.digest().to_string()), is_tagged.then(|| text(&signature)));
            assert_eq!(report.findings.is_empty(), is_tagged);
        }
    }
}

/// Layouts of regctl and crane give a signature only a tag made of its subject's digest.
#[test]
fn a_tag_made_of_a_digest_needs_no_more_of_a_name() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let (layout, subject, signature) = signed(&image);
    let tag = format!("{}.sig", oci_digest(&image).replace(':', "-"));
    let signature = annotated(signature, "org.opencontainers.image.ref.name", &tag);
    let layout = layout.top(signature.clone()).top(named(subject, NAME));
    let (target, memory) = store();
    assert!(import_paths(&[&folder.write("x.tar", layout.tar())], &target).complete);
    let name = format!("team/app:{tag}").parse().expect("a name");
    let there = memory.get_tag(&name).expect("read").expect("there");
    assert_eq!(there.digest().to_string(), text(&signature));
}

/// What refers to something that no package has cannot be brought anywhere. It is reported, and keeps
/// nothing back.
#[test]
fn a_referrer_without_its_subject_is_reported() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let gone = with(json!({"size": 3}), "digest", format!("sha256:{}", "1".repeat(64)));
    let lonely = referrer(&mut layout, &gone, "signature");
    let entry = layout.image(&Image::new("amd64", "app"));
    let layout = layout.top(lonely).top(named(entry, NAME));
    let (target, memory) = store();
    let report = import_paths(&[&folder.write("x.tar", layout.tar())], &target);
    assert!(report.complete);
    assert!(matches!(report.findings.as_slice(), [Finding::NotUsed { .. }]));
    assert_eq!(platforms(&*memory, TAG), ["linux/amd64"]);
}
