//! The files of many tools, each fused for two architectures: in one run, in two runs, in both orders.

use multiarch_generator::{
    Entry, Image, Layer, Layout, annotated, gzip, images_tar, named, sha256, tar, with, zstd,
};
use serde_json::{Value, json};

use crate::runs::{Folder, import_paths, platforms, store};

const NAME: &str = "docker.io/team/app:1.0";
const SHORT: &str = "team/app:1.0";

/// Makes the file of one architecture.
type Tool = fn(&str) -> Vec<u8>;

fn image(architecture: &str) -> Image {
    Image::new(architecture, "app")
}

/// `docker save` before containerd: a folder for each layer, and the config under its digest.
fn docker_save(architecture: &str, names: &Value) -> Vec<u8> {
    let image = Image::of(
        architecture,
        "",
        vec![Layer::plain("bin/app", architecture), Layer::plain("etc/app", "the same")],
    );
    let config = format!("{}.json", image.config_digest());
    let mut entries = vec![Entry::file(&config, image.config.clone())];
    let mut layers = Vec::new();
    for (number, layer) in image.layers.iter().enumerate() {
        let id = sha256(format!("{architecture} {number}").as_bytes());
        entries.push(Entry::file(format!("{id}/VERSION"), "1.0"));
        entries.push(Entry::file(format!("{id}/json"), "{}"));
        entries.push(Entry::file(format!("{id}/layer.tar"), layer.blob.clone()));
        layers.push(format!("{id}/layer.tar"));
    }
    let list = json!([{"Config": config, "RepoTags": names, "Layers": layers}]);
    entries.push(Entry::file("manifest.json", list.to_string()));
    entries.push(Entry::file("repositories", r#"{"team/app":{"1.0":"x"}}"#));
    tar(&entries)
}

/// A layout whose only entry is this architecture's image, listed as a tool lists it.
fn single(architecture: &str, list: impl Fn(Value) -> Value) -> Layout {
    let mut layout = Layout::new();
    let descriptor = layout.image(&image(architecture));
    layout.top(list(descriptor))
}

/// The whole index of the author, with the content of one architecture.
fn part_of_index(architecture: &str) -> Layout {
    let mut layout = Layout::new();
    let entries = ["amd64", "arm64"].map(|a| layout.image(&image(a)));
    let index = layout.index(&entries);
    let other = image(if architecture == "amd64" { "arm64" } else { "amd64" });
    let parts =
        [multiarch_generator::oci_digest(&other), other.config_digest(), other.layers[1].digest()];
    let layout = layout.top(named(index, NAME));
    parts.iter().fold(layout, |layout, part| layout.without(part))
}

const TOOLS: [(&str, Tool); 17] = [
    ("docker save", |a| docker_save(a, &json!([SHORT]))),
    ("podman save --multi-image-archive", |a| {
        docker_save(a, &json!(["docker.io/team/app:1.0", "docker.io/team/other:1.0"]))
    }),
    ("docker save, containerd store", |a| {
        let layout = part_of_index(a);
        layout.docker(SHORT, &image(a)).tar()
    }),
    ("ctr image export", |a| part_of_index(a).tar()),
    ("ctr image export --platform", |a| single(a, |d| named(d, NAME)).tar()),
    ("nerdctl save", |a| single(a, |d| named(d, NAME)).docker(SHORT, &image(a)).tar()),
    ("go-containerregistry, crane pull", |a| images_tar(&[(NAME, &image(a))])),
    ("bazel rules_oci, jib: names without a registry", |a| images_tar(&[(SHORT, &image(a))])),
    ("ko, by index.docker.io", |a| images_tar(&[("index.docker.io/team/app:1.0", &image(a))])),
    ("kaniko --tar-path", |a| gzip(&images_tar(&[(NAME, &image(a))]))),
    ("k3s airgap images, zstd", |a| zstd(&docker_save(a, &json!([NAME])))),
    ("RKE2 airgap images, several in one", |a| {
        zstd(&images_tar(&[
            (NAME, &image(a)),
            ("docker.io/team/other:1.0", &Image::new(a, "other")),
        ]))
    }),
    ("KubeKey artifact", |a| {
        let layout = single(a, |d| annotated(d, "org.opencontainers.image.ref.name", NAME));
        let files = layout
            .files()
            .into_iter()
            .map(|(path, content)| Entry::file(format!("kubekey/images/{path}"), content));
        gzip(&tar(&files.collect::<Vec<_>>()))
    }),
    ("skopeo copy --multi-arch, platform at the top", |a| {
        single(a, |d| annotated(d, "org.opencontainers.image.ref.name", NAME)).tar()
    }),
    ("buildah push oci-archive, no platform at the top", |a| {
        single(a, |mut d| {
            d.as_object_mut().expect("an object").remove("platform");
            annotated(d, "org.opencontainers.image.ref.name", NAME)
        })
        .tar()
    }),
    ("buildx --output type=oci", |a| {
        let mut layout = Layout::new();
        let entry = layout.image(&image(a));
        let index = layout.index(&[entry]);
        layout.top(with(named(index, NAME), "size", 0)).tar()
    }),
    ("hauler store", |a| {
        single(a, |d| {
            let d = annotated(d, "kind", "dev.cosignproject.cosign/image");
            annotated(
                annotated(d, "io.containerd.image.name", NAME),
                "org.opencontainers.image.ref.name",
                SHORT,
            )
        })
        .tar()
    }),
];

#[test]
fn every_tools_files_are_fused() {
    for (tool, file) in TOOLS {
        let folder = Folder::new();
        let paths = ["amd64", "arm64"].map(|a| folder.write(a, file(a)));
        for order in [[0, 1], [1, 0]] {
            let order = order.map(|place| &*paths[place]);
            let (target, one_run) = store();
            let report = import_paths(&order, &target);
            assert!(report.complete, "{tool}: {:?}", report.errors().collect::<Vec<_>>());
            let (target, two_runs) = store();
            for path in order {
                let report = import_paths(&[path], &target);
                assert!(report.complete, "{tool}: {:?}", report.errors().collect::<Vec<_>>());
            }
            for memory in [&one_run, &two_runs] {
                assert_eq!(platforms(&**memory, SHORT), ["linux/amd64", "linux/arm64"], "{tool}");
            }
            let again = import_paths(&order, &target);
            assert_eq!((again.tags_written, again.blobs_sent), (0, 0), "{tool}");
        }
    }
}

/// Files of two tools meet at one tag: the same image in two forms is one image.
#[test]
fn files_of_two_tools_meet() {
    let folder = Folder::new();
    let layout = folder.write("layout", single("amd64", |d| named(d, NAME)).tar());
    let archive = folder.write("archive", images_tar(&[(NAME, &image("amd64"))]));
    let arm64 = folder.write("arm64", images_tar(&[(NAME, &image("arm64"))]));
    let all = [&*layout, &*archive, &*arm64];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (target, memory) = store();
        let report = import_paths(&order.map(|place| all[place]), &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        assert_eq!(platforms(&*memory, SHORT), ["linux/amd64", "linux/arm64"]);
    }
}
