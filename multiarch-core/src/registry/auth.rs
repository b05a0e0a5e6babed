//! Authentication: none, basic, or a bearer token for each scope ([token authentication]).
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/

mod challenge;
mod first_login;
mod realm;
mod scope;
mod token;
mod tokens;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::Engine as _;
use reqwest::{Response, Url, header};

use tokio::sync::Mutex as AsyncMutex;

use self::{
    challenge::{Bearer, Challenge},
    tokens::{Tokens, Wanted},
};
pub(super) use first_login::FirstLogin;
pub(super) use scope::Scope;

use super::{
    credentials::{Login, Logins},
    throttle::Throttle,
    transport::Transport,
};
use crate::{
    config::Credentials,
    error::{Detail, Error, ErrorKind, Result},
};

/// Authentication at one registry: the logins, its challenge, and the tokens.
pub(super) struct Auth {
    transport: Transport,
    throttle: Arc<Throttle>,
    origin: Url,
    logins: Logins,
    challenge: Mutex<Option<Challenge>>,
    /// The names that the registry itself gave for a scope.
    challenged: Mutex<HashMap<Scope, BTreeSet<String>>>,
    tokens: Tokens,
    /// The registry, or its token server, has taken the login.
    is_login_taken: AtomicBool,
    /// Held by the request that tries the login first.
    first_login: AsyncMutex<()>,
    /// Why the login will not be sent any more.
    refused: OnceLock<Error>,
    /// The registry refuses a greeting without a login.
    wants_login: AtomicBool,
}

impl Auth {
    /// Authentication at the registry `origin`; `throttle` is that of its token server.
    pub(super) fn new(
        transport: &Transport,
        origin: &Url,
        logins: Logins,
        throttle: Arc<Throttle>,
    ) -> Self {
        let (transport, origin) = (transport.clone(), origin.clone());
        let (challenge, challenged, tokens, is_login_taken, wants_login) = Default::default();
        let (first_login, refused) = Default::default();
        Self {
            transport,
            throttle,
            origin,
            logins,
            challenge,
            challenged,
            tokens,
            is_login_taken,
            first_login,
            refused,
            wants_login,
        }
    }

    /// The headers that each request to the registry gets.
    pub(super) fn extra_headers(&self) -> &[(String, String)] {
        &self.logins.headers
    }

    fn challenge(&self) -> MutexGuard<'_, Option<Challenge>> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The login for a request.
    fn login(&self, scope: &Scope) -> Option<&Login> {
        self.logins.of(scope.place())
    }

    /// The `Authorization` of a request; `None` as long as the registry has sent no challenge.
    pub(super) async fn header(&self, scope: &Scope) -> Result<Option<String>> {
        self.header_with(self.login(scope), scope).await
    }

    async fn header_with(&self, login: Option<&Login>, scope: &Scope) -> Result<Option<String>> {
        let challenge = self.challenge().clone();
        match challenge {
            None => Ok(None),
            Some(Challenge::Basic) => match self.refused.get() {
                Some(error) => Err(error.clone()),
                None => Ok(basic(login)),
            },
            Some(Challenge::Bearer(bearer)) => {
                let token = self.token(login, scope, &bearer).await?;
                Ok(Some(format!("Bearer {token}")))
            }
        }
    }

    async fn token(&self, login: Option<&Login>, scope: &Scope, from: &Bearer) -> Result<String> {
        if let Some(Credentials::AccessToken(token)) = login.map(|login| &login.credentials) {
            return Ok(token.clone());
        }
        let wanted = self.wanted(login, scope);
        let fetch = |scopes| async move {
            let fetched = realm::fetch(self, from, login, scopes).await;
            if fetched.is_ok() {
                self.is_login_taken.store(true, Ordering::Relaxed);
            }
            fetched.map_err(|error| self.of_token(error, login, scope))
        };
        self.tokens.get(wanted, fetch).await
    }

    fn wanted(&self, login: Option<&Login>, scope: &Scope) -> Wanted {
        let challenged = self.challenged.lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = challenged.get(scope).unwrap_or(scope.names()).clone();
        let login = login.map(|login| login.describe()).unwrap_or_default();
        Wanted { scopes, login }
    }

    /// Notes the scopes of the requests that come next, so that one token is for several.
    pub(super) fn prepare(&self, scopes: impl Iterator<Item = Scope>) {
        self.tokens.prepare(scopes.map(|scope| self.wanted(self.login(&scope), &scope)).collect());
    }

    /// Where a token server refuses the login as such, no request will succeed.
    fn of_token(&self, error: Error, login: Option<&Login>, scope: &Scope) -> Error {
        let is_new = login.is_some() && !self.is_login_taken.load(Ordering::Relaxed);
        if error.kind() == ErrorKind::Unauthorized && error.detail().is_none() && is_new {
            return self.login_refused(error, login);
        }
        self.describe(error, scope)
    }

    /// The error of a login that is refused, whatever is asked for.
    fn login_refused(&self, error: Error, login: Option<&Login>) -> Error {
        if error.detail().is_some() {
            return error;
        }
        error.with_detail(Detail::LoginRefused).saying(self.logins.describe(login))
    }

