//! Every form of package is read, and gives the images that the generator put in.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    sync::Arc,
};

use multiarch_core::{ImageStore, Meter, OpenOptions, Package};
use multiarch_generator::{
    Bundle, Entry, Image, Layer, demo_package, gzip, images_tar, sha256, tar, zstd,
};

use crate::runs::{Folder, import, memory, names, open, pair, store};

fn bundle(image: &Image) -> Bundle {
    Bundle::simple("web", "1.0.0", &[("app", "quay.io", "demo/web", "v1", image)])
}

#[test]
fn any_compression_and_nesting() {
    let folder = Folder::new();
    let image = Image::new("arm64", "web");
    let bundle = bundle(&image).tar();
    let expected = vec![pair("demo/web:v1", &image)];
    let package = tar(&[
        Entry::file("./readme.txt", "foreign"),
        Entry::file("./a/b/web_1.0.0.bundle.tar", bundle.clone()),
        Entry::file("./other.tar.gz", gzip(&tar(&[Entry::file("x", "foreign")]))),
    ]);
    let (first, second) = package.split_at(3000);
    let members = [gzip(first), gzip(second)].concat();
    for (name, content) in [
        ("addon-offline-full-package-v1-arm64.tar.gz", gzip(&package)),
        ("standard-addon-offline-package-v0.18.0-arm64.tar.zst", zstd(&package)),
        ("gpu-addon-offline-package-v0.18.0-arm64.tar.gz", zstd(&package)),
        ("noname", package.clone()),
        ("two-members.tgz", members),
        ("small-member.tgz", [gzip(b""), gzip(&package[..300]), gzip(&package[300..])].concat()),
        ("with-padding.tar.gz", [gzip(&package), vec![0; 512]].concat()),
        ("zstd-frames.tar.zst", [zstd(first), zstd(second)].concat()),
        ("web_1.0.0.bundle.tar", bundle.clone()),
        ("web-1.0.0.bundle.tar", bundle.clone()),
        ("hand-named.tar", bundle.clone()),
        ("nested.tar.gz", gzip(&tar(&[Entry::file("in/ner.tgz", gzip(&package))]))),
        ("zstd-in-gzip", gzip(&tar(&[Entry::file("deep/er", zstd(&package))]))),
    ] {
        let path = folder.write(name, content);
        assert_eq!(names(&path), expected, "{name}");
    }
}

#[test]
fn a_directory() {
    let folder = Folder::new();
    let (web, db) = (Image::new("amd64", "web"), Image::new("amd64", "db"));
    folder.write("pkg/addon/web_1.0.0.bundle.tar", bundle(&web).tar());
    folder.write("pkg/notes.txt", "foreign");
    // A bundle that was unpacked by hand.
    let db_bundle = Bundle::simple("db", "2.0", &[("d", "quay.io", "demo/db", "v2", &db)]);
    for entry in db_bundle.entries() {
        if let Entry::File(path, content) = entry {
            folder.write(&format!("pkg/unpacked/{path}"), content);
        }
    }
    let path = folder.path().join("pkg");
    std::os::unix::fs::symlink("/etc/passwd", path.join("link")).expect("linked");
    let package = open(&path);
    assert!(package.problems().is_empty(), "a foreign link is ignored");
    let report = import(&[package], &memory());
    let digests: Vec<_> =
        report.images.iter().map(|i| i.after.as_ref().map(ToString::to_string)).collect();
    assert_eq!(digests, [Some(db.digest()), Some(web.digest())]);
}

