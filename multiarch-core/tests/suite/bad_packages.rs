//! Broken packages: the error names the broken part, the rest is imported, and no tag or manifest points
//! at something missing.

use multiarch_core::{Error, ErrorKind, Finding, ImageState, Package, Report};
use multiarch_generator::{Bundle, Entry, Image, Layer, gzip, images_tar, tar};

use crate::runs::{Folder, import, into, kinds, memory, open, plan};

const REFERENCE: &str = "quay.io/demo/bad:v1";

/// Imports a package with a good bundle after a bad one into a layout, checks that only the good image
/// has a tag and that it is complete, and returns the report.
fn import_beside_good(name: &str, bad: Vec<u8>) -> Report {
    let folder = Folder::new();
    let good = Image::new("amd64", "good");
    let good_bundle =
        Bundle::simple("good", "1.0.0", &[("g", "quay.io", "demo/good", "v1", &good)]);
    let package = tar(&[
        Entry::file("addon/bad_1.0.0.bundle.tar", bad),
        Entry::file("addon/good_1.0.0.bundle.tar", good_bundle.tar()),
    ]);
    let path = folder.write("addon-offline-full-package-v1.0.0-amd64.tar.gz", gzip(&package));
    let target = folder.layout("store");
    let report = import(&[open(&path)], &target);
    assert!(!report.complete, "{name}");
    let status = into(&[], &target).status().expect("readable");
    let tags: Vec<_> = status.tags.iter().map(|tag| tag.name.to_string()).collect();
    assert_eq!(tags, ["demo/good:v1"], "{name}");
    assert!(status.tags.iter().all(|tag| tag.error.is_none()), "{name}");
    report
}

fn bundle(images: Vec<u8>) -> Bundle {
    let image = Image::new("amd64", "bad");
    let bundle = Bundle::simple("bad", "1.0.0", &[("b", "quay.io", "demo/bad", "v1", &image)]);
    Bundle { images: Some(images), ..bundle }
}

fn archive(files: &[Entry], list: &str) -> Vec<u8> {
    let mut entries = files.to_vec();
    entries.push(Entry::file("manifest.json", list));
    tar(&entries)
}

fn list(config: &str, layers: &[&str]) -> String {
    serde_json::json!([{"Config": config, "RepoTags": [REFERENCE], "Layers": layers}]).to_string()
}