    /// Handles a 401: keeps its challenge, and drops a refused token, unless another request has replaced
    /// it meanwhile. True if another attempt makes sense. What another server wants to know, where a redirect
    /// or a Location has led, is no matter of ours: the login is not for it.
    pub(super) async fn refused(
        &self,
        response: &Response,
        scope: &Scope,
        used: Option<&str>,
    ) -> Result<bool> {
        if response.url().origin() != self.origin.origin() {
            return Ok(false);
        }
        let headers = response.headers();
        let Some(chosen) = Challenge::choose(headers, &self.origin)? else {
            // A server that names no way may still take a password.
            let is_silent = !headers.contains_key(header::WWW_AUTHENTICATE) && used.is_none();
            if is_silent && basic(self.login(scope)).is_some() {
                self.challenge().get_or_insert(Challenge::Basic);
                return Ok(true);
            }
            return Ok(false);
        };
        let login = self.login(scope).map(|login| &login.credentials);
        let can_renew = !matches!(login, Some(Credentials::AccessToken(_)));
        if let Some(token) = used.and_then(|used| used.strip_prefix("Bearer ")) {
            self.tokens.forget(token);
        }
        let mut known = self.challenge();
        match (&*known, &chosen) {
            // Harbor refuses a token without the needed right with a Basic challenge, but still wants
            // tokens.
            (Some(Challenge::Bearer(_)), Challenge::Basic) => Ok(can_renew),
            (_, Challenge::Basic) => {
                let basic = basic(self.login(scope));
                *known = Some(chosen);
                Ok(basic.is_some() && used != basic.as_deref())
            }
            (_, Challenge::Bearer(bearer)) => {
                self.learn(scope, &bearer.scopes);
                *known = Some(chosen);
                Ok(can_renew || used.is_none())
            }
        }
    }

    /// Keeps the names that a challenge gives for a scope. A mount needs more than a challenge names.
    fn learn(&self, scope: &Scope, challenged: &[String]) {
        let names = scope.as_challenged(challenged);
        if !scope.names().is_superset(&names) {
            let mut known = self.challenged.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(scope.clone(), names);
        }
    }

    /// The login with which the registry is greeted.
    pub(super) fn greeting(&self, path: &str) -> Option<&Login> {
        self.logins.for_greeting(path)
    }

    /// The `Authorization` of a greeting, by which the registry, or its token server, shows whether it
    /// takes the login. A token server that gives no token without a scope shows it later.
    pub(super) async fn greeting_header(&self, path: &str) -> Result<Option<String>> {
        match self.header_with(self.greeting(path), &Scope::none(path, false)).await {
            Ok(header) => Ok(header),
            Err(error) if error.concerns_whole_run() || error.case() == Some(Detail::Busy) => {
                Err(error)
            }
            Err(_) => Ok(None),
        }
    }

    /// Notes that a greeting with this header was not refused.
    pub(super) fn greeted_with(&self, header: &str) {
        if header.starts_with("Basic ") {
            self.is_login_taken.store(true, Ordering::Relaxed);
        }
    }

    /// The error of a greeting that is refused although it was sent with a login.
    pub(super) fn greeting_refused(&self, error: Error, path: &str) -> Error {
        self.login_refused(error, self.greeting(path))
    }

    /// Adds to a refusal which login the request had, or why it had no login.
    pub(super) fn describe(&self, error: Error, scope: &Scope) -> Error {
        if error.kind() != ErrorKind::Unauthorized || error.detail().is_some() {
            return error;
        }
        let login = self.login(scope);
        if login.is_some() && self.challenge().is_none() {
            return error.saying("the login was not sent, as the server names no way to log in");
        }
        let error = error.saying(self.logins.describe(login));
        if login.is_none() && self.logins.has_problems() {
            return error.with_detail(Detail::LoginUnreadable);
        }
        // What one request is refused without a login, all others are.
        let is_for_all = login.is_none() && self.wants_login.load(Ordering::Relaxed);
        if is_for_all { error.with_detail(Detail::NoLogin) } else { error }
    }

    /// The service that tokens are for; `None` where the registry wants none.
    pub(super) fn service(&self) -> Option<String> {
        match &*self.challenge() {
            Some(Challenge::Bearer(bearer)) => bearer.service.clone(),
            _ => None,
        }
    }

    /// Whether the login may push to a repository, where its token says so.
    pub(super) async fn may_push(&self, repository: &str) -> Result<Option<bool>> {
        let scope = Scope::push(repository);
        let header = self.header(&scope).await?;
        let token = header.as_deref().and_then(|header| header.strip_prefix("Bearer "));
        Ok(token.and_then(|token| token::allows_push(token, repository)))
    }

    /// The `Authorization` of the user with a password, where there is one.
    pub(super) fn password(&self, path: &str) -> Option<String> {
        basic(self.logins.of(path))
    }

    /// Drops all tokens: what they allow has changed.
    pub(super) fn forget_tokens(&self) {
        self.tokens.forget_all();
    }

    /// The error of a login that may not push to a repository.
    pub(super) fn without_push_right(&self, repository: &str) -> Error {
        let message = "the login may not push to this repository";
        let error = Error::new(ErrorKind::Denied, message).with_detail(Detail::NoPushRight);
        error.saying(self.logins.describe(self.login(&Scope::push(repository))))
    }

    /// True where the registry refuses a greeting without a login.
    pub(super) fn wants_login(&self) -> bool {
        self.wants_login.load(Ordering::Relaxed)
    }

    /// Notes that the registry refuses a greeting without a login.
    pub(super) fn note_wants_login(&self) {
        self.wants_login.store(true, Ordering::Relaxed);
    }
}

/// The `Authorization` of a user with a password.
fn basic(login: Option<&Login>) -> Option<String> {
    match &login?.credentials {
        Credentials::Basic { user, password } => Some(basic_of(user, password)),
        _ => None,
    }
}

fn basic_of(user: &str, password: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {text}")
}
