//! Authentication: none, basic, or a bearer token for each scope ([token authentication]).
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/

mod challenge;
mod token;

use std::{collections::HashMap, sync::Arc, time::Instant};

use base64::Engine as _;
use reqwest::{Url, header};
use tokio::sync::Mutex;

use self::{
    challenge::Challenge,
    token::{Token, TokenAnswer},
};
use super::{refusal, response, retry};
use crate::{
    config::Credentials,
    error::{Error, ErrorKind, Result},
};

/// The token scopes of a request: its repositories, and whether it writes to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    pub(super) fn pull(repository: &str) -> Self {
        Self(vec![format!("repository:{repository}:pull")])
    }

    pub(super) fn push(repository: &str) -> Self {
        Self(vec![format!("repository:{repository}:pull,push")])
    }

    pub(super) fn catalog() -> Self {
        Self(vec!["registry:catalog:*".into()])
    }

    /// A mount also reads another repository.
    pub(super) fn and_pull(mut self, repository: &str) -> Self {
        self.0.push(format!("repository:{repository}:pull"));
        self
    }
}

/// Authentication at one registry: the credentials, its challenge, and the tokens.
pub(super) struct Auth {
    http: reqwest::Client,
    origin: Url,
    credentials: Option<Credentials>,
    challenge: Mutex<Option<Challenge>>,
    /// One lock per scope: concurrent requests with the same scope fetch one token, and others do not
    /// wait for it.
    tokens: Mutex<HashMap<Scope, Arc<Mutex<Option<Token>>>>>,
}

const MAX_ANSWER: usize = 1 << 20;
const CLIENT_ID: &str = "multiarch";

impl Auth {
    pub(super) fn new(
        http: reqwest::Client,
        origin: Url,
        credentials: Option<Credentials>,
    ) -> Self {
        let (challenge, tokens) = Default::default();
        Self { http, origin, credentials, challenge, tokens }
    }

    /// The `Authorization` of a request; `None` as long as the registry has sent no challenge.
    pub(super) async fn header(&self, scope: &Scope) -> Result<Option<String>> {
        let challenge = self.challenge.lock().await.clone();
        match challenge {
            None | Some(Challenge::None) => Ok(None),
            Some(Challenge::Basic) => Ok(self.basic()),
            Some(Challenge::Bearer { realm, service }) => {
                let token = self.token(scope, &realm, service.as_deref()).await?;
                Ok(Some(format!("Bearer {token}")))
            }
        }
    }

    /// Handles a 401: keeps its challenge, and drops the refused token, unless another request has
    /// replaced it meanwhile. True if another attempt makes sense.
    pub(super) async fn refused(
        &self,
        headers: &header::HeaderMap,
        scope: &Scope,
        used: Option<&str>,
    ) -> Result<bool> {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter();
        let challenges = values.filter_map(|v| v.to_str().ok()).filter_map(Challenge::parse);
        // Docker prefers Bearer if there are several challenges.
        let mut chosen = None;
        for challenge in challenges {
            if matches!(challenge, Challenge::Bearer { .. }) || chosen.is_none() {
                chosen = Some(challenge);
            }
        }
        let Some(chosen) = chosen else { return Ok(false) };
        if let Challenge::Bearer { realm, .. } = &chosen {
            self.check_realm(realm)?;
        }
        let basic = matches!(chosen, Challenge::Basic);
        if basic && (self.basic().is_none() || used == self.basic().as_deref()) {
            return Ok(false);
        }
        self.forget(scope, used).await;
        let mut known = self.challenge.lock().await;
        // Harbor refuses a token without the needed right with a Basic challenge, but still wants
        // tokens.
        if matches!((&*known, &chosen), (Some(Challenge::Bearer { .. }), Challenge::Basic)) {
            return Ok(true);
        }
        *known = Some(chosen);
        Ok(true)
    }

