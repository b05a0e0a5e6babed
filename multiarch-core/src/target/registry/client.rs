//! Requests: authentication, retries, time limits.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{Method, Response, StatusCode, Url, header, redirect};
use tokio::time::{sleep, timeout};

use super::{
    Address, RegistryOptions,
    address::Scheme,
    answer,
    auth::{Auth, Scope},
    credentials,
    gate::Gate,
    pace::{Kind, Outcome},
    tls::Verifier,
};
use crate::error::{Error, ErrorKind, Result};

/// Every request that sends little ends within this time.
const LIMIT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);
/// How often a refused token is fetched anew: it may end again before it is used.
const MAX_REFUSALS: u32 = 2;
/// How often a request is made that fails, or that the server asks to make later, and how long the
/// pauses between are.
pub(super) const TRIES: u32 = 5;
const PATIENCE: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A server may ask for this much patience, not more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A connection to one registry.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) auth: Auth,
    pub(super) address: Address,
    pub(super) gate: Arc<Gate>,
    origin: Url,
    verifier: Arc<Verifier>,
}

/// A request that can be made again.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(header::HeaderName, String)>,
    pub(super) body: Option<Arc<[u8]>>,
}

impl Client {
    /// Finds out how the registry is reached. Loopback and insecure hosts may speak plain HTTP; that
    /// is tried where TLS is not spoken at all, never where a certificate is refused.
    pub(super) async fn connect(address: Address, options: RegistryOptions) -> Result<Arc<Self>> {
        let insecure = options.insecure_hosts.iter().any(|host| host == address.host());
        let credentials = credentials::find(&options, address.host())?;
        let verifier = Verifier::new(&options, insecure)?;
        let mut builder = reqwest::Client::builder();
        if address.is_loopback() {
            // HTTP_PROXY is not meant for what runs on this machine; other tools agree.
            builder = builder.no_proxy();
        }
        let http = builder
            .tls_backend_preconfigured(verifier.config()?)
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::limited(5))
            .user_agent(concat!("multiarch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::caused_by(ErrorKind::Network, "setting up HTTP", e))?;
        let url = |scheme: Scheme| {
            Url::parse(&format!("{}://{}/v2/", scheme.name(), address.host())).map_err(|e| {
                Error::caused_by(ErrorKind::Usage, "the target's host is malformed", e)
                    .at_host(address.host())
            })
        };
        let gate = Gate::new(options.bound(), address.host(), options.progress.clone());
        let may_be_plain = insecure || address.is_loopback();
        let client = |origin: Url| Self {
            auth: Auth::new(http.clone(), origin.clone(), credentials.clone()),
            http: http.clone(),
            address: address.clone(),
            gate: gate.clone(),
            origin,
            verifier: verifier.clone(),
        };
        let chosen = match address.scheme() {
            Some(scheme) => client(url(scheme)?),
            None if !may_be_plain => client(url(Scheme::Https)?),
            None => {
                let tls = client(url(Scheme::Https)?);
                match limited(tls.http.get(tls.origin.clone()).send()).await {
                    Err(_) if verifier.refused().is_none() => client(url(Scheme::Http)?),
                    _ => tls,
                }
            }
        };
        Ok(Arc::new(chosen))
    }

    /// A request below `/v2/`.
    pub(super) fn ask(&self, method: Method, path: &str, scope: Scope) -> Ask {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v2/{path}"));
        Ask { method, url, scope, headers: Vec::new(), body: None }
    }

    /// Makes a request until there is an answer that says something: passing errors are waited for,
    /// a refused token is fetched anew once.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Response> {
        let place = |e: Error| {
            let e = self.explain(e).at_host(self.address.host());
            e.asking(format!("{} {}", ask.method, ask.url.path()))
        };
        for _ in 0..MAX_REFUSALS {
            let used = self.authorization(&ask.url, &ask.scope).await.map_err(place)?;
            let request = || self.send_once(ask, used.as_deref());
            let response = patiently(Some(&self.gate), request).await.map_err(place)?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            let again = self.auth.refused(response.headers(), &ask.scope, used.as_deref()).await;
            if !again.map_err(place)? {
                return Ok(response);
            }
        }
        let used = self.authorization(&ask.url, &ask.scope).await.map_err(place)?;
        patiently(Some(&self.gate), || self.send_once(ask, used.as_deref())).await.map_err(place)
    }

