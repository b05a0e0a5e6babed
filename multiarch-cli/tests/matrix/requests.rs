//! The kinds of requests that an import and a fusion make.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use multiarch_testing::Request;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Greeting,
    Token,
    /// A tag, before this run has written it: for the plan, and right before the write.
    ReadTag,
    HeadManifest,
    /// A manifest that the tag lists.
    ReadManifest,
    HeadBlob,
    /// A config that the registry holds.
    ReadBlob,
    Mount,
    Session,
    Patch,
    /// The end of a session, with or without bytes.
    PutBlob,
    PutManifest,
    PutTag,
    /// A tag, after this run has written it.
    ReadBack,
    ChartIndex,
    ReadChart,
    PostChart,
    /// Whether a chart is there after it was uploaded.
    SeeChart,
    /// Not made without a fault: asking whether the server is a Harbor, or how much of an upload it has.
    Other,
}

impl Kind {
    /// The rows of the table; what is only made after a fault has none.
    pub(crate) const ALL: [Self; 18] = [
        Self::Greeting,
        Self::Token,
        Self::ReadTag,
        Self::HeadManifest,
        Self::ReadManifest,
        Self::HeadBlob,
        Self::ReadBlob,
        Self::Mount,
        Self::Session,
        Self::Patch,
        Self::PutBlob,
        Self::PutManifest,
        Self::PutTag,
        Self::ReadBack,
        Self::ChartIndex,
        Self::ReadChart,
        Self::PostChart,
        Self::SeeChart,
    ];

    pub(crate) fn writes(self) -> bool {
        use Kind::{Mount, Patch, PostChart, PutBlob, PutManifest, PutTag, Session};
        matches!(self, Mount | Session | Patch | PutBlob | PutManifest | PutTag | PostChart)
    }

    /// True for a request to the chart repository.
    pub(crate) fn is_of_charts(self) -> bool {
        matches!(self, Self::ChartIndex | Self::ReadChart | Self::PostChart | Self::SeeChart)
    }

    /// True for a request that concerns a whole server, and not one image or chart.
    pub(crate) fn is_of_server(self) -> bool {
        matches!(self, Self::Greeting | Self::Token | Self::ChartIndex)
    }

    /// True where the answer has a body that is read.
    pub(crate) fn has_body(self) -> bool {
        use Kind::{
            ChartIndex, Greeting, PostChart, ReadBack, ReadBlob, ReadChart, ReadManifest, ReadTag,
            SeeChart, Token,
        };
        matches!(
            self,
            Greeting
                | Token
                | ReadTag
                | ReadManifest
                | ReadBlob
                | ReadBack
                | ChartIndex
                | ReadChart
                | PostChart
                | SeeChart
        )
    }

    /// A request to the chart repository.
    pub(crate) fn of_charts(request: &Request) -> Self {
        let path = request.local_path();
        match request.method.as_str() {
            "POST" => Self::PostChart,
            _ if path.ends_with("/index.yaml") => Self::ChartIndex,
            _ if path.starts_with("/charts/") => Self::ReadChart,
            _ if path.starts_with("/api/charts/") => Self::SeeChart,
            _ => Self::Other,
        }
    }
}

/// Sorts the requests to a registry, and remembers which tags were written.
#[derive(Default)]
pub(crate) struct Sorter {
    written: Mutex<BTreeSet<String>>,
}

impl Sorter {
    pub(crate) fn kind(&self, request: &Request) -> Kind {
        let path = request.local_path();
        let is_by_digest = path.contains("/manifests/sha256:");
        match request.method.as_str() {
            "GET" if path == "/v2/" => Kind::Greeting,
            "GET" if path == "/token" => Kind::Token,
            "GET" if is_by_digest => Kind::ReadManifest,
            "GET" if path.contains("/manifests/") => {
                let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                if written.contains(path) { Kind::ReadBack } else { Kind::ReadTag }
            }
            "GET" if path.contains("/blobs/sha256:") => Kind::ReadBlob,
            "HEAD" if path.contains("/manifests/") => Kind::HeadManifest,
            "HEAD" if path.contains("/blobs/") => Kind::HeadBlob,
            "POST" if request.path.contains("mount=") => Kind::Mount,
            "POST" => Kind::Session,
            "PATCH" => Kind::Patch,
            "PUT" if path.contains("/blobs/uploads/") => Kind::PutBlob,
            "PUT" if is_by_digest => Kind::PutManifest,
            "PUT" if path.contains("/manifests/") => {
                let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                written.insert(path.to_owned());
                Kind::PutTag
            }
            _ => Kind::Other,
        }
    }
}