    async fn forget(&self, scope: &Scope, used: Option<&str>) {
        let Some(slot) = self.tokens.lock().await.get(scope).cloned() else { return };
        let mut slot = slot.lock().await;
        if slot.as_ref().is_some_and(|token| used == Some(&format!("Bearer {}", token.text))) {
            *slot = None;
        }
    }

    /// Notes that the registry accepts requests without authentication, unless it has sent a
    /// challenge.
    pub(super) async fn accepted(&self) {
        self.challenge.lock().await.get_or_insert(Challenge::None);
    }

    /// Refuses a token server on another host without TLS, if the registry itself has TLS: the
    /// credentials would be sent unencrypted.
    fn check_realm(&self, realm: &Url) -> Result<()> {
        let plain = realm.scheme() != "https" && self.origin.scheme() == "https";
        let same_host = realm.host_str() == self.origin.host_str();
        if plain && self.credentials.is_some() && !same_host {
            let message = format!("the registry wants credentials sent to {realm} without TLS");
            return Err(Error::new(ErrorKind::Untrusted, message));
        }
        Ok(())
    }

    fn basic(&self) -> Option<String> {
        let Some(Credentials::Basic { user, password }) = &self.credentials else { return None };
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Basic {text}"))
    }

    async fn token(&self, scope: &Scope, realm: &Url, service: Option<&str>) -> Result<String> {
        let slot = self.tokens.lock().await.entry(scope.clone()).or_default().clone();
        let mut slot = slot.lock().await;
        if let Some(token) = &*slot
            && token.expires > Instant::now()
        {
            return Ok(token.text.clone());
        }
        let token = self.fetch(scope, realm, service).await?;
        let text = token.text.clone();
        *slot = Some(token);
        Ok(text)
    }

    async fn fetch(&self, scope: &Scope, realm: &Url, service: Option<&str>) -> Result<Token> {
        let place = |e: Error| e.at_host(realm.host_str().unwrap_or_default());
        let response = retry::with_retries(None, || async {
            let request = self.token_request(scope, realm, service);
            response::with_timeout(response::TIMEOUT, request.send()).await
        })
        .await
        .map_err(place)?;
        if !response.status().is_success() {
            let refusal = refusal::read(response).await;
            let message = format!("no token is given: {}", refusal.message());
            let kind = match refusal.kind() {
                ErrorKind::Denied | ErrorKind::Unauthorized => ErrorKind::Unauthorized,
                other => other,
            };
            return Err(place(Error::new(kind, message)));
        }
        let text = response::body(response, MAX_ANSWER).await.map_err(place)?;
        let answer: TokenAnswer = serde_json::from_slice(&text).map_err(|_| {
            // Without the cause, which might quote the token.
            place(Error::new(
                ErrorKind::Server,
                "the answer to the request for a token is no token",
            ))
        })?;
        answer.into_token().map_err(place)
    }

    fn token_request(
        &self,
        scope: &Scope,
        realm: &Url,
        service: Option<&str>,
    ) -> reqwest::RequestBuilder {
        if let Some(Credentials::IdentityToken(token)) = &self.credentials {
            let mut form = vec![
                ("grant_type", "refresh_token"),
                ("client_id", CLIENT_ID),
                ("refresh_token", token.as_str()),
            ];
            form.extend(service.map(|service| ("service", service)));
            let scopes = scope.0.join(" ");
            if !scopes.is_empty() {
                form.push(("scope", &scopes));
            }
            let mut body = Url::parse("form:").expect("a constant");
            body.query_pairs_mut().extend_pairs(form);
            return self
                .http
                .post(realm.clone())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body.query().unwrap_or_default().to_owned());
        }
        let mut url = realm.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(service.map(|service| ("service", service)));
            query.extend_pairs(scope.0.iter().map(|scope| ("scope", scope)));
        }
        let request = self.http.get(url);
        match self.basic() {
            Some(basic) => request.header(header::AUTHORIZATION, basic),
            None => request,
        }
    }
}
