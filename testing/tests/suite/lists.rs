//! Lists of repositories, tags and referrers, a page at a time.

use multiarch_testing::{Fault, Registry, Setup, sha256};
use serde_json::{Value, json};

use crate::client::{Client, OCI_INDEX, OCI_MANIFEST};

/// The entries of all pages, and the number of pages.
fn all(client: &mut Client, path: &str, key: &str) -> (Vec<String>, usize) {
    let (mut path, mut names, mut pages) = (path.to_owned(), Vec::new(), 0);
    loop {
        let said = client.ask(&format!("GET {path}"), "", b"");
        assert_eq!(said.status, 200, "{path}");
        let json = said.json();
        let page = json[key].as_array().expect("a list").iter();
        names.extend(page.map(|name| name.as_str().expect("text").to_owned()));
        pages += 1;
        let Some((next, relation)) = said.header("Link").split_once(';') else {
            return (names, pages);
        };
        assert_eq!(relation, " rel=\"next\"");
        path = next.trim_matches(['<', '>']).to_owned();
    }
}

#[test]
fn pages() {
    let registry = Registry::start(Setup { page: 3, ..Setup::default() }, |_| Fault::Nothing);
    let names: Vec<String> = (0..7).map(|number| format!("v{number}")).collect();
    for name in &names {
        registry.put_manifest("a/b", name, OCI_MANIFEST, b"{}");
        registry.put_manifest(name, "v1", OCI_MANIFEST, b"{}");
    }
    let mut client = Client::new(&registry);
    assert_eq!(all(&mut client, "/v2/a/b/tags/list", "tags"), (names.clone(), 3));
    assert_eq!(all(&mut client, "/v2/a/b/tags/list?n=2", "tags"), (names.clone(), 4));
    assert_eq!(all(&mut client, "/v2/a/b/tags/list?n=2&last=v4", "tags").0, names[5..]);
    let (repositories, pages) = all(&mut client, "/v2/_catalog?n=1000", "repositories");
    assert_eq!((repositories[0].as_str(), repositories.len(), pages), ("a/b", 8, 3));
    let said = client.ask("GET /v2/nowhere/tags/list", "", b"");
    assert_eq!((said.status, said.code().as_str()), (404, "NAME_UNKNOWN"));
}

#[test]
fn referrers() {
    let registry = Registry::new();
    let mut client = Client::new(&registry);
    let subject = registry.put_manifest("a/b", "v1", OCI_MANIFEST, b"{}");
    let refers = |more: Value| {
        let mut manifest = json!({
            "mediaType": OCI_MANIFEST, "annotations": {"k": "v"},
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 2},
        });
        manifest
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().expect("one"));
        manifest.to_string()
    };
    let signature = refers(json!({"artifactType": "text/x-signature"}));
    let (config, headers) =
        (registry.put_blob("a/b", b"{}"), format!("Content-Type: {OCI_MANIFEST}\r\n"));
    let note = refers(json!({"config": {"mediaType": "text/x-note", "digest": config, "size": 2}}));
    for text in [&signature, &note] {
        let path = format!("PUT /v2/a/b/manifests/{}", sha256(text.as_bytes()));
        let said = client.ask(&path, &headers, text.as_bytes());
        assert_eq!((said.status, said.header("OCI-Subject")), (201, subject.as_str()));
    }
    let path = format!("GET /v2/a/b/referrers/{subject}");
    let said = client.ask(&path, "", b"");
    assert_eq!((said.status, said.header("Content-Type")), (200, OCI_INDEX));
    assert_eq!(said.json()["manifests"].as_array().map(Vec::len), Some(2));
    let said = client.ask(&format!("{path}?artifactType=text/x-note"), "", b"");
    assert_eq!(said.header("OCI-Filters-Applied"), "artifactType");
    let expected = json!([{
        "mediaType": OCI_MANIFEST, "digest": sha256(note.as_bytes()), "size": note.len(),
        "artifactType": "text/x-note", "annotations": {"k": "v"},
    }]);
    assert_eq!(said.json()["manifests"], expected);
    // Nothing refers to this digest, so the list is empty.
    let said = client.ask(&format!("GET /v2/a/b/referrers/{}", sha256(b"")), "", b"");
    assert_eq!((said.status, &said.json()["manifests"]), (200, &json!([])));

    let without =
        Registry::start(Setup { referrers: false, ..Setup::default() }, |_| Fault::Nothing);
    assert_eq!(Client::new(&without).ask(&path, "", b"").status, 404);
}
