//! `import-artifact`: the images of the installer's base package.

use multiarch_generator::{Entry, Image, Layout, annotated, gzip, tar};

use crate::desk::{Desk, Run, tags};

/// A base package: an OCI layout in gzip, files, and packages of the operating system.
fn base_package(desk: &Desk, architecture: &str) -> String {
    let mut layout = Layout::new();
    for name in ["quay.io/x/a:1", "ghcr.io/y/b:2"] {
        let image = layout.image(&Image::new(architecture, name));
        layout = layout.top(annotated(image, "org.opencontainers.image.ref.name", name));
    }
    let files = layout.files().into_iter();
    let mut files: Vec<Entry> = files
        .map(|(path, content)| Entry::file(format!("offline-images/{path}"), content))
        .collect();
    files.push(Entry::file("offline-images/images.list", "quay.io/x/a:1\nghcr.io/y/b:2\n"));
    // Unpacked for one architecture, as an archive for the other.
    let mut entries = if architecture == "arm64" {
        files
    } else {
        vec![Entry::file("offline/images/offline-images.tar.gz", gzip(&tar(&files)))]
    };
    entries.extend([
        Entry::file("offline/images/import_images.sh", "#!/bin/sh\n"),
        Entry::file("offline/files/files.tar.gz", gzip(&tar(&[Entry::file("kubeadm", "x")]))),
        Entry::file(
            "offline/os-pkgs/os-pkgs-kylin.tar.gz",
            gzip(&tar(&[Entry::file("a.rpm", "x")])),
        ),
    ]);
    let package = tar(&entries);
    desk.write(&format!("offline-v0.44.0-{architecture}.tar"), package)
}

#[test]
fn the_images_of_a_base_package_are_fused() {
    let desk = Desk::new();
    let run = |architecture: &str, more: &[&str]| -> Run {
        let path = base_package(&desk, architecture);
        let target = desk.target();
        let words = ["import-artifact", "-q", "--offline-path", &path, "--to", &target];
        desk.run(&[&words[..], more].concat())
    };
    let first = run("amd64", &["--iso-path", "kylin.iso"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    for what in ["offline/files", "offline/os-pkgs", "offline/images/import_images.sh", "kylin.iso"]
    {
        assert!(first.err.contains(what), "{what}: {}", first.err);
    }
    let second = run("arm64", &[]);
    assert_eq!(second.code, Some(0), "{}", second.err);
    let said = second.err.lines().find(|line| line.contains("left alone")).expect("named");
    assert!(!said.contains("offline-images"), "{said}");
    let status = desk.run(&["status", "--to", &desk.target(), "--json"]);
    let both = |tag: &serde_json::Value| tag["platforms"].as_array().map(Vec::len) == Some(2);
    assert!(status.json()["tags"].as_array().expect("tags").iter().all(both), "{}", status.out);
    assert_eq!(Vec::from_iter(tags(&desk.store()).into_keys()), ["x/a:1", "y/b:2"]);
}
