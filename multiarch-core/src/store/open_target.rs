//! A target that can be read and written.

use std::{fmt, sync::Arc};

use super::{ChartRepo, ImageStore};

/// Where images go, and where charts go.
#[derive(Clone)]
pub(crate) struct OpenTarget {
    /// As the user named it.
    pub(crate) name: String,
    /// True for a store of a program's own, which has no address.
    pub(crate) is_own_store: bool,
    pub(crate) images: Arc<dyn ImageStore>,
    /// Where the cluster pulls images from, as charts name it: a host and perhaps a path. `None` for a
    /// directory, unless the options set it.
    pub(crate) registry: Option<String>,
    pub(crate) charts: Option<OpenCharts>,
}

/// A chart repository.
#[derive(Clone)]
pub(crate) struct OpenCharts {
    /// As the user named it.
    pub(crate) name: String,
    pub(crate) repo: Arc<dyn ChartRepo>,
}

impl fmt::Debug for OpenTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenTarget({})", self.name)
    }
}
