//! Responses: waiting for them, and reading them, within limits.

use std::time::Duration;

use reqwest::{Response, header};
use tokio::time::timeout;

use crate::{
    error::{Detail, Error, ErrorKind, Result},
    limit,
};

/// Time limit of every request without a blob, and of reading its answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// The media type that an answer declares; empty where it declares none.
pub(super) fn media_type(response: &Response) -> &str {
    let declared = response.headers().get(header::CONTENT_TYPE);
    declared.and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn broken(error: reqwest::Error) -> Error {
    // The URL's query may hold an upload session.
    let message = "the answer broke off";
    Error::caused_by(ErrorKind::Network, message, error.without_url())
        .with_detail(Detail::BrokenOff)
}

/// Reads an answer whose content is not needed, so that its connection can be used again.
pub(super) async fn discard_body(response: Response) {
    let _ = body(response, limit::REFUSAL.length()).await;
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>> {
    let read = async {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                let message = format!("the server's answer is longer than {limit} bytes");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
        }
        Ok(body)
    };
    match timeout(TIMEOUT, read).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::Network, "the answer did not end within 60 seconds")),
    }
}
