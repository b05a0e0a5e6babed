//! What a registry can do, and what it demands.

use std::time::Duration;

/// What a registry can do, and what it demands. The default can do everything, and lets everybody
/// in.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Whom it lets in.
    pub demand: Demand,
    /// Users and their passwords. Without any, whoever asks for a token gets one.
    pub users: Vec<(String, String)>,
    /// It mounts a blob that another repository has. Otherwise it begins an upload (202).
    pub mounts: bool,
    /// It refuses a manifest whose blobs or manifests it does not have.
    pub checks_references: bool,
    /// It keeps the bytes of an upload that broke off, and tells how many it has. Otherwise it
    /// forgets them.
    pub keeps_parts: bool,
    /// It lists referrers. Otherwise it knows no such address (404).
    pub referrers: bool,
    /// It takes a blob in one piece. Otherwise it wants chunks (413).
    pub whole_blobs: bool,
    /// A list has no more entries than this on a page, whatever is asked for.
    pub page: usize,
}

/// Whom a registry lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Everybody.
    Nothing,
    /// Its users, with their passwords.
    Basic,
    /// Whoever has a token for the repository. The registry serves the tokens itself, at `/token`.
    Token {
        /// A token ends after this time, which is told.
        lifetime: Duration,
        /// A token ends after so many requests, which is not told.
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
            page: 100,
        }
    }
}

impl Setup {
    /// The same, for one user more, whose password is asked for.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.into(), password.into()));
        if self.demand == Demand::Nothing {
            self.demand = Demand::Basic;
        }
        self
    }

    /// The same, with tokens that end after so many requests.
    #[must_use]
    pub fn tokens(mut self, uses: usize) -> Self {
        self.demand = Demand::Token { lifetime: Duration::from_secs(300), uses };
        self
    }
}
