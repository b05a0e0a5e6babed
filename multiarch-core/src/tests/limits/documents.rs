//! Limits of what a package or a target holds.

use multiarch_generator::{Bundle, Entry, Image, Layout, tar};
use serde_json::json;

use super::{super::runs::Folder, ends_between};
use crate::{
    OpenOptions,
    error::{ErrorKind, Result},
    image::{Compression, Document, ImageConfig, Index, Reference, types},
    package::{Listing, Locator, Member, MemberKind, Package, StreamId, normalise},
    run::Context,
    store::{BlobContent, ImageStore},
};

fn manifest(padding: usize) -> Result<Document> {
    let empty = json!({"digest": format!("sha256:{:064}", 0), "size": 2, "mediaType": "x/y"});
    let text = json!({"schemaVersion": 2, "config": empty, "layers": [], "x": " ".repeat(padding)});
    Document::new(text.to_string().into_bytes(), Some(types::OCI_MANIFEST))
}

#[test]
fn limit_of_manifest() {
    ends_between(manifest((4 << 20) - 500), manifest(4 << 20));
}

#[test]
fn limit_of_config() {
    let config = |padding: usize| {
        let config = json!({"architecture": "arm64", "os": "linux", "x": " ".repeat(padding)});
        ImageConfig::parse(config.to_string().as_bytes())
    };
    ends_between(config((8 << 20) - 500), config(8 << 20));
}

#[test]
fn limit_of_reference() {
    let reference = |length: usize| "a".repeat(length).parse::<Reference>();
    assert!(reference(255).is_ok() && reference(256).is_err());
}

#[test]
fn limit_of_path() {
    assert!(normalise(&"a".repeat(4096)).is_some() && normalise(&"a".repeat(4097)).is_none());
}

fn open(content: &[u8]) -> Result<Package> {
    let folder = Folder::new();
    Package::open(folder.write("p.tar", content))
}

fn first_problem(package: Result<Package>) -> Result<()> {
    let package = package?;
    let all = package.problems().iter();
    let error = all.chain(package.bundles().iter().flat_map(|bundle| bundle.problems())).next();
    error.cloned().map_or(Ok(()), Err)
}

fn bundle() -> Bundle {
    let image = Image::new("amd64", "x");
    Bundle::simple("x", "1.0.0", &[("a", "q.io", "demo/x", "v1", &image)])
}

#[test]
fn limit_of_archive_depth() {
    let nested = |levels: usize| {
        let bundle = tar(&[Entry::file("x_1.0.0.bundle.tar", bundle().tar())]);
        let all = (0..levels).fold(bundle, |inner, _| tar(&[Entry::file("inner.tar", inner)]));
        first_problem(open(&all))
    };
    // The package itself, the bundle and its images.tar are three.
    ends_between(nested(5), nested(6));
}

#[test]
fn limit_of_folder_depth() {
    let nested = |depth: usize| {
        let folder = Folder::new();
        folder.write("x_1.0.0.bundle.tar", bundle().tar());
        folder.write(&format!("{}file", "d/".repeat(depth)), "x");
        first_problem(Package::open(folder.path()))
    };
    ends_between(nested(64), nested(65));
    let in_archive = |depth: usize| {
        let deep = Entry::file(format!("{}file", "d/".repeat(depth)), "x");
        first_problem(open(&tar(&[Entry::file("x_1.0.0.bundle.tar", bundle().tar()), deep])))
    };
    ends_between(in_archive(64), in_archive(65));
}

#[test]
fn limit_of_bundles() {
    let with = |count: usize| {
        let text = b"name: x\nversion: 1.0.0\n".to_vec();
        let chart =
            |number| Entry::file(format!("{number}/original-chart/Chart.yaml"), text.clone());
        first_problem(open(&tar(&(0..count).map(chart).collect::<Vec<_>>())))
    };
    ends_between(with(10_000), with(10_001));
}

#[test]
fn limit_of_tar_header() {
    let long = |length: usize| {
        let mut header = tar::Header::new_gnu();
        header.set_path("././@LongLink").expect("short");
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(length as u64);
        header.set_cksum();
        let mut text = header.as_bytes().to_vec();
        text.resize(512 + length.next_multiple_of(512), b'a');
        text.extend(tar(&[Entry::file("x_1.0.0.bundle.tar", bundle().tar())]));
        open(&text).expect_err("a path that is too long").kind()
    };
    // Below the limit it is the path that is refused.
    assert_eq!(long(900 << 10), ErrorKind::UnsafePath);
    assert_eq!(long(1 << 20), ErrorKind::TooLarge);
}