    async fn send_once(&self, ask: &Ask, authorization: Option<&str>) -> Result<Response> {
        let mut request = self.http.request(ask.method.clone(), ask.url.clone());
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &ask.body {
            request = request.body(body.to_vec());
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let response = limited(request.send()).await?;
        if response.status().is_success() {
            self.auth.accepted().await;
        }
        Ok(response)
    }

    /// Waits before another try of an upload.
    pub(super) async fn pause(&self, round: u32) {
        rest(Some(&self.gate), round).await;
    }

    /// The header for a request, but not for one to another host: an upload may go elsewhere.
    pub(super) async fn authorization(&self, url: &Url, scope: &Scope) -> Result<Option<String>> {
        if self.is_origin(url) { self.auth.header(scope).await } else { Ok(None) }
    }

    pub(super) fn is_origin(&self, url: &Url) -> bool {
        url.host_str() == self.origin.host_str()
            && url.port_or_known_default() == self.origin.port_or_known_default()
            && url.scheme() == self.origin.scheme()
    }

    /// Where a `Location` leads. A server behind a TLS proxy that does not know it gives `http://`
    /// for itself: the scheme stays ours then.
    pub(super) fn resolve(&self, from: &Url, location: &str) -> Result<Url> {
        let mut url = from.join(location).map_err(|e| {
            Error::caused_by(ErrorKind::Server, "the server's Location is malformed", e)
        })?;
        if url.host_str() == self.origin.host_str() && url.scheme() == "http" {
            let same_port = url.port() == self.origin.port();
            if same_port && self.origin.scheme() == "https" {
                let _ = url.set_scheme("https");
            }
        }
        Ok(url)
    }

    /// Says what a failure to connect really was.
    pub(super) fn explain(&self, error: Error) -> Error {
        match self.verifier.refused() {
            Some(fingerprint) if error.kind() == ErrorKind::Network => {
                let message = format!(
                    "the certificate is not trusted; its SHA-256 fingerprint is {fingerprint}"
                );
                Error::caused_by(ErrorKind::Untrusted, message, error)
            }
            _ => error,
        }
    }
}

/// Ends a request after its time.
pub(super) async fn limited(
    request: impl Future<Output = reqwest::Result<Response>>,
) -> Result<Response> {
    match timeout(LIMIT, request).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(network(error)),
        Err(_) => Err(Error::new(ErrorKind::Network, "no answer within 60 seconds")),
    }
}

pub(super) fn network(error: reqwest::Error) -> Error {
    // The URL is in the error's place already, and may have a session in its query.
    Error::caused_by(ErrorKind::Network, "the request failed", error.without_url())
}

/// Repeats a request while its failure may pass, and makes it when the gate lets it.
pub(super) async fn patiently<F: Future<Output = Result<Response>>>(
    gate: Option<&Arc<Gate>>,
    mut request: impl FnMut() -> F,
) -> Result<Response> {
    let (mut failures, mut refusals) = (0, 0);
    loop {
        let permit = match gate {
            Some(gate) => Some(gate.enter(Kind::Small).await),
            None => None,
        };
        let result = request().await;
        let outcome = outcome(&result);
        if let Some(permit) = permit {
            permit.end(outcome);
        }
        match outcome {
            Outcome::Answered => return result,
            Outcome::TooMuch(asked) => {
                refusals += 1;
                if refusals >= PATIENCE {
                    return result;
                }
                // Behind a gate nobody passes before that time.
                if gate.is_none() {
                    sleep(asked.unwrap_or_else(|| pause(refusals))).await;
                }
            }
            Outcome::Failed => {
                failures += 1;
                if failures >= TRIES {
                    return result;
                }
                rest(gate, failures).await;
            }
        }
    }
}

/// Waits before another try.
async fn rest(gate: Option<&Arc<Gate>>, round: u32) {
    let pause = pause(round);
    if let Some(gate) = gate {
        gate.tell(pause, "gave no answer");
    }
    sleep(pause).await;
}

/// What an answer, or its absence, says of the server's load.
fn outcome(result: &Result<Response>) -> Outcome {
    match result {
        Ok(response) => outcome_of(response),
        Err(error) if error.kind() == ErrorKind::Network => Outcome::Failed,
        Err(_) => Outcome::Answered,
    }
}

pub(super) fn outcome_of(response: &Response) -> Outcome {
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Outcome::TooMuch(asked_to_wait(response))
        }
        status if answer::is_passing(status) => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

/// The pause before try `round + 1`, longer each time, and not the same for everybody.
pub(super) fn pause(round: u32) -> Duration {
    let base = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(round - 1)).min(LONGEST_PAUSE);
    let spread = u64::from(std::process::id()).wrapping_mul(2_654_435_761) % 256;
    base + Duration::from_millis(spread)
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