#[test]
fn docker_archives_of_other_tools() {
    let folder = Folder::new();
    let image = Image::new("amd64", "web");
    let path = folder.write("saved.tar", images_tar(&[("quay.io/demo/web:v1", &image)]));
    assert_eq!(names(&path), [pair("demo/web:v1", &image)]);

    // An old `docker save`: <id>/layer.tar, uncompressed, with a link for a layer written before.
    let layer = Layer::plain("x", "content");
    let plain = Image::of("amd64", "", vec![layer.clone(), layer.clone()]);
    let config = format!("{}.json", plain.config_digest());
    let list = format!(
        r#"[{{"Config":"{config}","RepoTags":["nginx:1.2","quay.io/also:1"],"Layers":["a/layer.tar","b/layer.tar"]}}]"#
    );
    let archive = tar(&[
        Entry::file("a/layer.tar", layer.blob.clone()),
        Entry::Link("b/layer.tar".into(), "../a/layer.tar".into()),
        Entry::file(&config, plain.config.clone()),
        Entry::file("manifest.json", list),
        Entry::file("repositories", "{}"),
    ]);
    let path = folder.write("old.tar", archive);
    let found = names(&path);
    assert_eq!(found[0].0, "also:1");
    assert_eq!(found[1].0, "library/nginx:1.2");
    // Uncompressed layers give an OCI manifest with their true media type.
    let (target, store) = store();
    let report = import(&[open(&path)], &target);
    let document = store.get_tag(&report.images[0].name).expect("read").expect("there");
    let manifest: serde_json::Value = serde_json::from_slice(document.raw()).expect("JSON");
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar");
    assert_eq!(manifest["layers"][0]["digest"], format!("sha256:{}", layer.diff_id));
}

#[test]
fn compressed_layers_under_their_diff_id_are_hashed() {
    let folder = Folder::new();
    let image = Image::of("amd64", "", vec![Layer::gzip("x", "content")]);
    let layer = format!("{}.tar", image.layers[0].diff_id);
    let config = format!("{}.json", image.config_digest());
    let list = format!(r#"[{{"Config":"{config}","RepoTags":["q.io/a:1"],"Layers":["{layer}"]}}]"#);
    let archive = tar(&[
        Entry::file(&layer, image.layers[0].blob.clone()),
        Entry::file(&config, image.config.clone()),
        Entry::file("manifest.json", list),
    ]);
    let path = folder.write("podman.tar", archive);
    assert_eq!(names(&path), [pair("a:1", &image)]);
}

#[test]
fn zstd_layers_get_their_true_type() {
    let folder = Folder::new();
    let layers = vec![Layer::gzip("base", "base"), Layer::zstd("x", "content")];
    let image = Image::of("arm64", "v8", layers);
    let path = folder.write("z.tar", images_tar(&[("quay.io/demo/z:1", &image)]));
    let (target, store) = store();
    let report = import(&[open(&path)], &target);
    assert!(report.complete);
    let document = store.get_tag(&report.images[0].name).expect("read").expect("there");
    let manifest: serde_json::Value = serde_json::from_slice(document.raw()).expect("JSON");
    let types: Vec<_> = manifest["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|l| l["mediaType"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            Some("application/vnd.oci.image.layer.v1.tar+gzip"),
            Some("application/vnd.oci.image.layer.v1.tar+zstd")
        ]
    );
}

/// An OCI layout with an index of two platforms and an attestation.
fn layout_files(images: &[&Image]) -> Vec<Entry> {
    let mut entries = vec![Entry::file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)];
    let mut blob = |content: Vec<u8>| {
        let digest = sha256(&content);
        entries.push(Entry::file(format!("blobs/sha256/{digest}"), content));
        digest
    };
    let mut listed = Vec::new();
    for image in images {
        blob(image.config.clone());
        for layer in &image.layers {
            blob(layer.blob.clone());
        }
        let manifest = image.manifest().into_bytes();
        let config: serde_json::Value = serde_json::from_slice(&image.config).expect("JSON");
        listed.push(serde_json::json!({
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "size": manifest.len(),
            "digest": format!("sha256:{}", blob(manifest)),
            "platform": {"architecture": config["architecture"], "os": "linux"},
        }));
    }
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": listed,
        "annotations": {"kept": "yes"},
    });
    let index = index.to_string().into_bytes();
    let size = index.len();
    let digest = blob(index);
    let top = serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": format!("sha256:{digest}"), "size": size,
            "annotations": {"org.opencontainers.image.ref.name": "ghcr.io/demo/multi:v3"},
        }],
    });
    entries.push(Entry::file("index.json", top.to_string()));
    entries
}