/// A sparse file in PAX format 1.0: its map stands before its data.
fn sparse_file(archive: &mut tar::Builder<Vec<u8>>, name: &str, pieces: usize) {
    let map = (0..pieces).map(|piece| format!("{}\n1\n", 2 * piece));
    let mut content = format!("{pieces}\n{}", map.collect::<String>()).into_bytes();
    content.resize(content.len().next_multiple_of(512), 0);
    content.resize(content.len() + pieces, b'x');
    let size = (2 * pieces).to_string();
    let keys = [("major", "1"), ("minor", "0"), ("realsize", &size), ("name", name)];
    let keys = keys.map(|(key, value)| (format!("GNU.sparse.{key}"), value.as_bytes()));
    let keys = keys.iter().map(|(key, value)| (key.as_str(), *value));
    archive.append_pax_extensions(keys).expect("written");
    file(archive, name, &content);
}

fn file(archive: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, name, content).expect("written");
}

#[test]
fn limit_of_all_sparse_pieces() {
    let package = |files: usize| {
        let mut archive = tar::Builder::new(Vec::new());
        file(&mut archive, "x_1.0.0.bundle.tar", &bundle().tar());
        for number in 0..files {
            sparse_file(&mut archive, &format!("f{number}"), 200_000);
        }
        first_problem(open(&archive.into_inner().expect("written")))
    };
    ends_between(package(5), package(6));
}

#[test]
fn limit_of_links() {
    let mut listing = Listing::default();
    let at = Locator { stream: StreamId(0), offset: 0, size: 0 };
    let mut add = |number: usize, kind: MemberKind| {
        let member = Member { kind, content: None, compression: Compression::None };
        listing.insert(format!("l{number}"), member);
    };
    add(0, MemberKind::File(at));
    (1..10).for_each(|number| add(number, MemberKind::Link(format!("l{}", number - 1))));
    assert!(listing.file("l7").is_ok() && listing.file("l8").is_err());
}

#[test]
fn limit_of_layout_index() {
    let layout = |padding: usize| {
        let folder = Folder::new();
        folder.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        let index = json!({"schemaVersion": 2, "manifests": [], "x": " ".repeat(padding)});
        folder.write("index.json", index.to_string());
        match Package::open(folder.path()) {
            // One without images is no package.
            Err(error) if error.kind() == ErrorKind::NotAPackage => Ok(()),
            other => first_problem(other),
        }
    };
    ends_between(layout(15 << 20), layout(17 << 20));
}

/// Values are counted before they take memory, and text is not taken for values.
#[test]
fn limit_of_document_values() {
    let manifest = |values: usize| {
        let config = json!({"digest": format!("sha256:{:064}", 0), "size": 2, "mediaType": "x/y"});
        let text = format!(
            r#"{{"schemaVersion":2,"x":"{}","config":{config},"layers":[],"y":[{}0]}}"#,
            r#"\",[{,"#.repeat(100_000),
            "0,".repeat(values),
        );
        Document::new(text.into_bytes(), Some(types::OCI_MANIFEST))
    };
    ends_between(manifest(199_000), manifest(200_000));
}

#[test]
fn limit_of_config_values() {
    let config = |values: usize| {
        ImageConfig::parse(format!("{{\"x\":[{}0]}}", "0,".repeat(values)).as_bytes())
    };
    ends_between(config(19_000), config(20_000));
}

#[test]
fn limit_of_layout_index_values() {
    let index = |values: usize| {
        Index::parse(format!("{{\"manifests\":[],\"x\":[{}0]}}", "0,".repeat(values)).as_bytes())
    };
    ends_between(index(999_000), index(1_000_000));
}

#[test]
fn limit_of_images() {
    let image = Image::new("amd64", "x");
    let archive = |names: usize| {
        let names: Vec<String> = (0..names).map(|i| format!("q.io/demo/x:v{i}")).collect();
        let config = format!("{}.json", image.config_digest());
        let layers: Vec<String> =
            (0..image.layers.len()).map(|i| format!("{i}/layer.tar")).collect();
        let list = json!([{"Config": config, "RepoTags": names, "Layers": layers}]);
        let mut entries = vec![Entry::file("manifest.json", list.to_string())];
        entries.push(Entry::file(config, image.config.clone()));
        let layers = layers.iter().zip(&image.layers);
        entries.extend(layers.map(|(path, layer)| Entry::file(path, layer.blob.clone())));
        first_problem(open(&tar(&entries)))
    };
    ends_between(archive(19_999), archive(20_000));
}

/// A docker-archive of this many images, each with a config of 7 MiB.
fn large_configs(images: usize) -> Vec<u8> {
    let image = Image::new("amd64", "x");
    let layers: Vec<String> = (0..image.layers.len()).map(|i| format!("{i}/layer.tar")).collect();
    let config = |number: usize| format!("{number}.json");
    let listed = (0..images).map(
        |i| json!({"Config": config(i), "RepoTags": [format!("q.io/demo/x:v{i}")], "Layers": layers}),
    );
    let list = serde_json::Value::from_iter(listed);
    let mut entries = vec![Entry::file("manifest.json", list.to_string())];
    for number in 0..images {
        let mut text: serde_json::Value = serde_json::from_slice(&image.config).expect("JSON");
        text["x"] = format!("{number}{}", " ".repeat(7 << 20)).into();
        entries.push(Entry::file(config(number), text.to_string()));
    }
    let layers = layers.iter().zip(&image.layers);
    entries.extend(layers.map(|(path, layer)| Entry::file(path, layer.blob.clone())));
    tar(&entries)
}

