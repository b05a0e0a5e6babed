//! Interprets the answers with which a server refuses a request.

mod words;

use reqwest::{Response, StatusCode, header, header::HeaderMap};

use crate::{
    error::{Detail, Error, ErrorKind, Result},
    limit,
};
use words::Words;

/// Turns an unsuccessful answer into an error.
pub(super) async fn read(response: Response) -> Error {
    let status = response.status();
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap_or_default().to_owned());
    let text = super::response::body(response, limit::REFUSAL.length()).await.unwrap_or_default();
    explain(status, challenge.as_deref(), &text)
}

/// The same for an answer whose body has been read.
pub(super) fn explain(status: StatusCode, challenge: Option<&str>, text: &[u8]) -> Error {
    let words = Words::read(text);
    let message = match words.to_string() {
        text if text.is_empty() => format!("the server answers {status}"),
        text => format!("the server answers {status}: {text}"),
    };
    let (kind, detail) = classify(status, challenge, &words);
    match detail {
        Some(detail) => Error::new(kind, message).with_detail(detail),
        None => Error::new(kind, message),
    }
}

/// The kind of a refusal, and its case where servers say it in one way or another.
fn classify(
    status: StatusCode,
    challenge: Option<&str>,
    words: &Words,
) -> (ErrorKind, Option<Detail>) {
    let text = words.to_string().to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|one| text.contains(one));
    let denied = |detail| (ErrorKind::Denied, Some(detail));
    // Harbor answers 401 with an empty challenge where the project, or its own route, does not exist.
    let is_empty_challenge = status == StatusCode::UNAUTHORIZED && challenge == Some("");
    match status.as_u16() {
        _ if words.has("MANIFEST_BLOB_UNKNOWN") || words.has("BLOB_UNKNOWN") => {
            (ErrorKind::BlobUnknown, None)
        }
        // Harbor: a manifest that the index lists is not there.
        404 if says(&["artifact "]) => (ErrorKind::BlobUnknown, None),
        407 => (ErrorKind::Network, Some(Detail::ProxyLogin)),
        413 => (ErrorKind::TooLarge, Some(Detail::BodyLimit)),
        415 => (ErrorKind::Server, Some(Detail::MediaType)),
        412 => denied(Detail::ImmutableTag),
        400..=499 if says(&["immutable"]) => denied(Detail::ImmutableTag),
        400..=499 if says(&["read only mode", "read-only", "readonly"]) => denied(Detail::ReadOnly),
        507 => denied(Detail::Quota),
        400..=499 if says(&["quota", "configured upper limit"]) => denied(Detail::Quota),
        400..=499 if says(&["proxy project"]) => denied(Detail::ProxyProject),
        400..=499 if words.has("NAME_INVALID") || says(&["invalid repository name"]) => {
            denied(Detail::RepositoryName)
        }
        401 if is_empty_challenge && says(&["un-recognized request"]) => {
            denied(Detail::RepositoryName)
        }
        401 if is_empty_challenge && says(&["not found"]) => denied(Detail::ProjectUnknown),
        401 if is_empty_challenge => (ErrorKind::Denied, None),
        401 | 403 if says(&["expired"]) => (ErrorKind::Unauthorized, Some(Detail::LoginExpired)),
        401 => (ErrorKind::Unauthorized, None),
        404 if words.has("NAME_UNKNOWN") => denied(Detail::ProjectUnknown),
        403 => (ErrorKind::Denied, None),
        _ if is_transient(status) => (ErrorKind::Server, Some(Detail::Busy)),
        _ => (ErrorKind::Server, None),
    }
}

/// Fails unless an answer 404 is the registry's own. A proxy that does not reach the registry answers
/// 404, too, and that is no absence.
pub(super) fn check_absence(headers: &HeaderMap, text: &[u8]) -> Result<()> {
    if Words::read(text).has_errors() || headers.contains_key("docker-distribution-api-version") {
        return Ok(());
    }
    let message = "the answer 404 is not that of a registry, so that it does not say what is there";
    Err(Error::new(ErrorKind::Server, message).with_detail(Detail::NotFromRegistry))
}

/// True if the same request may succeed a little later.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as servers give them: Harbor 2.15, docker-registry 2.8, ECR, Artifactory, GitLab, nginx.
    #[test]
    fn cases() {
        for (status, challenge, text, kind, detail) in [
            (
                401,
                Some(""),
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"project nosuch not found: project nosuch not found"}]}"#,
                ErrorKind::Denied,
                Some(Detail::ProjectUnknown),
            ),
            (
                401,
                Some(""),
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"un-recognized request: POST /v2/priv/App/blobs/uploads/"}]}"#,
                ErrorKind::Denied,
                Some(Detail::RepositoryName),
            ),
            (
                401,
                Some("Basic realm=\"harbor\""),
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized to access repository: priv/app, action: push"}]}"#,
                ErrorKind::Unauthorized,
                None,
            ),
            (
                400,
                None,
                r#"{"errors":[{"code":"BAD_REQUEST","message":"bad request: invalid repository name: busybox"}]}"#,
                ErrorKind::Denied,
                Some(Detail::RepositoryName),
            ),
            (
                403,
                None,
                r#"{"errors":[{"code":"DENIED","message":"adding 700.0 KiB of storage resource, which when updated to current usage of 700.0 KiB will exceed the configured upper limit of 1.0 MiB."}]}"#,
                ErrorKind::Denied,
                Some(Detail::Quota),
            ),
            (
                403,
                None,
                r#"{"errors":[{"code":"DENIED","message":"The system is in read only mode. Any modification is prohibited."}]}"#,
                ErrorKind::Denied,
                Some(Detail::ReadOnly),
            ),
            (
                412,
                None,
                r#"{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to 'x/y:v1' configured as immutable."}]}"#,
                ErrorKind::Denied,
                Some(Detail::ImmutableTag),
            ),
            (
                400,
                None,
                r#"{"errors":[{"code":"TAG_INVALID","message":"The image tag 'v1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable."}]}"#,
                ErrorKind::Denied,
                Some(Detail::ImmutableTag),
            ),
            (
                403,
                None,
                r#"{"errors":[{"code":"DENIED","message":"denied: can not push artifact to a proxy project: proxy"}]}"#,
                ErrorKind::Denied,
                Some(Detail::ProxyProject),
            ),
            (
                404,
                None,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'x' does not exist in the registry with id '1'"}]}"#,
                ErrorKind::Denied,
                Some(Detail::ProjectUnknown),
            ),
            (
                403,
                None,
                r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
                ErrorKind::Unauthorized,
                Some(Detail::LoginExpired),
            ),
            (
                400,
                None,
                r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#,
                ErrorKind::BlobUnknown,
                None,
            ),
            (
                404,
                None,
                r#"{"errors":[{"code":"NOT_FOUND","message":"artifact priv/idx@sha256:0 not found"}]}"#,
                ErrorKind::BlobUnknown,
                None,
            ),
            (
                413,
                None,
                "<html><title>413 Request Entity Too Large</title></html>",
                ErrorKind::TooLarge,
                Some(Detail::BodyLimit),
            ),
            (407, None, "", ErrorKind::Network, Some(Detail::ProxyLogin)),
            (507, None, "", ErrorKind::Denied, Some(Detail::Quota)),
            (503, None, "", ErrorKind::Server, Some(Detail::Busy)),
            (400, None, r#"{"message":"denied by policy 17"}"#, ErrorKind::Server, None),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let error = explain(status, challenge, text.as_bytes());
            assert_eq!((error.kind(), error.case()), (kind, detail), "{error}");
        }
    }
}
