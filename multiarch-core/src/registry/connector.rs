//! How the servers of one run are reached.

use std::{num::NonZeroUsize, path::PathBuf};

use super::{concurrency::DEFAULT_BOUND, throttle::Throttles};
use crate::{config::Credentials, plan::Options, run::Context};

/// How the servers of one run are reached. Clones share one throttle for each server, so that images
/// and charts which go to the same server do not overload it together.
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
    /// A connector with a run's options.
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

    /// The same with these credentials. With `None` they are looked up in the environment and in the
    /// configuration of docker and podman.
    pub(crate) fn with_credentials(&self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// The most concurrent requests to one server.
    pub(crate) fn max_requests(&self) -> usize {
        self.jobs.map_or(DEFAULT_BOUND, NonZeroUsize::get)
    }
}