#[test]
fn limit_of_documents() {
    ends_between(first_problem(open(&large_configs(9))), first_problem(open(&large_configs(10))));
}

/// Several packages have no more together than one.
#[test]
fn limit_of_documents_of_several_packages() {
    let (folder, content) = (Folder::new(), large_configs(3));
    let open = |count: usize| {
        let paths: Vec<_> =
            (0..count).map(|i| folder.write(&format!("{i}.tar"), &content)).collect();
        let opened = OpenOptions::new().open_all(&paths).expect("opened");
        opened.into_iter().try_for_each(first_problem)
    };
    ends_between(open(3), open(4));
}

#[test]
fn limit_of_index_depth() {
    let nested = |depth: usize| {
        let mut layout = Layout::new();
        let mut entry = layout.image(&Image::new("amd64", "x"));
        for _ in 0..depth {
            entry = layout.index(&[entry]);
        }
        let folder = Folder::new();
        let layout = layout.top(multiarch_generator::named(entry, "q.io/demo/x:v1"));
        first_problem(Package::open(folder.write("layout.tar", layout.tar())))
    };
    ends_between(nested(5), nested(6));
}

#[test]
fn limit_of_index_entries() {
    // Ten nested indexes, each within the limit of a document.
    let listed = |each: usize| {
        let mut layout = Layout::new();
        let image = layout.image(&Image::new("amd64", "x"));
        let parts: Vec<_> = (0..20)
            .map(|part| {
                let mut entries = vec![image.clone(); each];
                entries[0] =
                    multiarch_generator::annotated(image.clone(), "part", &part.to_string());
                layout.index(&entries)
            })
            .collect();
        let entry = layout.index(&parts);
        let folder = Folder::new();
        let layout = layout.top(multiarch_generator::named(entry, "q.io/demo/x:v1"));
        first_problem(Package::open(folder.write("layout.tar", layout.tar())))
    };
    ends_between(listed(980), listed(1_020));
}

#[test]
fn limit_of_copied_blob() {
    let digest = crate::Digest::sha256(b"x");
    let (store, context) = (crate::MemoryStore::new(), Context::default());
    let fetched = |size: u64| {
        let from = (&store as &dyn ImageStore, "from/here");
        BlobContent::in_target(&digest, size, from, &context)
            .fetch()
            .map(<[u8]>::len)
            .map_err(|e| e.kind())
    };
    assert_eq!(fetched(64 << 20), Err(ErrorKind::Missing));
    assert_eq!(fetched((64 << 20) + 1), Err(ErrorKind::TooLarge));
}

fn with_chart_file(size: usize) -> Result<()> {
    let mut entries = bundle().entries();
    entries.push(Entry::file("original-chart/README.md", vec![b' '; size]));
    first_problem(open(&tar(&[Entry::file("x_1.0.0.bundle.tar", tar(&entries))])))
}

#[test]
fn limit_of_chart_file() {
    ends_between(with_chart_file(16 << 20), with_chart_file((16 << 20) + 1));
}

#[test]
fn limit_of_charts_yaml() {
    let package = |bundles: usize| {
        let mut bundle = bundle();
        bundle.values.push_str(&format!("#{}\n", "x".repeat(4 << 20)));
        let bytes = bundle.tar();
        let name = |number: usize| format!("{number}/x_1.0.0.bundle.tar");
        let all =
            (0..bundles).map(|number| Entry::file(name(number), bytes.clone())).collect::<Vec<_>>();
        first_problem(open(&tar(&all)))
    };
    ends_between(package(15), package(16));
}

/// A few kilobytes of sparse archives would be read for hours.
#[test]
fn limit_of_unpacked_counts_the_holes_of_archives() {
    let mut claims = tar::Header::new_ustar();
    claims.set_path("images.tar").expect("short");
    claims.set_size(59 << 30);
    claims.set_cksum();
    let map = format!("{:\0<512}", "1\n0\n512\n");
    let content = [map.as_bytes(), claims.as_bytes()].concat();
    let size = (60_u64 << 30).to_string();
    let mut archive = tar::Builder::new(Vec::new());
    file(&mut archive, "x_1.0.0.bundle.tar", &bundle().tar());
    let name = "a/y_1.0.0.bundle.tar";
    let keys = [("major", "1"), ("minor", "0"), ("realsize", &size), ("name", name)];
    let keys = keys.map(|(key, value)| (format!("GNU.sparse.{key}"), value.as_bytes()));
    let keys = keys.iter().map(|(key, value)| (key.as_str(), *value));
    archive.append_pax_extensions(keys).expect("written");
    file(&mut archive, name, &content);
    let error =
        first_problem(open(&archive.into_inner().expect("written"))).expect_err("too large");
    assert_eq!((error.kind(), error.message().contains("unpacked")), (ErrorKind::TooLarge, true));
}
