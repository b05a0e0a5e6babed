//! The tokens at one registry. Requests that wait for tokens at the same time share one, where the
//! server gives a token for several scopes: at a Harbor each costs a tenth of a second.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::token::Token;
use crate::error::{Error, Result};

/// A token is asked for at most this many scopes: it is sent in a header, and servers bound those.
const MAX_SCOPES: usize = 16;
/// The scopes of a request, and the login that they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) scopes: BTreeSet<String>,
    /// The path of the login; requests with different ones share no token.
    pub(super) login: String,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    state: Mutex<TokenState>,
    changed: Notify,
}

/// A token that was given.
#[derive(Debug)]
struct Given {
    login: String,
    token: Token,
    /// It was asked for on behalf of several requests.
    is_shared: bool,
}

#[derive(Debug)]
struct TokenState {
    tokens: Vec<Given>,
    waiting: Vec<Wanted>,
    in_flight: Vec<Wanted>,
    /// False once the server has shown that it gives no token for several scopes.
    shares: bool,
    /// Why no login will be tried again.
    refused: Option<Error>,
}

impl Default for TokenState {
    fn default() -> Self {
        let (tokens, waiting, in_flight) = Default::default();
        Self { tokens, waiting, in_flight, shares: true, refused: None }
    }
}

impl TokenState {
    fn find(&mut self, wanted: &Wanted) -> Option<String> {
        let now = Instant::now();
        self.tokens.retain(|given| given.token.expires > now);
        let mut tokens = self.tokens.iter();
        let found = tokens.find(|given| {
            let scopes = &given.token.scopes;
            given.login == wanted.login
                && scopes.is_superset(&wanted.scopes)
                && scopes.is_empty() == wanted.scopes.is_empty()
        });
        found.map(|given| given.token.text.clone())
    }

    /// What to ask for now, on behalf of this request and others; `None` to wait.
    fn begin(&mut self, wanted: &Wanted) -> Option<Vec<Wanted>> {
        let is_queued = self.waiting.contains(wanted);
        if self.in_flight.contains(wanted) || self.shares && !self.in_flight.is_empty() {
            if !is_queued && self.shares {
                self.waiting.push(wanted.clone());
            }
            return None;
        }
        self.waiting.retain(|waiting| waiting != wanted);
        let mut batch = vec![wanted.clone()];
        if self.shares && !wanted.scopes.is_empty() {
            let mut scopes = wanted.scopes.len();
            self.waiting.retain(|waiting| {
                let fits = waiting.login == wanted.login
                    && !waiting.scopes.is_empty()
                    && scopes + waiting.scopes.len() <= MAX_SCOPES;
                if fits {
                    scopes += waiting.scopes.len();
                    batch.push(waiting.clone());
                }
                !fits
            });
        }
        self.in_flight.extend(batch.iter().cloned());
        Some(batch)
    }
}

impl Tokens {
    fn state(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token for a request; `fetch` asks the server for one with these scopes.
    pub(super) async fn get<F: Future<Output = Result<Token>>>(
        &self,
        wanted: Wanted,
        fetch: impl Fn(BTreeSet<String>) -> F,
    ) -> Result<String> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let begun = {
                let mut state = self.state();
                if let Some(refused) = &state.refused {
                    return Err(refused.clone());
                }
                if let Some(text) = state.find(&wanted) {
                    return Ok(text);
                }
                state.begin(&wanted)
            };
            let Some(batch) = begun else {
                changed.await;
                continue;
            };
            let mut in_flight = InFlight { tokens: self, batch };
            let scopes = in_flight.batch.iter().flat_map(|wanted| wanted.scopes.clone()).collect();
            let fetched = fetch(scopes).await;
            let is_shared = in_flight.batch.len() > 1;
            let mut state = self.state();
            match fetched {
                Ok(token) if !is_shared || token.covers_all() => {
                    let login = wanted.login.clone();
                    state.tokens.push(Given { login, token, is_shared });
                }
                Err(error) if error.concerns_whole_run() => {
                    state.refused = Some(error.clone()).filter(|error| !error.is_retryable());
                    return Err(error);
                }
                Err(error) if !is_shared => return Err(error),
                // The server may refuse all because of one.
                Ok(_) | Err(_) => state.shares = false,
            }
            drop(state);
            in_flight.end();
        }
    }

    /// Drops a refused token, unless another request has dropped it. If it was asked for on behalf of
    /// several requests, the next ones get one each.
    pub(super) fn forget(&self, text: &str) {
        let mut state = self.state();
        if let Some(at) = state.tokens.iter().position(|given| given.token.text == text) {
            let given = state.tokens.swap_remove(at);
            state.shares &= !given.is_shared;
        }
    }
}

/// The requests whose token is being fetched. They wait until it is dropped, also where the request that
/// fetches it is cancelled.
struct InFlight<'t> {
    tokens: &'t Tokens,
    batch: Vec<Wanted>,
}

impl InFlight<'_> {
    fn end(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.tokens.state().in_flight.retain(|wanted| !batch.contains(wanted));
        self.tokens.changed.notify_waiters();
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