#[test]
fn oci_layouts() {
    let folder = Folder::new();
    let (amd64, arm64) = (Image::new("amd64", "multi"), Image::new("arm64", "multi"));
    let entries = layout_files(&[&amd64, &arm64]);
    let index = entries
        .iter()
        .filter_map(|e| match e {
            Entry::File(path, content)
                if path.starts_with("blobs")
                    && content.starts_with(
                        b"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index",
                    ) =>
            {
                Some(sha256(content))
            }
            _ => None,
        })
        .next()
        .expect("an index");
    let expected = vec![("demo/multi:v3".to_owned(), format!("sha256:{index}"))];
    assert_eq!(names(&folder.write("layout.tar", tar(&entries))), expected);
    let below: Vec<Entry> = entries
        .iter()
        .map(|entry| match entry {
            Entry::File(path, content) => {
                folder.write(&format!("dir/offline-images/{path}"), content);
                Entry::file(format!("images/offline-images/{path}"), content.clone())
            }
            other => other.clone(),
        })
        .collect();
    assert_eq!(names(&folder.path().join("dir")), expected);
    // As kubean packs it: a layout in a tar.gz in a tar.gz.
    let inner = gzip(&tar(&below));
    let outer = gzip(&tar(&[
        Entry::file("images/import_images.sh", "#!/bin/bash"),
        Entry::file("images/offline-images.tar.gz", inner),
    ]));
    assert_eq!(names(&folder.write("images-arm64-v0.37.0.tar.gz", outer)), expected);

    // A layout that has one platform of two: that one is imported, as a plain manifest.
    let arm_manifest = sha256(arm64.manifest().as_bytes());
    let sparse: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| !matches!(entry, Entry::File(path, _) if path.ends_with(&arm_manifest)))
        .collect();
    let package = open(&folder.write("sparse.tar", tar(&sparse)));
    assert_eq!(package.findings().len(), 1);
    let report = import(&[package], &memory());
    assert_eq!(report.images[0].after.as_ref().map(ToString::to_string), Some(amd64.digest()));
}

#[test]
fn odd_bundles() {
    let folder = Folder::new();
    let image = Image::new("amd64", "web");
    let empty = Image::of("amd64", "", vec![]);

    // An image without layers; two references with one config, which the archive then has twice; an
    // image that no hint refers to.
    let mut bundle = bundle(&image);
    bundle.images = Some(images_tar(&[
        ("quay.io/demo/web:v1", &image),
        ("quay.io/demo/same:v1", &image),
        ("busybox:1", &empty),
    ]));
    bundle.files.push(("files/中文.txt".into(), "x".into()));
    bundle.files.push((format!("templates/{}.yaml", "long-name".repeat(20)), "x".into()));
    let path = folder.write("web_1.0.0.bundle.tar", bundle.tar());
    assert_eq!(
        names(&path),
        [
            pair("demo/same:v1", &image),
            pair("demo/web:v1", &image),
            pair("library/busybox:1", &empty)
        ]
    );

    // Without images.tar, with and without hints.
    for hints in ["", "- \"{{ .app.registry }}/{{ .app.repository }}:{{ .app.tag }}\""] {
        let skipped = Bundle { images: None, hints: hints.into(), ..bundle.clone() };
        let path = folder.write("skipped.tar", skipped.tar());
        let report = import(&[open(&path)], &memory());
        assert!(report.complete && report.images.is_empty());
        assert_eq!(report.charts[0].chart.as_deref(), Some("web-1.0.0"));
    }

    // A reference by digest: RepoTags is null, and the image gets a `pinned-…` tag.
    let pinned = Bundle {
        hints: "- \"{{ .image }}\"".into(),
        values: format!("image: gcr.io/k/m@sha256:{}\n", "5b".repeat(32)),
        images: Some(images_tar(&[("", &image)])),
        ..bundle.clone()
    };
    let path = folder.write("pinned.tar", pinned.tar());
    assert_eq!(names(&path), [pair("k/m:pinned-5b5b5b5b5b5b", &image)]);

    // Foreign layers keep their descriptor and are not uploaded.
    let foreign = serde_json::json!([{
        "Config": format!("sha256:{}", image.config_digest()),
        "RepoTags": ["quay.io/demo/web:v1"],
        "Layers": [format!("{}.tar.gz", image.layers[0].digest()), "foreign.tar.gz"],
        "LayerSources": {format!("sha256:{}", image.layers[1].diff_id): {
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "size": image.layers[1].blob.len(),
            "digest": format!("sha256:{}", image.layers[1].digest()),
            "urls": ["https://example.com/layer"],
        }},
    }]);
    let archive = tar(&[
        Entry::file(format!("sha256:{}", image.config_digest()), image.config.clone()),
        Entry::file(format!("{}.tar.gz", image.layers[0].digest()), image.layers[0].blob.clone()),
        Entry::file("manifest.json", foreign.to_string()),
    ]);
    let path = folder.write("foreign.tar", archive);
    let (target, store) = store();
    let report = import(&[open(&path)], &target);
    assert!(report.complete && report.blobs_sent == 2);
    let document = store.get_tag(&report.images[0].name).expect("read").expect("there");
    let text = String::from_utf8(document.raw().to_vec()).expect("text");
    let media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    assert!(text.contains(media_type) && text.contains("\"https://example.com/layer\""), "{text}");
}

