//! Blobs, and all ways to upload them.

use multiarch_testing::{Fault, Registry, Setup, sha256};

use crate::client::Client;

#[test]
fn in_one_piece() {
    let registry = Registry::new();
    let mut client = Client::new(&registry);
    let digest = sha256(b"a blob");
    assert_eq!(client.ask(&format!("HEAD /v2/a/b/blobs/{digest}"), "", b"").status, 404);
    let location = client.begin("a/b");
    assert_eq!(registry.sessions(), 1);
    let said = client.ask(&format!("PUT {location}&digest={digest}"), "", b"a blob");
    assert_eq!((said.status, said.header("Docker-Content-Digest")), (201, digest.as_str()));
    assert_eq!((registry.sessions(), registry.blobs("a/b")), (0, vec![digest.clone()]));
    let said = client.ask(&format!("GET /v2/a/b/blobs/{digest}"), "", b"");
    assert_eq!((said.status, said.body.as_slice()), (200, &b"a blob"[..]));
    let said = client.ask(&format!("HEAD /v2/a/b/blobs/{digest}"), "", b"");
    assert_eq!((said.status, said.header("Content-Length")), (200, "6"));
    // The blob may come with the request that begins the upload.
    let other = sha256(b"other");
    let said = client.ask(&format!("POST /v2/a/b/blobs/uploads/?digest={other}"), "", b"other");
    assert_eq!(said.status, 201);
    assert_eq!(client.ask(&format!("DELETE /v2/a/b/blobs/{other}"), "", b"").status, 202);
    assert_eq!(client.ask(&format!("GET /v2/a/b/blobs/{other}"), "", b"").code(), "BLOB_UNKNOWN");
}

#[test]
fn a_blob_must_match_its_digest() {
    let registry = Registry::new();
    let mut client = Client::new(&registry);
    let digest = sha256(b"a blob");
    for body in [&b"another"[..], b"", b"a blo"] {
        let location = client.begin("a/b");
        let said = client.ask(&format!("PUT {location}&digest={digest}"), "", body);
        assert_eq!((said.status, said.code().as_str()), (400, "DIGEST_INVALID"));
        // The failed upload has ended the session.
        let said = client.ask(&format!("PUT {location}&digest={digest}"), "", b"a blob");
        assert_eq!((said.status, said.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"));
    }
    // The address already has a query, so `?digest=` does not begin another one.
    let location = client.begin("a/b");
    assert_eq!(client.ask(&format!("PUT {location}?digest={digest}"), "", b"a blob").status, 400);
    assert!(registry.blobs("a/b").is_empty());
}

#[test]
fn in_chunks() {
    let registry =
        Registry::start(Setup { whole_blobs: false, ..Setup::default() }, |_| Fault::Nothing);
    let mut client = Client::new(&registry);
    let digest = sha256(b"hello, world");
    let location = client.begin("a/b");
    let whole = client.ask(&format!("PUT {location}&digest={digest}"), "", b"hello, world");
    assert_eq!(whole.status, 413);
    let said = client.ask(&format!("PATCH {location}"), "Content-Range: 0-4\r\n", b"hello");
    assert_eq!((said.status, said.header("Range")), (202, "0-4"));
    for wrong in ["0-4", "6-8", "5-9", "5", "x-y"] {
        let range = format!("Content-Range: {wrong}\r\n");
        let said = client.ask(&format!("PATCH {location}"), &range, b", w");
        assert_eq!((said.status, said.header("Range")), (416, "0-4"), "{wrong}");
    }
    let said = client.ask(&format!("GET {location}"), "", b"");
    assert_eq!((said.status, said.header("Range")), (204, "0-4"));
    // A stream of unknown length has no range, and waits until the server asks for it.
    let path = said.header("Location").to_owned();
    client.send(
        format!(
            "PATCH {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        )
        .as_bytes(),
    );
    assert_eq!(client.read(true).expect("an invitation").status, 100);
    client.send(b"3\r\n, w\r\n1\r\no\r\n0\r\n\r\n");
    let said = client.read(true).expect("an answer");
    assert_eq!((said.status, said.header("Range")), (202, "0-8"));
    // The last bytes may come with the request that ends the upload.
    let path = format!("PUT {}&digest={digest}", said.header("Location"));
    assert_eq!(client.ask(&path, "Content-Range: 9-11\r\n", b"rld").status, 201);
    assert_eq!(registry.blob("a/b", &digest).as_deref(), Some(&b"hello, world"[..]));
    // A client can cancel an upload.
    let location = client.begin("a/b");
    assert_eq!(client.ask(&format!("DELETE {location}"), "", b"").status, 204);
    assert_eq!(client.ask(&format!("GET {location}"), "", b"").status, 404);
    // A session belongs to one repository.
    let location = client.begin("a/b").replace("/a/b/", "/a/c/");
    assert_eq!(client.ask(&format!("GET {location}"), "", b"").status, 404);
}

#[test]
fn mounts() {
    for (mounts, status) in [(true, 201), (false, 202)] {
        let registry = Registry::start(Setup { mounts, ..Setup::default() }, |_| Fault::Nothing);
        let digest = registry.put_blob("from/here", b"a blob");
        let mut client = Client::new(&registry);
        let path = format!("POST /v2/to/there/blobs/uploads/?mount={digest}");
        assert_eq!(client.ask(&format!("{path}&from=from%2Fhere"), "", b"").status, status);
        assert_eq!(registry.blob("to/there", &digest).is_some(), mounts);
        // A blob cannot be mounted from a repository that does not have it.
        assert_eq!(client.ask(&format!("{path}&from=nowhere"), "", b"").status, 202);
        // Without `from` the registry looks for the blob in all repositories.
        assert_eq!(client.ask(&path, "", b"").status, status);
    }
}

#[test]
fn an_upload_that_breaks_off() {
    for (keeps_parts, range) in [(true, "0-5"), (false, "0-0")] {
        let setup = Setup { keeps_parts, ..Setup::default() };
        let registry = Registry::start(setup, |request| match request.method.as_str() {
            "PUT" => Fault::Cut(6),
            _ => Fault::Nothing,
        });
        let mut client = Client::new(&registry);
        let location = client.begin("a/b");
        let path = format!("PUT {location}&digest={}", sha256(b"hello, world"));
        assert!(client.try_ask(&path, "", b"hello, world").is_none());
        let said = Client::new(&registry).ask(&format!("GET {location}"), "", b"");
        assert_eq!((said.status, said.header("Range")), (204, range));
    }
}
