//! How the servers of one run are reached.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use rustix::process::Resource;

use super::{
    concurrency::DEFAULT_BOUND,
    rate::RateLimit,
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
    pub(super) is_for_charts: bool,
    pub(crate) context: Context,
    jobs: Option<NonZeroUsize>,
    throttles: Throttles,
    runtime: SharedRuntime,
    pub(super) rate: Arc<RateLimit>,
}

impl Connector {
    /// A connector with a run's options.
    pub(crate) fn new(options: &Options, context: &Context) -> Self {
        Self {
            transport: Transport::new(options, &context.cancel),
            auth_file: options.auth_file.clone(),
            credentials: None,
            is_for_charts: false,
            context: context.clone(),
            jobs: options.jobs,
            throttles: Throttles::default(),
            runtime: SharedRuntime::default(),
            rate: Arc::new(RateLimit::new(options.limit_rate)),
        }
    }

    /// The same with these credentials. With `None` they are looked up in the environment and in the
    /// configuration of docker and podman.
    pub(crate) fn with_credentials(&self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// The same for a chart repository, which may have a login of its own in the environment.
    pub(crate) fn for_charts(self) -> Self {
        Self { is_for_charts: true, ..self }
    }

    /// The most concurrent requests to one server.
    pub(crate) fn max_requests(&self) -> usize {
        let wanted = self.jobs.map_or(DEFAULT_BOUND, NonZeroUsize::get);
        wanted.min(most_by_open_files(rustix::process::getrlimit(Resource::Nofile).current))
    }

    pub(super) fn throttle(&self, host: &str) -> Arc<Throttle> {
        self.throttles.get(self.max_requests(), host, self.context.meter.clone())
    }

    /// The runtime of all requests of this run.
    pub(super) fn runtime(&self) -> Result<Arc<Runtime>> {
        self.runtime.get(&self.context.cancel)
    }
}

/// Files that are open besides those of requests: standard streams, the package, its index, the runtime's.
const OTHER_FILES: u64 = 16;

/// The most concurrent requests that leave enough open files: each needs a connection, and reads a package.
fn most_by_open_files(limit: Option<u64>) -> usize {
    let free = limit.unwrap_or(u64::MAX).saturating_sub(OTHER_FILES) / 2;
    usize::try_from(free).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_bound_requests() {
        for (limit, requests) in [(Some(1024), 504), (Some(32), 8), (Some(8), 1), (Some(0), 1)] {
            assert_eq!(most_by_open_files(limit), requests, "{limit:?}");
        }
        assert!(most_by_open_files(None) > DEFAULT_BOUND);
    }
}