#[test]
fn broken_bundles() {
    let image = Image::of("amd64", "", vec![Layer::gzip("x", "content")]);
    let config = format!("sha256:{}", image.config_digest());
    let layer = format!("{}.tar.gz", image.layers[0].digest());
    let config_file = Entry::file(&config, image.config.clone());
    let layer_file = Entry::file(&layer, image.layers[0].blob.clone());
    let whole = archive(&[config_file.clone(), layer_file.clone()], &list(&config, &[&layer]));
    let other_layer = Entry::file(&layer, Layer::gzip("x", "other").blob);
    let no_json =
        Entry::file(format!("sha256:{}", multiarch_generator::sha256(b"no json")), "no json");
    let no_json_name = format!("sha256:{}", multiarch_generator::sha256(b"no json"));
    let huge = format!("{{\"x\":\"{}\"}}", "a".repeat(9 << 20));
    let huge_name = format!("sha256:{}", multiarch_generator::sha256(huge.as_bytes()));
    let mut no_chart = bundle(whole.clone()).entries();
    no_chart.retain(|entry| !matches!(entry, Entry::File(path, _) if path.ends_with("Chart.yaml")));

    for (name, bad, kind, image_known) in [
        (
            "wrong layer digest",
            bundle(archive(&[config_file.clone(), other_layer], &list(&config, &[&layer]))).tar(),
            ErrorKind::DigestMismatch,
            true,
        ),
        (
            "missing layer",
            bundle(archive(std::slice::from_ref(&config_file), &list(&config, &[&layer]))).tar(),
            ErrorKind::Missing,
            true,
        ),
        (
            "missing config",
            bundle(archive(std::slice::from_ref(&layer_file), &list(&config, &[&layer]))).tar(),
            ErrorKind::Missing,
            true,
        ),
        (
            "missing manifest.json",
            bundle(tar(&[config_file.clone(), layer_file.clone()])).tar(),
            ErrorKind::Missing,
            false,
        ),
        (
            "broken manifest.json",
            bundle(archive(std::slice::from_ref(&config_file), "[{")).tar(),
            ErrorKind::Malformed,
            false,
        ),
        (
            "manifest.json of another kind",
            bundle(archive(std::slice::from_ref(&config_file), "{\"a\":1}")).tar(),
            ErrorKind::Malformed,
            false,
        ),
        (
            "config that is no JSON",
            bundle(archive(&[no_json], &list(&no_json_name, &[]))).tar(),
            ErrorKind::Malformed,
            true,
        ),
        (
            "config of another digest",
            bundle(archive(&[Entry::file(&config, "{}")], &list(&config, &[]))).tar(),
            ErrorKind::DigestMismatch,
            true,
        ),
        (
            "oversized config",
            bundle(archive(&[Entry::file(&huge_name, huge.clone())], &list(&huge_name, &[]))).tar(),
            ErrorKind::TooLarge,
            true,
        ),
        (
            "fewer layers than diff IDs",
            bundle(archive(std::slice::from_ref(&config_file), &list(&config, &[]))).tar(),
            ErrorKind::Malformed,
            true,
        ),
        (
            "path outside",
            bundle(archive(
                std::slice::from_ref(&config_file),
                &list(&config, &["../../etc/passwd"]),
            ))
            .tar(),
            ErrorKind::UnsafePath,
            true,
        ),
        (
            "absolute path",
            bundle(archive(std::slice::from_ref(&config_file), &list("/etc/passwd", &[]))).tar(),
            ErrorKind::UnsafePath,
            true,
        ),
        (
            "entry outside",
            bundle(archive(
                &[Entry::file("../evil", "x"), config_file.clone(), layer_file.clone()],
                &list(&config, &[&layer]),
            ))
            .tar(),
            ErrorKind::UnsafePath,
            false,
        ),
        (
            "absolute entry",
            bundle(archive(
                &[Entry::file("/evil", "x"), config_file.clone(), layer_file.clone()],
                &list(&config, &[&layer]),
            ))
            .tar(),
            ErrorKind::UnsafePath,
            false,
        ),
        (
            "link outside",
            bundle(archive(
                &[config_file.clone(), Entry::Link(layer.clone(), "../../../etc/passwd".into())],
                &list(&config, &[&layer]),
            ))
            .tar(),
            ErrorKind::UnsafePath,
            true,
        ),
        (
            "link to itself",
            bundle(archive(
                &[config_file.clone(), Entry::Link(layer.clone(), layer.clone())],
                &list(&config, &[&layer]),
            ))
            .tar(),
            ErrorKind::UnsafePath,
            true,
        ),
        (
            "one path twice",
            bundle(archive(
                &[Entry::file(&config, "{}"), config_file.clone(), layer_file.clone()],
                &list(&config, &[&layer]),
            ))
            .tar(),
            ErrorKind::Malformed,
            false,
        ),
        (
            "images.tar is no tar",
            bundle(b"something else, long enough to be looked at".repeat(20)).tar(),
            ErrorKind::Malformed,
            false,
        ),
        (
            "images.tar ends early",
            bundle(whole[..1024].to_vec()).tar(),
            ErrorKind::Truncated,
            false,
        ),
        ("no chart", tar(&no_chart), ErrorKind::Missing, false),
        ("nothing of a bundle", tar(&[Entry::file("x", "y")]), ErrorKind::Malformed, false),
        (
            "hint without a value",
            Bundle { values: "b: {registry: quay.io}\n".into(), ..bundle(whole.clone()) }.tar(),
            ErrorKind::Hint,
            false,
        ),
        (
            "hint without an image",
            Bundle {
                values: "b: {registry: quay.io, repository: o, tag: t}\n".into(),
                ..bundle(whole.clone())
            }
            .tar(),
            ErrorKind::Missing,
            true,
        ),
        (
            "values that are no YAML",
            Bundle { values: "a: [".into(), ..bundle(whole.clone()) }.tar(),
            ErrorKind::Malformed,
            false,
        ),
        (
            "no hint file's shape",
            Bundle { hints: "a: b".into(), ..bundle(whole.clone()) }.tar(),
            ErrorKind::Malformed,
            false,
        ),
    ] {
        let report = import_beside_good(name, bad);
        assert!(
            kinds(&report).contains(&kind),
            "{name}: {:?}",
            report.errors().collect::<Vec<_>>()
        );
        let error = report.errors().find(|e| e.kind() == kind).expect("checked");
        assert!(error.package().is_some(), "{name}: {error}");
        assert!(
            error.bundle() == Some("addon/bad_1.0.0.bundle.tar") || error.digest().is_some(),
            "{name}: {error}"
        );
        assert_eq!(error.image().is_some(), image_known, "{name}: {error}");
    }
}

