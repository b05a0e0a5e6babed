//! Two images of one import with the same name.

use multiarch_core::{ErrorKind, Finding, ImageStore};
use multiarch_generator::{Bundle, Entry, Image, gzip, images_tar, tar};

use crate::runs::{Folder, import, kinds, memory, open, store};

fn package(bundles: &[Bundle]) -> Vec<u8> {
    let entries: Vec<_> =
        bundles.iter().map(|b| Entry::file(format!("addon/{}", b.file_name()), b.tar())).collect();
    gzip(&tar(&entries))
}

fn bundle(chart: &str, registry: &str, image: &Image) -> Bundle {
    Bundle::simple(chart, "1.0.0", &[("a", registry, "demo/tool", "latest", image)])
}

#[test]
fn the_later_version_of_a_package_wins() {
    let folder = Folder::new();
    let (old, new) = (Image::new("amd64", "old"), Image::new("amd64", "new"));
    let old_path = folder.write(
        "addon-offline-full-package-v0.9.0-amd64.tar.gz",
        package(&[bundle("tool", "quay.io", &old)]),
    );
    let new_path = folder.write(
        "addon-offline-full-package-v0.12.0-amd64.tar.gz",
        package(&[bundle("tool", "quay.io", &new)]),
    );
    for paths in [[&old_path, &new_path], [&new_path, &old_path]] {
        let packages = paths.map(|path| open(path));
        let report = import(&packages, &memory());
        assert!(report.complete);
        let after = report.images[0].after.as_ref().map(ToString::to_string);
        assert_eq!(after, Some(new.digest()));
        assert!(matches!(&report.findings[..], [Finding::Superseded { .. }]));
    }
}

#[test]
fn without_versions_both_charts_are_blocked() {
    let folder = Folder::new();
    let (one, two, fine) =
        (Image::new("amd64", "one"), Image::new("amd64", "two"), Image::new("amd64", "fine"));
    let path = folder.write(
        "addon-offline-full-package-v0.9.0-amd64.tar.gz",
        package(&[
            bundle("one", "quay.io", &one),
            bundle("two", "ghcr.io", &two),
            Bundle::simple("fine", "1.0.0", &[("a", "quay.io", "demo/fine", "1", &fine)]),
        ]),
    );
    let report = import(&[open(&path)], &memory());
    assert_eq!(kinds(&report), [ErrorKind::NameClash, ErrorKind::NameClash]);
    let names: Vec<_> = report.images.iter().map(|image| image.name.to_string()).collect();
    assert_eq!(names, ["demo/fine:1"]);
    let error = report.errors().next().expect("an error").to_string();
    assert!(
        error.contains("quay.io/demo/tool:latest") && error.contains("ghcr.io/demo/tool:latest")
    );
}

#[test]
fn the_same_image_twice_is_no_clash() {
    let folder = Folder::new();
    let image = Image::new("amd64", "one");
    let path = folder.write(
        "p-v1-amd64.tar.gz",
        package(&[bundle("one", "quay.io", &image), bundle("two", "ghcr.io", &image)]),
    );
    let report = import(&[open(&path)], &memory());
    assert!(report.complete);
    assert_eq!((report.images.len(), report.tags_written, report.blobs_sent), (1, 1, 3));
}

#[test]
fn a_mislabelled_image_gives_way() {
    let folder = Folder::new();
    let (right, wrong) = (Image::new("amd64", "right"), Image::new("amd64", "wrong"));
    let amd64 = folder.write("p-amd64.tar.gz", package(&[bundle("tool", "quay.io", &right)]));
    let arm64 = folder.write("p-arm64.tar.gz", package(&[bundle("tool", "quay.io", &wrong)]));
    for paths in [[&amd64, &arm64], [&arm64, &amd64]] {
        let report = import(&paths.map(|path| open(path)), &memory());
        let after = report.images[0].after.as_ref().map(ToString::to_string);
        assert_eq!(after, Some(right.digest()));
    }
}

/// Different references are different images, even if one is mislabelled: neither chart may run the
/// other's image.
#[test]
fn two_references_clash_even_if_one_is_mislabelled() {
    let folder = Folder::new();
    let (right, wrong) = (Image::new("amd64", "right"), Image::new("amd64", "wrong"));
    let amd64 = folder.write("p-v1-amd64.tar.gz", package(&[bundle("one", "docker.io", &right)]));
    let arm64 = folder.write("p-v1-arm64.tar.gz", package(&[bundle("two", "quay.io", &wrong)]));
    let report = import(&[open(&amd64), open(&arm64)], &memory());
    assert_eq!(kinds(&report), [ErrorKind::NameClash, ErrorKind::NameClash]);
    assert!(report.images.is_empty());
}

/// A newer package with one platform replaces that platform alone.
#[test]
fn only_the_clashing_platform_gives_way() {
    let folder = Folder::new();
    let (old, new) = (Image::new("amd64", "old"), Image::new("amd64", "new"));
    let arm64 = Image::new("arm64", "old");
    let first = folder.layout("first-v1.0.0");
    for (name, image) in [("a-amd64.tar", &old), ("a-arm64.tar", &arm64)] {
        let path = folder.write(name, images_tar(&[("quay.io/demo/tool:latest", image)]));
        assert!(import(&[open(&path)], &first).complete);
    }
    let layout = folder.path().join("first-v1.0.0");
    let newer =
        folder.write("p-v1.1.0-amd64.tar", images_tar(&[("docker.io/demo/tool:latest", &new)]));
    for swapped in [false, true] {
        let mut packages = [open(&layout), open(&newer)];
        if swapped {
            packages.reverse();
        }
        let (target, store) = store();
        let report = import(&packages, &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        let document = store.get_tag(&report.images[0].name).expect("read").expect("there");
        let text = String::from_utf8(document.raw().to_vec()).expect("text");
        assert!(text.contains(&new.digest()) && text.contains(&arm64.digest()), "{text}");
        assert!(!text.contains(&old.digest()), "{text}");
    }
}

/// In a directory of packages, each file's name gives its version and architecture.
#[test]
fn a_directory_of_packages() {
    let folder = Folder::new();
    let (old, new) = (Image::new("amd64", "old"), Image::new("amd64", "new"));
    for (version, image) in [("v0.9.0", &old), ("v0.12.0", &new)] {
        let name = format!("all/addon-offline-full-package-{version}-amd64.tar.gz");
        folder.write(&name, package(&[bundle("tool", "quay.io", image)]));
    }
    let report = import(&[open(&folder.path().join("all"))], &memory());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(report.images[0].after.as_ref().map(ToString::to_string), Some(new.digest()));
}

/// A layout that this library wrote keeps its names when it is imported as a package.
#[test]
fn names_of_an_own_layout_stay() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let bundle = Bundle::simple("x", "1", &[("a", "docker.m.daocloud.io", "redis", "7", &image)]);
    let path = folder.write("p.tar.gz", package(&[bundle]));
    assert!(import(&[open(&path)], &folder.layout("store")).complete);
    let report = import(&[open(&folder.path().join("store"))], &memory());
    assert_eq!(report.images[0].name.to_string(), "redis:7");
}
