//! How a registry is spoken to.

use std::{fmt, num::NonZeroUsize, path::PathBuf, sync::Arc};

use super::gate::Gates;
use crate::apply::{Cancel, Progress};

/// How a registry is spoken to.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Files with certificates, in PEM, that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Hosts, with their port if they have one, whose certificate is not verified and that may speak
    /// plain HTTP.
    pub insecure_hosts: Vec<String>,
    /// User and password; without, docker's and podman's configuration is asked.
    pub credentials: Option<Credentials>,
    /// At most so many requests at once to one server; without, 16. Fewer are made where the server
    /// refuses more. What speaks to one server with clones of the same options shares them.
    pub jobs: Option<NonZeroUsize>,
    /// Is told of pauses that the server asks for.
    pub progress: Option<Arc<dyn Progress>>,
    /// Stops what is under way.
    pub cancel: Cancel,
    /// Shared by all clones of these options.
    pub(super) gates: Gates,
}

impl RegistryOptions {
    /// The most requests at once.
    pub(in crate::target) fn bound(&self) -> usize {
        self.jobs.map_or(super::pace::BOUND, NonZeroUsize::get)
    }
}

impl fmt::Debug for RegistryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryOptions")
            .field("ca_files", &self.ca_files)
            .field("insecure_hosts", &self.insecure_hosts)
            .field("credentials", &self.credentials)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
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