/// A package that is cut anywhere: the bundles before the cut are imported, and the cut is an error.
#[test]
fn cut_anywhere() {
    let folder = Folder::new();
    let (first, second) = (Image::new("amd64", "first"), Image::new("amd64", "second"));
    let package = tar(&[
        Entry::file(
            "a/first_1.bundle.tar",
            Bundle::simple("first", "1", &[("a", "q.io", "first", "v1", &first)]).tar(),
        ),
        Entry::file(
            "a/second_1.bundle.tar",
            Bundle::simple("second", "1", &[("a", "q.io", "second", "v1", &second)]).tar(),
        ),
    ]);
    let half = package.len() / 2;
    let packed = gzip(&package);
    for (name, content, whole_first) in [
        ("cut.tar", package[..half + 2000].to_vec(), true),
        ("early.tar", package[..3000].to_vec(), false),
        ("cut.tar.gz", packed[..packed.len() - 200].to_vec(), true),
        ("trailer.tar.gz", packed[..packed.len() - 4].to_vec(), true),
        ("early.tar.gz", packed[..300].to_vec(), false),
    ] {
        let path = folder.write(name, content);
        match Package::open(&path) {
            Ok(package) => {
                let report = import(&[package.into()], &memory());
                assert!(!report.complete, "{name}");
                let cut = |e: &Error| e.kind() == ErrorKind::Truncated && e.package().is_some();
                assert!(
                    report.errors().any(cut),
                    "{name}: {:?}",
                    report.errors().collect::<Vec<_>>()
                );
                let there = report.images.iter().any(|i| i.name.to_string() == "first:v1");
                assert_eq!(there, whole_first, "{name}");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Truncated, "{name}: {error}");
                assert!(!whole_first, "{name}");
            }
        }
    }
    // Damage in the middle of the compressed data.
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    for byte in &mut damaged[middle..middle + 40] {
        *byte ^= 0x5a;
    }
    let path = folder.write("damaged.tar.gz", damaged);
    let complete = Package::open(&path).map(|p| import(&[p.into()], &memory()).complete);
    assert!(!complete.unwrap_or(false));
}

#[test]
fn other_files_are_not_packages() {
    let folder = Folder::new();
    let empty_dir = folder.path().join("empty-dir");
    std::fs::create_dir(&empty_dir).expect("created");
    for (path, kind) in [
        (folder.write("empty.tar.gz", b""), ErrorKind::NotAPackage),
        (folder.write("text.tar.gz", b"hello"), ErrorKind::NotAPackage),
        (folder.write("gzip-of-text.gz", gzip(b"hello")), ErrorKind::NotAPackage),
        (folder.write("empty.tar", tar(&[])), ErrorKind::NotAPackage),
        (folder.write("foreign.tar", tar(&[Entry::file("x", "y")])), ErrorKind::NotAPackage),
        (empty_dir, ErrorKind::NotAPackage),
        (folder.path().join("absent"), ErrorKind::Io),
    ] {
        let error = Package::open(&path).expect_err("no package");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.package(), Some(&*path.display().to_string()));
    }
}

#[test]
fn bombs_are_refused() {
    let folder = Folder::new();
    // Archives nested too deep.
    let image = Image::new("amd64", "deep");
    let mut deep = Bundle::simple("deep", "1", &[("a", "q.io", "deep", "v1", &image)]).tar();
    for i in 0..12 {
        deep = tar(&[Entry::file(format!("level-{i}.tar"), deep)]);
    }
    let error = Package::open(folder.write("deep.tar", deep)).expect_err("too deep");
    assert_eq!(error.kind(), ErrorKind::TooLarge);

    // A name whose header promises 1 GiB: the reader must not keep that in memory.
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").expect("short");
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 30);
    header.set_cksum();
    let mut bomb = header.as_bytes().to_vec();
    bomb.resize(8 << 20, b'a');
    let error = Package::open(folder.write("name.tar.gz", gzip(&bomb))).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);

    // Archives in archives, each of which is fifty times as large as the next; a good bundle stands beside.
    let mut bomb = gzip(&vec![0; 10 << 20]);
    for level in 0..4 {
        let copies: Vec<Entry> =
            (0..50).map(|i| Entry::file(format!("{level}-{i}.tar.gz"), bomb.clone())).collect();
        bomb = gzip(&tar(&copies));
    }
    let bundle = Bundle::simple("good", "1", &[("a", "q.io", "good", "v1", &image)]);
    let entries = [
        Entry::file("bomb.tar.gz", gzip(&tar(&[Entry::file("b.tar.gz", bomb)]))),
        Entry::file(bundle.file_name(), bundle.tar()),
    ];
    let package = Package::open(folder.write("bomb.tar", tar(&entries))).expect("the good bundle");
    assert_eq!(package.bundles().len(), 1);
    let problem = package.problems().iter().find(|error| error.kind() == ErrorKind::TooLarge);
    assert!(problem.is_some(), "{:?}", package.problems());

    // An entry that is larger than the archive.
    let short = tar(&[Entry::Short("x_1.bundle.tar".into(), b"x".to_vec(), 1 << 40)]);
    let error = Package::open(folder.write("short.tar", short)).expect_err("cut");
    assert_eq!(error.kind(), ErrorKind::Truncated);
}

