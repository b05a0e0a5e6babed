//! How a registry is spoken to.

use std::{fmt, path::PathBuf};

use crate::apply::Cancel;

/// How a registry is spoken to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Files with certificates, in PEM, that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Hosts, with their port if they have one, whose certificate is not verified and that may speak
    /// plain HTTP.
    pub insecure_hosts: Vec<String>,
    /// User and password; without, docker's and podman's configuration is asked.
    pub credentials: Option<Credentials>,
    /// Stops what is under way.
    pub cancel: Cancel,
}

/// User and password, or an identity token. Printing it shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for others.
    IdentityToken(String),
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
            Self::IdentityToken(_) => f.write_str("IdentityToken(…)"),
        }
    }
}
