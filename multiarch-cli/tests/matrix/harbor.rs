//! Harbor's refusals, as Harbor 2.15.2 gave them when it was run.

use multiarch_testing::{Answer, Fault};
use serde_json::json;

use crate::{
    faults::Row,
    requests::Kind::{
        self, HeadBlob, HeadManifest, Mount, Patch, PutBlob, PutManifest, PutTag, ReadTag, Session,
        Token,
    },
};

fn images(kind: Kind) -> bool {
    !kind.is_of_charts() && kind != Token
}

fn writes_images(kind: Kind) -> bool {
    kind.writes() && !kind.is_of_charts()
}

/// A refusal with one error, and perhaps a challenge.
fn row(
    name: &str,
    applies: fn(Kind) -> bool,
    (status, code, message): (u16, &str, &str),
    challenge: Option<&'static str>,
) -> Row {
    let answer = Answer::error(status, code, message);
    let answer = match challenge {
        Some(challenge) => answer.header("Www-Authenticate", challenge),
        None => answer,
    };
    Row::new(format!("Harbor: {name}"), applies, move |_| Fault::Answer(answer.clone()))
}

const BASIC: Option<&str> = Some("Basic realm=\"harbor\"");
/// Harbor sends this header where its router, or the project, is not known.
const EMPTY: Option<&str> = Some("");

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row(
            "no project",
            images,
            (401, "UNAUTHORIZED", "project nosuch not found: project nosuch not found"),
            EMPTY,
        ),
        row(
            "no route",
            images,
            (401, "UNAUTHORIZED", "un-recognized request: POST /v2/priv/App/blobs/uploads/"),
            EMPTY,
        ),
        row(
            "no right",
            images,
            (401, "UNAUTHORIZED", "unauthorized to access repository: priv/app, action: push"),
            BASIC,
        ),
        row(
            "no right at the source",
            |k| k == Mount,
            (401, "UNAUTHORIZED", "unauthorized to access repository: other/src, action: pull"),
            BASIC,
        ),
        row(
            "one component",
            images,
            (400, "BAD_REQUEST", "bad request: invalid repository name: busybox"),
            None,
        ),
        row(
            "tag name",
            |k| k == PutTag,
            (400, "BAD_REQUEST", "bad request: invalid tag name: v1+2"),
            None,
        ),
        row(
            "over the limit",
            |k| matches!(k, Session | Mount),
            (
                403,
                "DENIED",
                "subtracting 0 B of storage resource, which when updated to current usage of 700.9 KiB will exceed the configured upper limit of 699.9 KiB.",
            ),
            None,
        ),
        row(
            "no room",
            |k| matches!(k, PutBlob | PutManifest | PutTag),
            (
                403,
                "DENIED",
                "adding 700.0 KiB of storage resource, which when updated to current usage of 700.0 KiB will exceed the configured upper limit of 1.0 MiB.",
            ),
            None,
        ),
        row(
            "read only",
            writes_images,
            (403, "DENIED", "The system is in read only mode. Any modification is prohibited."),
            None,
        ),
        row(
            "immutable",
            |k| k == PutTag,
            (
                412,
                "PRECONDITION",
                "Failed to process request due to 'x/y:v1' configured as immutable.",
            ),
            None,
        ),
        row(
            "proxy project",
            writes_images,
            (403, "DENIED", "denied: can not push artifact to a proxy project: proxy"),
            None,
        ),
        row(
            "no CSRF token",
            writes_images,
            (403, "FORBIDDEN", "CSRF token not found in request"),
            None,
        ),
        row(
            "type not accepted",
            |k| k == ReadTag,
            (
                404,
                "MANIFEST_UNKNOWN",
                "OCI index found, but accept header does not support OCI indexes",
            ),
            None,
        ),
        row(
            "stale state",
            |k| matches!(k, Patch | PutBlob),
            (404, "BLOB_UPLOAD_INVALID", "blob upload invalid"),
            None,
        ),
        row(
            "wrong digest",
            |k| matches!(k, PutBlob | PutManifest),
            (400, "DIGEST_INVALID", "provided digest did not match uploaded content"),
            None,
        ),
        row("no digest", |k| k == PutBlob, (400, "BAD_REQUEST", "exist blob require digest"), None),
        row(
            "blob being collected",
            |k| matches!(k, PutBlob | PutManifest),
            (404, "NOT_FOUND", "the asking blob is in GC, mark it as non existing, request id: 1"),
            None,
        ),
        row(
            "child missing",
            |k| k == PutTag,
            (
                404,
                "NOT_FOUND",
                "artifact priv/idx@sha256:0000000000000000000000000000000000000000000000000000000000000000 not found",
            ),
            None,
        ),
        row(
            "manifest invalid",
            |k| matches!(k, PutManifest | PutTag),
            (400, "MANIFEST_INVALID", "unmarshal manifest failed: missing signature key"),
            None,
        ),
        row("internal error", images, (500, "UNKNOWN", "internal server error"), None),
        row(
            "tag missing",
            |k| k == ReadTag,
            (404, "NOT_FOUND", "resource not found: repo proxy/a, tag nosuch not found"),
            None,
        ),
    ];
    let missing = |hit: &crate::disturbance::Hit<'_>| {
        // The detail names what is missing; the registry here has all of it, so the name is a guess.
        let detail = hit.digest().unwrap_or_else(|| format!("sha256:{}", "0".repeat(64)));
        let error = json!({"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry", "detail": detail});
        Fault::Answer(Answer::json(400, &json!({"errors": [error]})))
    };
    rows.extend([
        Row::new("Harbor: blob missing", |k| matches!(k, PutManifest | PutTag), missing),
        Row::new("Harbor: backend down", images, |_| Fault::answer(502)),
        Row::new(
            "Harbor: empty object",
            |k| matches!(k, Session | PutManifest),
            |_| Fault::Answer(Answer::json(500, &json!({}))),
        ),
        Row::new(
            "Harbor: 404 without a word",
            |k| matches!(k, HeadBlob | HeadManifest),
            |_| Fault::answer(404),
        ),
        Row::new(
            "Harbor: a token without rights",
            |k| k == Token,
            |_| {
                Fault::Answer(Answer::json(
                    200,
                    &json!({"token": "none", "access_token": "", "expires_in": 1800}),
                ))
            },
        ),
        Row::new("Harbor: token of no use, no login", |k| k == Token, |_| Fault::answer(401)),
        Row::new(
            "Harbor: no such token service",
            |k| k == Token,
            |_| Fault::Answer(Answer::new(400).body("Unable to handle service: foo")),
        ),
    ]);
    rows
}
