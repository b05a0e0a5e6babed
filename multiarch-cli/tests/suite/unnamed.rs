//! `--name`, for images that their file does not name; and referrers in registries with and without a list.

use multiarch_generator::{Entry, Image, Layout, images_tar, named, oci_digest, tar, with};
use serde_json::json;

use crate::{
    desk::{Desk, tags},
    server::{Kind, Server},
};

/// docker/cli#6383: `docker save ID` names nothing.
fn unnamed(desk: &Desk, architecture: &str) -> String {
    let image = Image::new(architecture, "app");
    desk.write(&format!("{architecture}.tar"), images_tar(&[("", &image)]))
}

#[test]
fn a_name_for_files_that_give_none() {
    let desk = Desk::new();
    let (amd64, arm64) = (unnamed(&desk, "amd64"), unnamed(&desk, "arm64"));
    let run = desk.run(&["import", &amd64, "--to", &desk.target()]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("--name"), "{}", run.err);
    let words = ["--name", "quay.io/team/app:1", "--to", &desk.target()];
    let run = desk.run(&[&["import", &amd64, &arm64], &words[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(tags(&desk.store()).into_keys().collect::<Vec<_>>(), ["team/app:1"]);
    let run = desk.run(&["status", "--to", &desk.target()]);
    assert!(run.out.contains("linux/amd64, linux/arm64"), "{}", run.out);
}

#[test]
fn names_for_single_files() {
    let desk = Desk::new();
    let (amd64, arm64) = (unnamed(&desk, "amd64"), unnamed(&desk, "arm64"));
    let target = desk.target();
    let run = desk.run(&[
        "import",
        &amd64,
        &arm64,
        "--to",
        &target,
        "--name",
        "amd64.tar=quay.io/a:1",
        "--name",
        &format!("{arm64}=quay.io/b:1"),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(tags(&desk.store()).into_keys().collect::<Vec<_>>(), ["a:1", "b:1"]);
    // A name that fits no image, or is not a reference, is a wrong use, and nothing is written.
    for name in ["other.tar=quay.io/a:1", "not a reference"] {
        let run = desk.run(&["import", &amd64, "--to", &target, "--name", name]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.err);
    }
}

/// A layout of skopeo, crane or oras gives only a tag: a name without a tag keeps it.
#[test]
fn a_name_without_a_tag_keeps_the_files_tags() {
    let desk = Desk::new();
    let mut layout = Layout::new();
    let tops = ["1.0", "1.1"].map(|tag| {
        let descriptor = layout.image(&Image::new("amd64", tag));
        with(descriptor, "annotations", json!({"org.opencontainers.image.ref.name": tag}))
    });
    let layout = tops.into_iter().fold(layout, Layout::top);
    let files = layout.files().into_iter().map(|(path, content)| Entry::file(path, content));
    let path = desk.write("layout.tar", tar(&files.collect::<Vec<_>>()));
    let run = desk.run(&["import", &path, "--to", &desk.target(), "--name", "quay.io/team/app"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let tags: Vec<_> = tags(&desk.store()).into_keys().collect();
    assert_eq!(tags, ["team/app:1.0", "team/app:1.1"]);
}

/// A registry that lists referrers gets a signature by its digest alone; another one gets the tag of the
/// distribution specification besides.
#[test]
fn a_signature_in_registries_with_and_without_a_list() {
    let desk = Desk::new();
    let image = Image::new("amd64", "app");
    let mut layout = Layout::new();
    let subject = layout.image(&image);
    let (empty, payload) = (layout.blob("{}"), layout.blob("signature"));
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let text = json!({
        "schemaVersion": 2, "mediaType": manifest, "artifactType": "application/vnd.example.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": payload, "size": 9}],
        "subject": {"mediaType": manifest, "digest": subject["digest"], "size": subject["size"]},
    });
    let signature = layout.document(manifest, text.to_string());
    let layout = layout.top(named(subject, "quay.io/team/app:1")).top(signature.clone());
    let path = desk.write("signed.tar", layout.tar());
    for (kind, fallback) in [(Kind::Debian, true), (Kind::V3, false)] {
        let server = Server::start(kind);
        let run = desk.run(&["import", &path, "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        server.fetch(&format!("team/app@{}", signature["digest"].as_str().expect("text")));
        let tag = oci_digest(&image).replace(':', "-");
        assert_eq!(server.registry.tags("team/app").contains(&tag), fallback, "{kind:?}");
        server.take();
        let again = desk.run(&["import", &path, "--to", &server.target()]);
        assert_eq!(again.code, Some(0), "{}", again.err);
        let writes =
            server.take().into_iter().filter(|r| !["GET", "HEAD"].contains(&r.method.as_str()));
        assert_eq!(writes.count(), 0, "{kind:?}");
    }
}
