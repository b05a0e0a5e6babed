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
const MAX_SCOPES: usize = 24;
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
    /// What requests will want that are not made yet.
    upcoming: Vec<Wanted>,
    in_flight: Vec<Wanted>,
    /// False once the server has shown that it gives no token for several scopes.
    shares: bool,
    /// Why no login will be tried again.
    refused: Option<Error>,
}

impl Default for TokenState {
    fn default() -> Self {
        let (tokens, waiting, upcoming, in_flight) = Default::default();
        Self { tokens, waiting, upcoming, in_flight, shares: true, refused: None }
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
                && wanted.scopes.iter().all(|scope| covers(scopes, scope))
                && scopes.is_empty() == wanted.scopes.is_empty()
        });
        found.map(|given| given.token.text.clone())
    }

    /// What to ask for now, on behalf of this request and others; `None` to wait.
    fn begin(&mut self, wanted: &Wanted) -> Option<Vec<Wanted>> {
        if self.in_flight.contains(wanted) {
            return None;
        }
        if self.shares && !self.in_flight.is_empty() && self.upcoming.is_empty() {
            if !self.waiting.contains(wanted) {
                self.waiting.push(wanted.clone());
            }
            return None;
        }
        self.waiting.retain(|waiting| waiting != wanted);
        let mut batch = vec![wanted.clone()];
        if self.shares && !wanted.scopes.is_empty() {
            let mut scopes = wanted.scopes.len();
            for others in [&mut self.waiting, &mut self.upcoming] {
                others.retain(|other| {
                    let fits = other.login == wanted.login
                        && !other.scopes.is_empty()
                        && !batch.contains(other)
                        && scopes + other.scopes.len() <= MAX_SCOPES;
                    if fits {
                        scopes += other.scopes.len();
                        batch.push(other.clone());
                    }
                    !fits && !batch.contains(other)
                });
            }
        }
        self.in_flight.extend(batch.iter().cloned());
        Some(batch)
    }
}

/// Whether scopes allow what one of them names. A token that may push may pull.
fn covers(scopes: &BTreeSet<String>, scope: &str) -> bool {
    let may_push = || scope.strip_suffix(":pull").map(|name| format!("{name}:pull,push"));
    scopes.contains(scope) || may_push().is_some_and(|scope| scopes.contains(&scope))
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

    /// Notes what requests will want that come next; it takes the place of what was noted before.
    pub(super) fn prepare(&self, mut upcoming: Vec<Wanted>) {
        let mut state = self.state();
        upcoming.retain(|wanted| state.find(wanted).is_none());
        state.upcoming = upcoming;
    }

    /// Drops all tokens.
    pub(super) fn forget_all(&self) {
        self.state().tokens.clear();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(repository: &str, actions: &str) -> Wanted {
        let scopes = [format!("repository:{repository}:{actions}")].into();
        Wanted { scopes, login: String::new() }
    }

    #[test]
    fn what_comes_next_is_asked_for_with_what_is_wanted_now() {
        let tokens = Tokens::default();
        tokens.prepare((0..30).map(|n| wanted(&format!("a{n}"), "pull")).collect());
        let first = tokens.state().begin(&wanted("a3", "pull")).expect("no other is under way");
        assert_eq!(first.len(), MAX_SCOPES);
        assert_eq!(first.iter().filter(|batched| **batched == wanted("a3", "pull")).count(), 1);
        assert_eq!(tokens.state().begin(&wanted("a4", "pull")), None, "it is under way");
        // What is not under way need not wait for it.
        let second = tokens.state().begin(&wanted("a29", "pull")).expect("it is not under way");
        assert_eq!(second.len(), 30 - MAX_SCOPES);
        // A server that gives no such tokens is asked for one each.
        tokens.state().shares = false;
        tokens.prepare(vec![wanted("b", "pull")]);
        assert_eq!(tokens.state().begin(&wanted("c", "pull")).map(|batch| batch.len()), Some(1));
    }

    #[test]
    fn a_token_that_may_push_may_pull() {
        let scopes = wanted("a", "pull,push").scopes;
        for (scope, covered) in [
            ("repository:a:pull", true),
            ("repository:a:pull,push", true),
            ("repository:b:pull", false),
            ("repository:a:delete", false),
            ("registry:catalog:*", false),
        ] {
            assert_eq!(covers(&scopes, scope), covered, "{scope}");
        }
        assert!(!covers(&wanted("a", "pull").scopes, "repository:a:pull,push"));
    }
}
