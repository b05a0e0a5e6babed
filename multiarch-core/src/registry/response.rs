//! Responses: waiting for them, and reading them, within limits.

use std::{future::Future, time::Duration};

use reqwest::Response;
use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};

/// Every request that sends little ends within this time.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// What is read of an answer whose content is not needed.
const PASSED_OVER: usize = 64 << 10;

/// Ends a request after its time.
pub(super) async fn limited(
    limit: Duration,
    request: impl Future<Output = reqwest::Result<Response>>,
) -> Result<Response> {
    match timeout(limit, request).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(network(error)),
        Err(_) => {
            let message = format!("no answer within {} seconds", limit.as_secs());
            Err(Error::new(ErrorKind::Network, message))
        }
    }
}

pub(super) fn network(error: reqwest::Error) -> Error {
    // The URL is in the error's place already, and may have a session in its query.
    Error::caused_by(ErrorKind::Network, "the request failed", error.without_url())
}

/// Reads what an answer says beside its status, so that its connection serves the next request.
pub(super) async fn pass_over(response: Response) {
    let _ = body(response, PASSED_OVER).await;
}

/// Reads a body that must not be large.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>> {
    let read = async {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                let message = format!("the server's answer is longer than {limit} bytes");
                return Err(Error::new(ErrorKind::TooLarge, message));
            }
        }
        Ok(body)
    };
    match timeout(LIMIT, read).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::Network, "the answer did not end within 60 seconds")),
    }
}
