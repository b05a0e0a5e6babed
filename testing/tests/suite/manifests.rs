//! Manifests: by tag and by digest, and the content they need.

use multiarch_testing::{Fault, Registry, Setup, sha256};
use serde_json::json;

use crate::client::{Client, OCI_INDEX, OCI_MANIFEST};

fn manifest(config: &str) -> String {
    json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [],
    })
    .to_string()
}

fn typed(media_type: &str) -> String {
    format!("Content-Type: {media_type}\r\n")
}

#[test]
fn put_read_and_deleted() {
    let registry = Registry::new();
    let mut client = Client::new(&registry);
    let text = manifest(&registry.put_blob("a/b", b"{}"));
    let digest = sha256(text.as_bytes());
    let said = client.ask("PUT /v2/a/b/manifests/v1", &typed(OCI_MANIFEST), text.as_bytes());
    assert_eq!((said.status, said.header("Docker-Content-Digest")), (201, digest.as_str()));
    for reference in ["v1", &digest] {
        let said = client.ask(&format!("GET /v2/a/b/manifests/{reference}"), "", b"");
        assert_eq!((said.status, said.header("Content-Type")), (200, OCI_MANIFEST));
        assert_eq!(
            (said.body.as_slice(), said.header("Docker-Content-Digest")),
            (text.as_bytes(), digest.as_str())
        );
        let said = client.ask(&format!("HEAD /v2/a/b/manifests/{reference}"), "", b"");
        assert_eq!(
            (said.status, said.header("Content-Length")),
            (200, text.len().to_string().as_str())
        );
    }
    // A manifest is hidden if the client does not accept its type.
    let other = format!("Accept: {OCI_INDEX}\r\n");
    assert_eq!(client.ask("GET /v2/a/b/manifests/v1", &other, b"").status, 404);
    let both = format!("Accept: {OCI_INDEX}, {OCI_MANIFEST}\r\n");
    assert_eq!(client.ask("GET /v2/a/b/manifests/v1", &both, b"").status, 200);
    // Deleting a tag removes only the tag; deleting a digest removes the manifest and all of its
    // tags.
    let put = |client: &mut Client, reference: &str| {
        let path = format!("PUT /v2/a/b/manifests/{reference}");
        client.ask(&path, &typed(OCI_MANIFEST), text.as_bytes()).status
    };
    assert_eq!((put(&mut client, "v2"), put(&mut client, &digest)), (201, 201));
    assert_eq!(registry.tags("a/b"), ["v1", "v2"]);
    assert_eq!(client.ask("DELETE /v2/a/b/manifests/v1", "", b"").status, 202);
    assert_eq!(registry.tags("a/b"), ["v2"]);
    assert_eq!(client.ask(&format!("DELETE /v2/a/b/manifests/{digest}"), "", b"").status, 202);
    assert!(registry.tags("a/b").is_empty());
    let said = client.ask("GET /v2/a/b/manifests/v2", "", b"");
    assert_eq!((said.status, said.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    assert_eq!(client.ask("DELETE /v2/a/b/manifests/v2", "", b"").status, 404);
}

#[test]
fn invalid_manifests_are_refused() {
    let registry = Registry::new();
    let mut client = Client::new(&registry);
    let text = manifest(&registry.put_blob("a/b", b"{}"));
    let other = sha256(b"other");
    for (reference, headers, body, code) in [
        ("v1", typed(OCI_MANIFEST), "no JSON", "MANIFEST_INVALID"),
        ("v1", String::new(), &text, "MANIFEST_INVALID"),
        ("v1", typed(OCI_INDEX), &text, "MANIFEST_INVALID"),
        (&other, typed(OCI_MANIFEST), &text, "DIGEST_INVALID"),
    ] {
        let path = format!("PUT /v2/a/b/manifests/{reference}");
        let said = client.ask(&path, &headers, body.as_bytes());
        assert_eq!((said.status, said.code().as_str()), (400, code), "{reference} {body}");
    }
    assert!(registry.manifest("a/b", "v1").is_none());
    // Fields that the registry does not read may contain anything.
    let odd = text.replacen('{', r#"{"x":1e1000,"x":123456789012345678901234567890,"#, 1);
    let said = client.ask("PUT /v2/a/b/manifests/v1", &typed(OCI_MANIFEST), odd.as_bytes());
    assert_eq!(said.status, 201);
    let held = registry.manifest("a/b", "v1").expect("it was put");
    assert_eq!(&*held.bytes, odd.as_bytes());
}

#[test]
fn a_manifest_needs_its_blobs_and_manifests() {
    for checks_references in [true, false] {
        let setup = Setup { checks_references, ..Setup::default() };
        let registry = Registry::start(setup, |_| Fault::Nothing);
        let mut client = Client::new(&registry);
        let config = registry.put_blob("another/one", b"{}");
        let text = manifest(&config);
        let (digest, size) = (sha256(text.as_bytes()), text.len());
        let index = json!({
            "schemaVersion": 2, "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest, "size": size}],
        })
        .to_string();
        for (media_type, text) in [(OCI_INDEX, &index), (OCI_MANIFEST, &text)] {
            let said = client.ask("PUT /v2/a/b/manifests/v1", &typed(media_type), text.as_bytes());
            if checks_references {
                assert_eq!((said.status, said.code().as_str()), (400, "MANIFEST_BLOB_UNKNOWN"));
            } else {
                assert_eq!(said.status, 201);
                assert_eq!(registry.flaws("a/b", "v1").len(), 1);
            }
        }
        registry.put_blob("a/b", b"{}");
        for (reference, media_type, text) in
            [(&digest, OCI_MANIFEST, &text), (&"v1".into(), OCI_INDEX, &index)]
        {
            let path = format!("PUT /v2/a/b/manifests/{reference}");
            assert_eq!(client.ask(&path, &typed(media_type), text.as_bytes()).status, 201);
        }
        assert!(registry.flaws("a/b", "v1").is_empty());
        // A blob that garbage collection removed is reported as missing.
        assert!(registry.delete_blob("a/b", &config));
        assert_eq!(registry.flaws("a/b", "v1"), [format!("{config} is not there")]);
    }
}

#[test]
fn flaws_include_wrong_sizes() {
    let registry = Registry::new();
    let text = manifest(&registry.put_blob("a/b", b"{ }"));
    registry.put_manifest("a/b", "v1", OCI_MANIFEST, text.as_bytes());
    assert_eq!(registry.flaws("a/b", "v1").len(), 1);
    assert_eq!(registry.flaws("a/b", "v2"), ["there is no manifest v2"]);
    assert_eq!(registry.flaws("a/c", "v1"), ["there is no repository a/c"]);
}
