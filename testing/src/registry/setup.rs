//! What a registry supports, and what it demands.

use std::time::Duration;

use super::Harbor;

/// What a registry supports, and what it demands. The default supports everything, and gives
/// everyone access.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who has access.
    pub demand: Demand,
    /// Users and their passwords. If there are no users, every request for a token gets one.
    pub users: Vec<(String, String)>,
    /// It mounts a blob that another repository has. Otherwise it begins an upload (202).
    pub mounts: bool,
    /// It refuses a manifest whose blobs or manifests it does not have.
    pub checks_references: bool,
    /// It keeps the bytes of an upload that broke off, and reports how many it has. Otherwise it
    /// drops them.
    pub keeps_parts: bool,
    /// It lists referrers. Otherwise their address is unknown (404).
    pub referrers: bool,
    /// It accepts a blob in one piece. Otherwise it requires chunks (413).
    pub whole_blobs: bool,
    /// It is a Harbor, which begins in this state; then `demand` is not looked at.
    pub harbor: Option<Harbor>,
    /// A list has at most this many entries on a page, even if a client asks for more.
    pub page: usize,
}

/// Who has access to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Everyone.
    Nothing,
    /// Users with their passwords.
    Basic,
    /// Clients with a token for the repository. The registry issues the tokens itself, at `/token`.
    Token {
        /// A token ends after this time, which the answer with the token states.
        lifetime: Duration,
        /// A token ends after this many requests, which the answer does not state.
        uses: usize,
    },
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            demand: Demand::Nothing,
            users: Vec::new(),
            mounts: true,
            checks_references: true,
            keeps_parts: true,
            referrers: true,
            whole_blobs: true,
            harbor: None,
            page: 100,
        }
    }
}

impl Setup {
    /// The same with one more user, whose password is required.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.into(), password.into()));
        if self.harbor.is_none() && self.demand == Demand::Nothing {
            self.demand = Demand::Basic;
        }
        self
    }

    /// The same, with tokens that end after this many requests.
    #[must_use]
    pub fn tokens(mut self, uses: usize) -> Self {
        self.demand = Demand::Token { lifetime: Duration::from_secs(300), uses };
        self
    }
}
