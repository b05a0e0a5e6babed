//! Registries whose clean-up deletes what only an index lists, and registries that take an index without its
//! children.

use multiarch_generator::{Image, images_tar};
use serde_json::Value;

use crate::{
    desk::{Desk, tags},
    server::{Kind, Server},
    tools::{succeed, tool},
};

/// `docker-registry garbage-collect -m` of 2.8 deletes every child of every index. The status says so, and the
/// next import brings all of it back under the tags that were there.
#[test]
fn garbage_collection_is_mended() {
    let desk = Desk::new();
    let mut server = Server::start(Kind::Debian);
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let import = ["import", &amd64, &arm64, "--to", &target, "--json"];
    let first = desk.run(&import);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let first = first.json();
    let names: Vec<&str> = first["images"]
        .as_array()
        .expect("images")
        .iter()
        .map(|image| image["name"].as_str().expect("a name"))
        .collect();
    let digests: Vec<String> = names.iter().map(|name| server.digest(name)).collect();
    server.collect_garbage();

    let status = desk.run(&["status", "--to", &target]);
    assert_eq!(status.code, Some(1), "{}", status.out);
    assert!(status.out.contains("(listed, missing)"), "{}", status.out);
    let again = desk.run(&import);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(again.json()["tags_written"], 0);
    for (name, digest) in names.iter().zip(digests) {
        assert_eq!(server.digest(name), digest, "{name}");
        server.validate(name);
    }
    assert_eq!(desk.run(&["status", "--to", &target]).code, Some(0));
}

/// With `--keep-children-tagged` there is nothing to mend.
#[test]
fn tagged_children_survive_garbage_collection() {
    let desk = Desk::new();
    let mut server = Server::start(Kind::Debian);
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let import = ["import", &amd64, &arm64, "--to", &target, "--json", "--keep-children-tagged"];
    let first = desk.run(&import);
    assert_eq!(first.code, Some(0), "{}", first.err);
    server.collect_garbage();
    assert_eq!(desk.run(&["status", "--to", &target]).code, Some(0));
    let again = desk.run(&import).json();
    let states = again["images"].as_array().expect("images").iter().map(|image| &image["state"]);
    assert!(states.clone().all(|state| state == "unchanged"), "{:?}", states.collect::<Vec<_>>());
}

/// distribution v3 may take an index of which it has no child. The children are sent, the index stays.
#[test]
fn a_sparse_index_in_distribution_is_filled() {
    let desk = Desk::new();
    let more = "validation:\n  manifests:\n    indexes: {platforms: none}\n";
    let server = Server::configured(Kind::V3, more);
    let archives = ["amd64", "arm64"].map(|architecture| {
        let image = Image::new(architecture, "app");
        let name = format!("{architecture}.tar");
        desk.write(&name, images_tar(&[("quay.io/team/app:1", &image)]))
    });
    let run = desk.run(&["import", &archives[0], &archives[1], "--to", &desk.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let index = tags(&desk.store())["team/app:1"].replace(':', "/");
    let index = std::fs::read_to_string(desk.store().join("blobs").join(index)).expect("read");
    let digest = server.put("team/app", "1", "", &index);
    let read: Value = serde_json::from_str(&server.manifest("team/app:1")).expect("JSON");
    assert_eq!(read["manifests"].as_array().expect("an index").len(), 2);
    for archive in &archives {
        let run = desk.run(&["import", archive, "--to", &server.target(), "--json"]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert_eq!(run.json()["images"][0]["state"], "restored");
        assert_eq!(server.digest("team/app:1"), digest);
    }
    server.validate("team/app:1");
    for architecture in ["amd64", "arm64"] {
        let platform = format!("linux/{architecture}");
        let reference = server.at("team/app:1");
        let host = format!("reg={},tls=disabled", server.address);
        let words = ["--host", &host, "image", "config", "--platform", &platform, &reference];
        let config = succeed(tool("regctl").args(words));
        assert!(config.contains(architecture), "{config}");
        let source = format!("docker://{reference}");
        let words = ["inspect", "--tls-verify=false", "--override-arch", architecture, &source];
        let seen: Value = serde_json::from_str(&succeed(tool("skopeo").args(words))).expect("JSON");
        assert_eq!(seen["Architecture"], architecture);
    }
}
