//! Credentials for a server.

use std::fmt;

/// User and password, a token, or no login. The debug form shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// No login: none is looked for, neither in the environment nor in files.
    Anonymous,
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for access tokens.
    IdentityToken(String),
    /// A token that is sent with each request as it is.
    AccessToken(String),
}

impl Credentials {
    /// User and password.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic {{ user: {user:?}, password: … }}"),
            Self::Anonymous => f.write_str("Anonymous"),
            Self::IdentityToken(_) => f.write_str("IdentityToken(…)"),
            Self::AccessToken(_) => f.write_str("AccessToken(…)"),
        }
    }
}
