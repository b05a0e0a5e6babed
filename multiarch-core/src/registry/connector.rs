//! How the servers of one run are reached.

use std::{num::NonZeroUsize, path::PathBuf};

use super::{concurrency::BOUND, throttle::Throttles};
use crate::{config::Credentials, plan::Options, run::Context};

/// How the servers of one run are reached. Clones share what they know of each server's load, so that
/// images and charts which go to one server do not overload it together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    pub(super) ca_files: Vec<PathBuf>,
    pub(super) insecure_hosts: Vec<String>,
    pub(super) jobs: Option<NonZeroUsize>,
    pub(super) credentials: Option<Credentials>,
    pub(super) context: Context,
    pub(super) throttles: Throttles,
}

impl Connector {
    /// By a run's options.
    pub(crate) fn new(options: &Options, context: &Context) -> Self {
        Self {
            ca_files: options.ca_files.clone(),
            insecure_hosts: options.insecure_hosts.clone(),
            jobs: options.jobs,
            credentials: None,
            context: context.clone(),
            throttles: Throttles::default(),
        }
    }

    /// The same with credentials; without, docker's and podman's configuration is asked.
    pub(crate) fn with_credentials(&self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// The most requests at once to one server.
    pub(crate) fn bound(&self) -> usize {
        self.jobs.map_or(BOUND, NonZeroUsize::get)
    }
}
