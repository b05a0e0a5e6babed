//! How the servers of one run are reached.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use super::{
    concurrency::DEFAULT_BOUND,
    runtime::{Runtime, SharedRuntime},
    throttle::{Throttle, Throttles},
    transport::Transport,
};
use crate::{config::Credentials, error::Result, plan::Options, run::Context};

/// How the servers of one run are reached. Clones share one throttle for each server, so that images
/// and charts which go to the same server do not overload it together.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(super) transport: Transport,
    pub(super) auth_file: Option<PathBuf>,
    pub(super) credentials: Option<Credentials>,
    pub(super) context: Context,
    jobs: Option<NonZeroUsize>,
    throttles: Throttles,
    runtime: SharedRuntime,
}

impl Connector {
    /// A connector with a run's options.
    pub(crate) fn new(options: &Options, context: &Context) -> Self {
        Self {
            transport: Transport::new(options),
            auth_file: options.auth_file.clone(),
            credentials: None,
            context: context.clone(),
            jobs: options.jobs,
            throttles: Throttles::default(),
            runtime: SharedRuntime::default(),
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

    pub(super) fn throttle(&self, host: &str) -> Arc<Throttle> {
        self.throttles.get(self.max_requests(), host, self.context.meter.clone())
    }

    /// The runtime of all requests of this run.
    pub(super) fn runtime(&self) -> Result<Arc<Runtime>> {
        self.runtime.get(&self.context.cancel)
    }
}
