//! The first request with a login, by which the others find out whether it is good.

use std::sync::atomic::Ordering;

use tokio::sync::MutexGuard;

use super::{Auth, Scope};
use crate::error::{Error, Result};

impl Auth {
    /// Waits while another request tries the login for the first time: a login that is refused for each of
    /// many requests locks the account. `None` where the login is known to be good, or is not sent.
    pub(in crate::registry) async fn first_login(
        &self,
        used: Option<&str>,
    ) -> Result<Option<FirstLogin<'_>>> {
        let is_basic = used.is_some_and(|used| used.starts_with("Basic "));
        if !is_basic || self.is_login_taken.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let first = self.first_login.lock().await;
        if let Some(error) = self.refused.get() {
            return Err(error.clone());
        }
        let is_taken = self.is_login_taken.load(Ordering::Relaxed);
        Ok((!is_taken).then_some(FirstLogin { auth: self, _first: first }))
    }
}

/// The first request with a login. What becomes of it holds for the requests that wait.
pub(in crate::registry) struct FirstLogin<'a> {
    auth: &'a Auth,
    _first: MutexGuard<'a, ()>,
}

impl FirstLogin<'_> {
    /// The server has answered with something else than 401.
    pub(in crate::registry) fn taken(self) {
        self.auth.is_login_taken.store(true, Ordering::Relaxed);
    }

    /// The server has answered 401 with this error. Gives the error of all other requests.
    pub(in crate::registry) fn refused(self, error: Error, scope: &Scope) -> Error {
        let error = self.auth.login_refused(error, self.auth.login(scope));
        self.auth.refused.get_or_init(|| error).clone()
    }
}