#[test]
fn unnamed_images_count_as_not_imported() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path = folder.write("x.tar", images_tar(&[("", &image), ("q.io/named:1", &image)]));
    let report = import(&[open(&path)], &memory());
    assert_eq!(kinds(&report), [ErrorKind::Unnamed]);
    assert_eq!(report.images.len(), 1);
    assert!(!report.complete);
}

/// A blob that goes bad between reading the package and sending it.
#[test]
fn damage_after_the_plan() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path = folder.write("x.tar", images_tar(&[("q.io/x:1", &image)]));
    let packages = [open(&path)];
    let target = folder.layout("store");
    let plan = plan(&packages, &target);
    let mut content = std::fs::read(&path).expect("read");
    let layer = &image.layers[1].blob;
    let at = content.windows(layer.len()).position(|w| w == layer.as_slice()).expect("there");
    content[at + 20] ^= 1;
    std::fs::write(&path, content).expect("written");
    let report = plan.apply();
    assert_eq!(report.images[0].state, ImageState::Failed);
    assert_eq!(kinds(&report), [ErrorKind::DigestMismatch]);
    let index = std::fs::read(folder.path().join("store/index.json"));
    let tags = index.map(|text| {
        let index: serde_json::Value = serde_json::from_slice(&text).expect("an index");
        index["manifests"].as_array().map_or(0, Vec::len)
    });
    assert_eq!(tags.unwrap_or(0), 0);
}

/// A path of 100 000 components must cost time in proportion to its length, not to its square.
#[test]
fn long_paths_are_refused() {
    let folder = Folder::new();
    let long = format!("{}x", "a/".repeat(100_000));
    let package = tar(&[Entry::file(long, "x"), Entry::file("y", "z")]);
    let path = folder.write("long.tar.gz", gzip(&package));
    let error = Package::open(&path).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::UnsafePath);
}

/// A missing end is noticed even where only the end mark of the archive is missing.
#[test]
fn a_missing_end_and_a_second_archive_are_errors() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let bundle = |name: &str| {
        let repository = format!("demo/{name}");
        Bundle::simple(name, "1", &[("a", "q.io", &repository, "v1", &image)]).tar()
    };
    let first = tar(&[Entry::file("first_1.bundle.tar", bundle("first"))]);
    let second = tar(&[Entry::file("second_1.bundle.tar", bundle("second"))]);
    for (name, content, kind) in [
        ("cut.tar", first[..first.len() - 1024].to_vec(), ErrorKind::Truncated),
        ("cut.tar.gz", gzip(&first[..first.len() - 1024]), ErrorKind::Truncated),
        ("joined.tar.gz", [gzip(&first), gzip(&second)].concat(), ErrorKind::Malformed),
    ] {
        let report = import(&[open(&folder.write(name, content))], &memory());
        assert_eq!(kinds(&report), [kind], "{name}");
        assert_eq!(report.images.len(), 1, "{name}: what is there is imported");
    }
}

/// A `manifest.json` that is not a docker-archive's list is ignored.
#[test]
fn foreign_manifest_json_is_ignored() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let bundle = Bundle::simple("x", "1", &[("a", "q.io", "demo/x", "v1", &image)]);
    let package = tar(&[
        Entry::file("manifest.json", "{\"kind\":\"something else\"}"),
        Entry::file("dump.sql.zst", multiarch_generator::zstd(&[7; 300_000])),
        Entry::file("x_1.bundle.tar", bundle.tar()),
    ]);
    assert!(import(&[open(&folder.write("p.tar", package))], &memory()).complete);
}

/// Archives that are packed in other ways may hold images, so they are named.
#[test]
fn archives_that_are_not_read_are_named() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let bundle = Bundle::simple("good", "1", &[("a", "q.io", "good", "v1", &image)]);
    let package = tar(&[
        Entry::file(bundle.file_name(), bundle.tar()),
        Entry::file("more/images.tar.xz", b"\xfd7zXZ\0".to_vec()),
    ]);
    let package = Package::open(folder.write("p.tar", package)).expect("a package");
    let named = package.findings().iter().any(
        |finding| matches!(finding, Finding::NotUsed { what, .. } if what == "more/images.tar.xz"),
    );
    assert!(named, "{:?}", package.findings());
}
