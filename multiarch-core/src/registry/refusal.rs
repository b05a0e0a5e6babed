//! Interprets the answers with which a server refuses a request.

use reqwest::{Response, StatusCode, header, header::HeaderMap};
use serde::Deserialize;

use crate::error::{Detail, Error, ErrorKind, Result};

/// The errors of [OCI distribution, "Error Codes"].
///
/// [OCI distribution, "Error Codes"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Item>,
    /// The form of ChartMuseum.
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The largest error text that is read, and the longest that is shown.
pub(super) const MAX_BODY: usize = 64 << 10;
const MAX_SHOWN: usize = 300;

/// Turns an unsuccessful answer into an error.
pub(super) async fn read(response: Response) -> Error {
    let status = response.status();
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap_or_default().to_owned());
    let text = super::response::body(response, MAX_BODY).await.unwrap_or_default();
    explain(status, challenge.as_deref(), &text)
}

/// The same for an answer whose body has been read.
pub(super) fn explain(status: StatusCode, challenge: Option<&str>, text: &[u8]) -> Error {
    let body: Body = serde_json::from_slice(text).unwrap_or_default();
    let mut texts: Vec<String> = body
        .errors
        .iter()
        .map(|item| match (item.code.as_str(), item.message.as_str()) {
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        })
        .collect();
    if !body.error.is_empty() {
        texts.push(body.error.clone());
    }
    let texts: String = texts.join("; ").chars().take(MAX_SHOWN).collect();
    let has = |code: &str| body.errors.iter().any(|item| item.code == code);
    let kind = match status {
        _ if has("MANIFEST_BLOB_UNKNOWN") || has("BLOB_UNKNOWN") => ErrorKind::BlobUnknown,
        StatusCode::UNAUTHORIZED => ErrorKind::Unauthorized,
        StatusCode::FORBIDDEN => ErrorKind::Denied,
        // The tag is immutable.
        StatusCode::PRECONDITION_FAILED => ErrorKind::Denied,
        // Harbor: a manifest that the index lists is not there.
        StatusCode::NOT_FOUND if texts.contains("artifact ") => ErrorKind::BlobUnknown,
        _ => ErrorKind::Server,
    };
    let message = if texts.is_empty() {
        format!("the server answers {status}")
    } else {
        format!("the server answers {status}: {texts}")
    };
    // Harbor answers 401 with an empty challenge where the project does not exist.
    if kind == ErrorKind::Unauthorized && challenge == Some("") {
        return Error::new(ErrorKind::Denied, message);
    }
    match kind {
        ErrorKind::Server if is_transient(status) => {
            Error::new(kind, message).with_detail(Detail::Busy)
        }
        _ => Error::new(kind, message),
    }
}

/// Fails unless an answer 404 is the registry's own. A proxy that does not reach the registry answers
/// 404, too, and that is no absence.
pub(super) fn check_absence(headers: &HeaderMap, text: &[u8]) -> Result<()> {
    let body: Body = serde_json::from_slice(text).unwrap_or_default();
    if !body.errors.is_empty() || headers.contains_key("docker-distribution-api-version") {
        return Ok(());
    }
    let message = "the answer 404 is not that of a registry, so that it does not say what is there";
    Err(Error::new(ErrorKind::Server, message).with_detail(Detail::NotFromRegistry))
}

/// True if the same request may succeed a little later.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}
