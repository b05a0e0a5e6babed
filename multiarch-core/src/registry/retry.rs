//! Retries: which failures may pass, and how long to wait before the next attempt.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{Response, StatusCode, header};
use tokio::time::sleep;

use super::{
    concurrency::RequestOutcome,
    refusal,
    throttle::{Permit, Throttle},
};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    run::backoff::pause,
};

/// A request is given up at its 6th failure (no answer, or an error such as 500).
const MAX_FAILURES: u32 = 6;
/// One for which the server was waited for in vain counts as two of them: it has taken a minute or more.
const SILENCE: u32 = 2;
/// A request is given up the 12th time that the server throttles it (429 or 503).
const MAX_THROTTLED: u32 = 12;
/// The longest `Retry-After` that is respected; longer ones are cut to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A server that asks to come again later than this is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Counts the failed attempts of one request, or one upload.
#[derive(Debug, Default)]
pub(super) struct Retries {
    failures: u32,
    throttled: u32,
}

impl Retries {
    /// Counts a failed attempt, which may have given an error. True if there may be another one.
    pub(super) fn count_and_may_retry(
        &mut self,
        outcome: RequestOutcome,
        error: Option<&Error>,
    ) -> bool {
        let is_silent = error.is_some_and(|error| error.case() == Some(Detail::Silent));
        match outcome {
            RequestOutcome::Throttled(_) => self.throttled += 1,
            _ => self.failures += if is_silent { SILENCE } else { 1 },
        }
        self.failures < MAX_FAILURES && self.throttled < MAX_THROTTLED
    }

    /// Waits before the next attempt. Where the server asked for a pause and the request has a
    /// throttle, this does not wait: the throttle does.
    pub(super) async fn wait(
        &self,
        throttle: Option<&Arc<Throttle>>,
        outcome: RequestOutcome,
        did: &str,
    ) {
        let backoff = pause(self.failures.max(self.throttled).max(1), std::process::id());
        match (outcome, throttle) {
            (RequestOutcome::Answered, _) | (RequestOutcome::Throttled(_), Some(_)) => {}
            (RequestOutcome::Throttled(asked), None) => {
                sleep(asked.map_or(backoff, |a| a.max(backoff))).await
            }
            (RequestOutcome::Failed | RequestOutcome::NoAnswer, _) => {
                if let Some(throttle) = throttle {
                    throttle.report_wait(backoff, did);
                }
                sleep(backoff).await;
            }
        }
    }
}

/// Makes a request as soon as the throttle permits it, and repeats it while its failure may pass.
pub(super) async fn with_retries<F: Future<Output = Result<Response>>>(
    throttle: Option<&Arc<Throttle>>,
    mut request: impl FnMut() -> F,
) -> Result<Response> {
    let mut tries = Retries::default();
    loop {
        let permit = match throttle {
            Some(throttle) => Some(throttle.enter().await?),
            None => None,
        };
        let mut result = request().await;
        let (outcome, did) = outcome(&result);
        note(&mut result, permit, outcome, &did);
        if outcome == RequestOutcome::Answered
            || !tries.count_and_may_retry(outcome, result.as_ref().err())
        {
            return result;
        }
        drop(result);
        tries.wait(throttle, outcome, &did).await;
    }
}

/// Waits where an answer broke off and may be asked for again.
pub(super) async fn may_read_again(
    throttle: &Arc<Throttle>,
    error: &Error,
    tries: &mut Retries,
) -> bool {
    let outcome = RequestOutcome::NoAnswer;
    if error.case() != Some(Detail::BrokenOff) || !tries.count_and_may_retry(outcome, None) {
        return false;
    }
    tries.wait(Some(throttle), outcome, &no_answer(error)).await;
    true
}

/// Makes a request once, with a permit that the caller holds.
pub(super) async fn once(
    permit: Permit,
    request: impl Future<Output = Result<Response>>,
) -> Result<Response> {
    let mut result = request.await;
    let (outcome, did) = outcome(&result);
    note(&mut result, Some(permit), outcome, &did);
    result
}

/// Reports an outcome to the throttle. The response takes the permit with it: the request ends when its
/// body is read, or dropped.
fn note(result: &mut Result<Response>, permit: Option<Permit>, outcome: RequestOutcome, did: &str) {
    let Some(mut permit) = permit else { return };
    permit.note(outcome, did);
    if let Ok(response) = result {
        response.extensions_mut().insert(Arc::new(permit));
    }
}

/// The outcome of a request for the server's throttle, and what the server did, for messages.
fn outcome(result: &Result<Response>) -> (RequestOutcome, String) {
    match result {
        Ok(response) => outcome_of(response),
        Err(error) if error.kind() == ErrorKind::Network && !is_permanent(error) => {
            (RequestOutcome::NoAnswer, no_answer(error))
        }
        Err(_) => (RequestOutcome::Answered, String::new()),
    }
}

/// True for a failure that the same request would meet again.
fn is_permanent(error: &Error) -> bool {
    use Detail::{PlainHttp, ProxyLogin, TlsVersion};
    matches!(error.case(), Some(PlainHttp | ProxyLogin | TlsVersion))
}

/// Describes a missing answer by the innermost cause of the error.
pub(super) fn no_answer(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("gave no answer ({cause})")
}

pub(super) fn outcome_of(response: &Response) -> (RequestOutcome, String) {
    let outcome = match response.status() {
        _ if asks_for_too_much(response) => RequestOutcome::Answered,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            RequestOutcome::Throttled(asked_to_wait(response).map(|wait| wait.min(LONGEST_WAIT)))
        }
        status if refusal::is_transient(status) => RequestOutcome::Failed,
        _ => RequestOutcome::Answered,
    };
    (outcome, format!("answered {}", response.status()))
}

/// True for a server that asks to come again so late that the run does not wait for it.
fn asks_for_too_much(response: &Response) -> bool {
    asked_to_wait(response).is_some_and(|asked| asked > LONGEST_PAUSE)
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
    Some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // The date of RFC 9110, section 5.6.7.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - seconds);
        for (value, now, expected) in [
            ("7", at(0), Some(7)),
            ("100000", at(0), Some(100_000)),
            (date, at(20), Some(20)),
            (date, at(100), Some(100)),
            (date, at(0), Some(0)),
            ("soon", at(0), None),
            ("-1", at(0), None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(date, SystemTime::now()), Some(Duration::ZERO), "long gone");
    }
}
