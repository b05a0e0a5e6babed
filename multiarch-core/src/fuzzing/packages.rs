//! Lists of images in packages: docker-archives and OCI layouts whose other files are always the same.

use std::{io::Cursor, sync::OnceLock};

use crate::{
    fuse::{FuseOptions, TagState, fuse},
    image::Digest,
    package::{Blob, BlobPlace, Package},
};

/// The list of a docker-archive: every image that is read of it can be fused, and has its blobs.
pub(super) fn docker_manifest(data: &[u8]) {
    open(docker_archive(Some(data)));
}

/// The index of an OCI layout: the same.
pub(super) fn oci_index(data: &[u8]) {
    static BLOBS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let blobs = BLOBS.get_or_init(layout_blobs);
    let mut files =
        vec![("oci-layout", &br#"{"imageLayoutVersion":"1.0.0"}"#[..]), ("index.json", data)];
    files.extend(blobs.iter().map(|(path, content)| (path.as_str(), content.as_slice())));
    open(archive(&files));
}

fn open(archive: Vec<u8>) {
    if let Ok(package) = Package::from_reader("addon-v1.0.0-amd64.tar", Cursor::new(archive)) {
        check_package(&package);
    }
}

/// Every image of a package has documents that are what their digests say and blobs that are there, and fusing
/// it a second time changes nothing.
pub(crate) fn check_package(package: &Package) {
    let bundled = package.bundles.iter().flat_map(|bundle| &bundle.images);
    for image in package.images.iter().chain(bundled) {
        for stored in &image.documents {
            let document = &stored.document;
            assert_eq!(Digest::sha256(document.raw()).hex().len(), 64);
            document.digest().verify(document.raw()).expect("a document has its digest");
            stored.blobs.iter().for_each(|blob| check_blob(package, blob));
        }
        let options = FuseOptions::default();
        let Ok(once) = fuse(&TagState::absent(), &image.incoming, &options) else { continue };
        let again = fuse(&once.state, &image.incoming, &options).expect("what was fused before");
        assert!(again.document.is_none(), "{:?} after {:?}", again.document, once.document);
    }
}

fn check_blob(package: &Package, blob: &Blob) {
    let BlobPlace::Package(locator) = blob.place else { return };
    assert_eq!(locator.size, blob.descriptor.size, "{:?}", blob.descriptor);
    // A damaged archive may list what cannot be read.
    if let Ok(content) = package.source.read(&locator) {
        assert_eq!(content.len() as u64, locator.size, "{:?}", blob.descriptor);
    }
}

const LAYER: &[u8] = b"a layer";
const DIFF_ID: &str = "sha256:e28d98ac666afd34f089b971a663264d54d67a60ddc82996d48d8f3c204eb75f";

/// A docker-archive with this list, or one of its own.
pub(crate) fn docker_archive(list: Option<&[u8]>) -> Vec<u8> {
    let config = |architecture: &str, layers: usize| {
        let layers = vec![format!("\"{DIFF_ID}\""); layers].join(",");
        format!(
            r#"{{"architecture":"{architecture}","os":"linux","rootfs":{{"type":"layers","diff_ids":[{layers}]}}}}"#
        )
    };
    let (one, two, none) = (config("amd64", 1), config("arm64", 2), config("s390x", 0));
    let named = format!("{}.json", Digest::sha256(none.as_bytes()).hex());
    let own = br#"[{"Config":"1.json","RepoTags":["a.example/b:1"],"Layers":["l.tar"]}]"#;
    archive(&[
        ("manifest.json", list.unwrap_or(own)),
        ("1.json", one.as_bytes()),
        ("2.json", two.as_bytes()),
        (&named, none.as_bytes()),
        ("l.tar", LAYER),
        ("l.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0"),
    ])
}

/// Two images, an index of them, and an attestation of the first one.
fn layout_blobs() -> Vec<(String, Vec<u8>)> {
    let mut blobs = Vec::new();
    let mut add = |content: String| {
        let (digest, size) = (Digest::sha256(content.as_bytes()), content.len());
        blobs.push((format!("blobs/sha256/{}", digest.hex()), content.into_bytes()));
        format!(r#""digest":"{digest}","size":{size}"#)
    };
    let layer = add("a layer".into());
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let config = add(format!(
            r#"{{"architecture":"{architecture}","os":"linux","rootfs":{{"type":"layers","diff_ids":["{DIFF_ID}"]}}}}"#
        ));
        let manifest = add(format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json",{config}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar",{layer}}}]}}"#
        ));
        entries.push(format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json",{manifest},"platform":{{"os":"linux","architecture":"{architecture}"}}}}"#
        ));
    }
    add(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
        entries.join(",")
    ));
    blobs
}

/// A tar archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *content).expect("memory");
    }
    archive.into_inner().expect("memory")
}
