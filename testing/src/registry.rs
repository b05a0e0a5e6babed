//! A registry in memory.

mod access;
mod blobs;
mod harbor;
mod lists;
mod manifests;
mod route;
mod setup;
mod store;
mod uploads;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard},
};

pub use self::{
    harbor::{Harbor, Project},
    setup::{Demand, Setup},
    store::{Manifest, sha256},
};

use self::{access::Access, route::Route, store::Store};
use crate::{Answer, Body, Fault, HttpServer, Request, Service, log::lock};

/// A registry in memory, on a free loopback port. It stops when it is dropped.
///
/// Content that a test puts directly is not checked, so a test can build states that no client
/// could create.
pub struct Registry {
    server: HttpServer,
    state: Arc<Registered>,
}

/// A registry's state, without its server.
#[derive(Debug)]
struct Registered {
    setup: Setup,
    store: Mutex<Store>,
    access: Access,
    /// Only where the setup says that it is a Harbor.
    harbor: Mutex<Harbor>,
}

impl Registry {
    /// Starts an empty registry whose requests go through a rule.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(setup: Setup, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let (store, access) = Default::default();
        let harbor = Mutex::new(setup.harbor.clone().unwrap_or_default());
        let state = Arc::new(Registered { setup, store, access, harbor });
        let server = HttpServer::start(Shared(state.clone()), rule);
        Self { server, state }
    }

    /// Starts an empty registry in which no request fails.
    ///
    /// # Panics
    /// If no port is free.
    pub fn new() -> Self {
        Self::start(Setup::default(), |_| Fault::Nothing)
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.server.address()
    }

    /// The requests received since the last call.
    pub fn take(&self) -> Vec<Request> {
        self.server.take()
    }

    /// All repositories.
    pub fn repositories(&self) -> Vec<String> {
        self.state.store().repositories.keys().cloned().collect()
    }

    /// The tags of a repository.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let store = self.state.store();
        let found = store.repositories.get(repository).into_iter();
        found.flat_map(|repository| repository.tags.keys().cloned()).collect()
    }

    /// The digests of a repository's blobs.
    pub fn blobs(&self, repository: &str) -> Vec<String> {
        let store = self.state.store();
        let found = store.repositories.get(repository).into_iter();
        found.flat_map(|repository| repository.blobs.keys().cloned()).collect()
    }

    /// The number of uploads that have begun and not ended.
    pub fn sessions(&self) -> usize {
        self.state.store().sessions.len()
    }

    /// The manifest at a tag or a digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Manifest> {
        self.state.store().manifest(repository, reference).cloned()
    }

    /// The bytes of a blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Arc<[u8]>> {
        self.state.store().blob(repository, digest)
    }

    /// What is wrong with a tag or a digest and everything it refers to: missing content, wrong
    /// sizes, and bytes that do not match their digest.
    pub fn flaws(&self, repository: &str, reference: &str) -> Vec<String> {
        let store = self.state.store();
        let none = || vec![format!("there is no repository {repository}")];
        store.repositories.get(repository).map_or_else(none, |found| found.flaws(reference))
    }

    /// Puts a blob and returns its digest.
    pub fn put_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = sha256(content);
        let mut store = self.state.store();
        store.repository(repository).blobs.insert(digest.clone(), content.into());
        digest
    }

    /// Puts a manifest or an index at a tag, or only under its digest if the tag is empty. Returns
    /// its digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> String {
        let manifest = Manifest { media_type: media_type.into(), bytes: bytes.into() };
        self.state.store().repository(repository).put_manifest(tag, manifest)
    }

    /// Deletes a tag, or a manifest with all of its tags. True if there was one.
    pub fn delete_manifest(&self, repository: &str, reference: &str) -> bool {
        self.state.store().delete_manifest(repository, reference)
    }

    /// Deletes a blob, as garbage collection does. True if there was one.
    pub fn delete_blob(&self, repository: &str, digest: &str) -> bool {
        self.state.store().delete_blob(repository, digest)
    }

    /// The state of the Harbor that it is.
    pub fn harbor(&self) -> MutexGuard<'_, Harbor> {
        lock(&self.state.harbor)
    }

    /// Ends every token issued so far.
    pub fn revoke_tokens(&self) {
        self.state.access.revoke();
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({})", self.address())
    }
}

impl Registered {
    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    fn not_allowed() -> Answer {
        Answer::error(405, "UNSUPPORTED", "the operation is unsupported")
    }
}

struct Shared(Arc<Registered>);

impl Service for Shared {
    fn answer(&self, request: &Request, body: &mut Body<'_>) -> io::Result<Answer> {
        let state = &*self.0;
        if state.setup.harbor.is_some() {
            if request.is("POST", "/api/v2.0/projects") {
                return Ok(state.harbor_create(request, &body.whole()?));
            }
            if let Some(answer) = state.harbor_answer(request) {
                return Ok(answer);
            }
        }
        if request.local_path() == "/token" {
            return Ok(state.access.token(&state.setup, request));
        }
        let Some(route) = Route::of(request) else {
            return Ok(Answer::error(404, "NAME_INVALID", "invalid repository name"));
        };
        if let Some(refusal) = state.access.refusal(&state.setup, request, &route) {
            return Ok(refusal);
        }
        match &route {
            Route::Root => Ok(Answer::json(200, &serde_json::json!({}))),
            Route::Uploads(_) => state.begin(request, body, &route),
            Route::Session(repository, id) => state.session(request, body, repository, id),
            Route::Manifest(repository, reference) => {
                state.manifest(request, body, repository, reference)
            }
            Route::Blob(repository, digest) => Ok(state.blob(request, repository, digest)),
            // The rest is read only.
            _ if !request.reads() => Ok(Registered::not_allowed()),
            Route::Catalog => Ok(state.catalog(request)),
            Route::Tags(repository) => Ok(state.tags(request, repository)),
            Route::Referrers(repository, digest) => {
                Ok(state.referrers(request, repository, digest))
            }
        }
    }
}
