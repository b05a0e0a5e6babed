//! Imports into registries: each one holds the same as a layout, and nothing is sent twice.

use std::{collections::BTreeMap, process::Stdio};

use multiarch_generator::{Image, images_tar};
use multiarch_testing::Fault;
use serde_json::Value;

use crate::{
    desk::{Desk, multiarch, tags},
    server::{ALL, Kind, Server},
};

/// The tags that the demo packages give in a layout. `commands` checks them against the generator's
/// own digests, and `readers` checks them with other programs.
fn expected(desk: &Desk) -> BTreeMap<String, String> {
    let target = format!("oci:{}", desk.path().join("expected").display());
    let run =
        desk.run(&["import", &desk.package("amd64"), &desk.package("arm64"), "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    tags(&desk.path().join("expected"))
}

/// Name → digest, as the registry has it.
fn found(server: &Server, names: impl Iterator<Item = String>) -> BTreeMap<String, String> {
    names.map(|name| (name.clone(), server.digest(&name))).collect()
}

#[test]
fn every_registry_in_any_order() {
    let desk = Desk::new();
    let expected = expected(&desk);
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    for kind in ALL {
        for order in [
            vec![vec![&amd64], vec![&arm64]],
            vec![vec![&arm64], vec![&amd64]],
            vec![vec![&arm64, &amd64]],
        ] {
            let server = Server::start(kind);
            let target = server.target();
            for packages in order {
                let mut words = vec!["import", "--to", &target];
                words.extend(packages.iter().map(|p| p.as_str()));
                let run = desk.run(&words);
                assert_eq!(run.code, Some(0), "{kind:?}: {}", run.err);
            }
            assert_eq!(found(&server, expected.keys().cloned()), expected, "{kind:?}");
            for name in expected.keys() {
                server.validate(name);
            }
        }
    }
}

#[test]
fn status_of_a_registry() {
    let desk = Desk::new();
    for kind in [Kind::Debian, Kind::V3] {
        let server = Server::start(kind);
        let target = format!("{}/plat/form", server.target());
        let run = desk.run(&["import", &desk.package("amd64"), "--to", &target]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        let names = |status: &Value| -> Vec<String> {
            let tags = status["tags"].as_array().expect("tags").iter();
            tags.map(|tag| tag["name"].as_str().expect("a name").to_owned()).collect()
        };
        let all = desk.run(&["status", "--to", &target, "--json"]).json();
        assert_eq!(names(&all).len(), 6);
        let some = desk.run(&["status", &desk.package("arm64"), "--to", &target, "--json"]).json();
        assert_eq!(names(&some).len(), 5);
        assert_eq!(some["charts"].as_array().expect("charts").len(), 4);
        // There is nothing below another path.
        let other = format!("{}/other", server.target());
        let none = desk.run(&["status", "--to", &other, "--json"]).json();
        assert_eq!(names(&none).len(), 0);
    }
}

#[test]
fn nothing_is_sent_twice() {
    let desk = Desk::new();
    let expected = expected(&desk);
    for kind in [Kind::Debian, Kind::V3] {
        let server = Server::start_with(kind, |_| Fault::Nothing);
        let (amd64, arm64, target) =
            (desk.package("amd64"), desk.package("arm64"), server.target());
        let first = desk.run(&["import", &amd64, &arm64, "--to", &target, "--json"]);
        assert_eq!(first.code, Some(0), "{}", first.err);
        let requests = server.take();
        let mut sent: BTreeMap<String, u64> = BTreeMap::new();
        for request in requests.iter().filter(|r| r.is("PUT", "/blobs/uploads/")) {
            let (_, digest) = request.path.split_once("digest=").expect("a digest");
            let twice = sent.insert(digest.to_owned(), request.length);
            assert_eq!(twice, None, "{kind:?}: {digest} was sent twice");
        }
        // The distinct blobs are those of the layout, without manifests and indexes.
        let folder = desk.path().join("expected/blobs/sha256");
        let mut distinct = BTreeMap::new();
        for item in std::fs::read_dir(folder).expect("blobs") {
            let item = item.expect("an item");
            let content = std::fs::read(item.path()).expect("a blob");
            let digest = format!("sha256%3A{}", item.file_name().to_string_lossy());
            if !content.windows(13).any(|w| w == b"schemaVersion") {
                distinct.insert(digest, content.len() as u64);
            }
        }
        assert_eq!(sent, distinct, "{kind:?}");
        assert_eq!(first.json()["bytes_sent"], distinct.values().sum::<u64>());
        let mounts = requests.iter().filter(|r| r.is("POST", "mount=")).count();
        assert_eq!(first.json()["blobs_mounted"], mounts, "{kind:?}");
        assert!(mounts > 0, "{kind:?}: the shared base layer is mounted");
        assert!(requests.iter().all(|r| !r.is("PATCH", "")), "{kind:?}");

        // A second import writes nothing, and asks for no blob: one GET for each tag, and one HEAD for each
        // platform of it.
        let again = desk.run(&["import", &arm64, &amd64, "--to", &target, "--json"]);
        assert_eq!(again.code, Some(0), "{}", again.err);
        let requests = server.take();
        let count =
            |method: &str, path: &str| requests.iter().filter(|r| r.is(method, path)).count();
        let images = again.json()["images"].as_array().expect("images").clone();
        let listed =
            images.iter().map(|image| image["platforms"].as_array().expect("a list").len());
        let listed: usize = listed.filter(|platforms| *platforms > 1).sum();
        assert_eq!(count("GET", "/manifests/"), expected.len(), "{kind:?}");
        assert_eq!(count("HEAD", "/manifests/sha256:"), listed, "{kind:?}");
        for request in requests {
            let harmless = ["GET", "HEAD"].contains(&request.method.as_str());
            let harmless = harmless && !request.path.contains("/blobs/");
            assert!(harmless, "{kind:?}: {} {}", request.method, request.path);
        }
        assert_eq!(found(&server, expected.keys().cloned()), expected);
    }
}

/// A base layer is mounted and not sent if another repository has it from an earlier import.
#[test]
fn a_layer_of_an_unchanged_image_is_mounted() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let (old, new) = (Image::new("amd64", "old"), Image::new("amd64", "new"));
    let one = desk.write("one.tar", images_tar(&[("q.io/old:1", &old)]));
    let two = desk.write("two.tar", images_tar(&[("q.io/old:1", &old), ("q.io/new:1", &new)]));
    assert_eq!(desk.run(&["import", &one, "--to", &server.target()]).code, Some(0));
    let report = desk.run(&["import", &two, "--to", &server.target(), "--json"]).json();
    assert_eq!((&report["blobs_sent"], &report["blobs_mounted"]), (&2.into(), &1.into()));
}

#[test]
fn two_writers_at_once_lose_nothing() {
    let desk = Desk::new();
    let expected = expected(&desk);
    for kind in [Kind::Debian, Kind::V3] {
        for _ in 0..3 {
            let server = Server::start(kind);
            let children: Vec<_> = ["amd64", "arm64"]
                .into_iter()
                .map(|architecture| {
                    multiarch()
                        .args(["import", "-q", &desk.package(architecture), "--to"])
                        .arg(server.target())
                        .stdout(Stdio::null())
                        .spawn()
                        .expect("runs")
                })
                .collect();
            for mut child in children {
                assert_eq!(child.wait().expect("ends").code(), Some(0));
            }
            assert_eq!(found(&server, expected.keys().cloned()), expected, "{kind:?}");
        }
    }
}
