//! One fault, at one place of one run.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use multiarch_testing::{Answer, Fault, HttpServer, Registry, Request, sha256};

use crate::{
    cell::Which,
    faults::Row,
    requests::{Kind, Sorter},
    scene::Scene,
};

/// What faults need to know of the servers.
#[derive(Default)]
pub(crate) struct World {
    registry: OnceLock<Weak<Registry>>,
    /// Path of a tag → path of what it held before the run.
    pub(crate) old: BTreeMap<String, String>,
    sorter: Sorter,
    /// How many requests of the kind came, and how many of them got the fault.
    came: AtomicUsize,
    pub(crate) hits: AtomicUsize,
    /// The fault is over.
    pub(crate) is_calm: AtomicBool,
}

/// A request that gets a fault.
pub(crate) struct Hit<'h> {
    pub(crate) request: &'h Request,
    pub(crate) kind: Kind,
    pub(crate) world: &'h Arc<World>,
}

impl World {
    pub(crate) fn of(scene: &Scene) -> Arc<Self> {
        let tags = scene.before.tags().into_iter().filter_map(|(name, bytes)| {
            let (repository, tag) = name.rsplit_once(':')?;
            let path = |reference: &str| format!("/v2/{repository}/manifests/{reference}");
            Some((path(tag), path(&sha256(bytes))))
        });
        Arc::new(Self { old: tags.collect(), ..Self::default() })
    }

    pub(crate) fn knows(&self, registry: &Arc<Registry>) {
        let _ = self.registry.set(Arc::downgrade(registry));
    }

    pub(crate) fn registry(&self) -> Option<Arc<Registry>> {
        self.registry.get()?.upgrade()
    }

    /// What happens to a request.
    pub(crate) fn rule(
        self: &Arc<Self>,
        request: &Request,
        is_of_charts: bool,
        (row, kind, which): (&Row, Kind, Which),
    ) -> Fault {
        // What was redirected is answered at its new address.
        if self.is_calm.load(Ordering::SeqCst) || request.path.contains("redirected=1") {
            return Fault::Nothing;
        }
        let is_of = match is_of_charts {
            true => Kind::of_charts(request),
            false => self.sorter.kind(request),
        };
        if is_of != kind {
            return Fault::Nothing;
        }
        let number = self.came.fetch_add(1, Ordering::SeqCst);
        if !which.hits(number, row.width) {
            return Fault::Nothing;
        }
        self.hits.fetch_add(1, Ordering::SeqCst);
        (row.make)(&Hit { request, kind, world: self })
    }

    /// Deletes a blob or a manifest as a garbage collection does, which leaves what a tag needs.
    pub(crate) fn collect(&self, repository: &str, digest: &str) {
        let Some(registry) = self.registry() else { return };
        let is_needed = || {
            let tags = registry.tags(repository);
            tags.iter().any(|tag| !registry.flaws(repository, tag).is_empty())
        };
        if let Some(blob) = registry.blob(repository, digest) {
            registry.delete_blob(repository, digest);
            if is_needed() {
                registry.put_blob(repository, &blob);
            }
        } else if let Some(manifest) = registry.manifest(repository, digest) {
            registry.delete_manifest(repository, digest);
            if is_needed() {
                registry.put_manifest(repository, "", &manifest.media_type, &manifest.bytes);
            }
        }
    }
}

impl Hit<'_> {
    /// The repository that the request is about.
    pub(crate) fn repository(&self) -> &str {
        let path = self.request.local_path().trim_start_matches("/v2/");
        let end = ["/blobs/", "/manifests/"].iter().find_map(|part| path.find(part));
        end.map_or("", |end| &path[..end])
    }

    /// The digest of the blob or manifest that the request is about.
    pub(crate) fn digest(&self) -> Option<String> {
        let parameter =
            self.request.parameter("mount").or_else(|| self.request.parameter("digest"));
        let last = self.request.local_path().rsplit('/').next()?;
        parameter.or_else(|| last.starts_with("sha256:").then(|| last.to_owned()))
    }
}

/// A host that takes everything, and keeps nothing.
pub(crate) fn elsewhere() -> String {
    static SERVER: OnceLock<HttpServer> = OnceLock::new();
    let start = || {
        HttpServer::empty(|request| match request.reads() {
            true => Fault::answer(404),
            false => Fault::Answer(Answer::new(201)),
        })
    };
    format!("http://{}", SERVER.get_or_init(start).address())
}