/// An `images.tar` of more than 8 GiB needs a PAX size. The 9 GiB in a plain tar are skipped, not read.
#[test]
fn more_than_eight_gib() {
    const BIG: u64 = 9 << 30;
    let folder = Folder::new();
    let path = folder.path().join("big_1.0.0.bundle.tar");
    let mut file = File::create(&path).expect("created");
    let image = Image::new("amd64", "big");
    let bundle = Bundle::simple("big", "1.0.0", &[("app", "quay.io", "demo/big", "v1", &image)]);
    let mut head = Bundle { images: None, ..bundle.clone() }.tar();
    head.truncate(head.len() - 1024);
    // A sparse foreign file of 9 GiB in images.tar, before the images.
    let rest = bundle.images.expect("images");
    let block = |name: &str, size: u64| {
        let mut header = tar_header(name, size);
        header.set_cksum();
        header
    };
    let inner_size = 512 + BIG + rest.len() as u64;
    let mut at = 0;
    let mut put = |content: &[u8], skip: u64| {
        file.seek(SeekFrom::Start(at)).expect("sought");
        file.write_all(content).expect("written");
        at += content.len() as u64 + skip;
    };
    put(&head, 0);
    let record = format!("20 size={inner_size}\n");
    let record = format!("{} size={inner_size}\n", record.len());
    let mut pax = tar_header("PaxHeaders.0/images.tar", record.len() as u64);
    pax.set_entry_type(tar::EntryType::XHeader);
    pax.set_cksum();
    put(pax.as_bytes(), 0);
    let mut padded = record.into_bytes();
    padded.resize(512, 0);
    put(&padded, 0);
    put(block("images.tar", 0).as_bytes(), 0);
    put(block("nothing", BIG).as_bytes(), BIG);
    put(&rest, 0);
    put(&[0; 1024], 0);
    assert_eq!(names(&path), [pair("demo/big:v1", &image)]);
}

fn tar_header(name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("short");
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// The second time, the package's index is taken from the cache: it has the same content, and no byte of
/// the package is read. Another file under the same name is read again.
#[test]
fn a_cached_index_saves_reading_the_package() {
    let folder = Folder::new();
    let path = folder.write("a-amd64.tar.gz", demo_package("amd64"));
    let open = || {
        let meter = Meter::new();
        let options = OpenOptions::new().cache(folder.path().join("cache")).meter(&meter);
        let package = options.open(&path).expect("a package");
        let said = serde_json::to_string(&package.inspect()).expect("JSON");
        (meter.progress().bytes_total, said, package)
    };
    let (first, second) = (open(), open());
    assert_eq!((first.0, second.0), (std::fs::metadata(&path).expect("there").len(), 0));
    assert_eq!(first.1, second.1);
    let names = |package| import(&[Arc::new(package)], &memory()).images.len();
    assert_eq!(names(first.2), names(second.2));
    std::fs::write(&path, demo_package("arm64")).expect("written");
    assert!(open().0 > 0);
}

#[test]
fn bytes_in_memory_are_a_package_too() {
    let folder = Folder::new();
    let bytes = demo_package("arm64");
    let path = folder.write("a-arm64.tar.gz", &bytes);
    let memory_package =
        Package::from_reader("a-arm64.tar.gz", std::io::Cursor::new(bytes)).expect("a package");
    let (first, second) = (memory(), memory());
    let of_file = import(&[open(&path)], &first);
    let of_memory = import(&[Arc::new(memory_package)], &second);
    let digests = |report: &multiarch_core::Report| -> Vec<_> {
        report.images.iter().map(|image| (image.name.clone(), image.after.clone())).collect()
    };
    assert!(of_memory.complete);
    assert_eq!(digests(&of_file), digests(&of_memory));
}
