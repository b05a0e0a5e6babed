//! What passes, and how long it is waited for.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{Response, StatusCode, header};
use tokio::time::sleep;

use super::{answer, backoff::pause, concurrency::RequestOutcome, throttle::Throttle};
use crate::error::{Error, ErrorKind, Result};

/// How often a request is made that fails, or that the server asks to make later.
const TRIES: u32 = 6;
const PATIENCE: u32 = 8;
/// A server may ask for this much patience, not more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The tries of one request, or one upload.
#[derive(Debug, Default)]
pub(super) struct Retries {
    failures: u32,
    refusals: u32,
}

impl Retries {
    /// Whether there may be another one.
    pub(super) fn another(&mut self, outcome: RequestOutcome) -> bool {
        match outcome {
            RequestOutcome::TooMuch(_) => self.refusals += 1,
            _ => self.failures += 1,
        }
        self.failures < TRIES && self.refusals < PATIENCE
    }

    /// Waits before it. Behind a throttle nobody passes before the server wants it.
    pub(super) async fn rest(
        &self,
        throttle: Option<&Arc<Throttle>>,
        outcome: RequestOutcome,
        did: &str,
    ) {
        let own = pause(self.failures.max(self.refusals).max(1));
        match (outcome, throttle) {
            (RequestOutcome::Answered, _) | (RequestOutcome::TooMuch(_), Some(_)) => {}
            (RequestOutcome::TooMuch(asked), None) => {
                sleep(asked.map_or(own, |a| a.max(own))).await
            }
            (RequestOutcome::Failed | RequestOutcome::Silent, _) => {
                if let Some(throttle) = throttle {
                    throttle.tell(own, did);
                }
                sleep(own).await;
            }
        }
    }
}

/// Repeats a request while its failure may pass, and makes it when the throttle lets it.
pub(super) async fn with_retries<F: Future<Output = Result<Response>>>(
    throttle: Option<&Arc<Throttle>>,
    mut request: impl FnMut() -> F,
) -> Result<Response> {
    let mut tries = Retries::default();
    loop {
        let mut permit = match throttle {
            Some(throttle) => Some(throttle.enter().await?),
            None => None,
        };
        let mut result = request().await;
        let (outcome, did) = outcome(&result);
        if let Some(permit) = &mut permit {
            permit.note(outcome, &did);
        }
        // The request ends when its answer is read, or dropped.
        if let (Ok(response), Some(permit)) = (&mut result, permit) {
            response.extensions_mut().insert(Arc::new(permit));
        }
        if outcome == RequestOutcome::Answered || !tries.another(outcome) {
            return result;
        }
        drop(result);
        tries.rest(throttle, outcome, &did).await;
    }
}

/// What an answer, or its absence, says of the server's load, and what the server did.
fn outcome(result: &Result<Response>) -> (RequestOutcome, String) {
    match result {
        Ok(response) => outcome_of(response),
        Err(error) if error.kind() == ErrorKind::Network => (RequestOutcome::Silent, silent(error)),
        Err(_) => (RequestOutcome::Answered, String::new()),
    }
}

/// What a server did that did not answer.
pub(super) fn silent(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("gave no answer ({cause})")
}

pub(super) fn outcome_of(response: &Response) -> (RequestOutcome, String) {
    let outcome = match response.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            RequestOutcome::TooMuch(asked_to_wait(response))
        }
        status if answer::is_passing(status) => RequestOutcome::Failed,
        _ => RequestOutcome::Answered,
    };
    (outcome, format!("answered {}", response.status()))
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
fn asked_to_wait(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    retry_after(value.trim(), SystemTime::now())
}

fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_ask_for_patience_in_two_ways() {
        // The date of RFC 9110, section 5.6.7.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - seconds);
        for (value, now, expected) in [
            ("7", at(0), Some(7)),
            ("100000", at(0), Some(60)),
            (date, at(20), Some(20)),
            (date, at(100), Some(60)),
            (date, at(0), Some(0)),
            ("soon", at(0), None),
            ("-1", at(0), None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(date, SystemTime::now()), Some(Duration::ZERO), "long gone");
    }
}
