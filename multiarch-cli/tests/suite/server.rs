//! The registry in memory, which behaves like real ones.

use multiarch_generator::Image;
use multiarch_testing::{Fault, Registry, Request, Setup};
use serde_json::{Value, json};

use crate::account::{ADMIN, Account, SOMEONE};

/// Which real registry it behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// docker-registry 2.8.2, which drops the bytes of an upload that broke off, and lists no
    /// referrers.
    Debian,
    /// distribution v3.
    V3,
}

pub(crate) const ALL: [Kind; 2] = [Kind::Debian, Kind::V3];

impl Kind {
    /// True if it reports how many bytes it has of an upload that broke off.
    pub(crate) fn keeps_parts(self) -> bool {
        self == Self::V3
    }

    fn setup(self) -> Setup {
        let full = self == Self::V3;
        Setup { keeps_parts: full, referrers: full, ..Setup::default() }
    }
}

/// A running registry.
pub(crate) struct Server {
    pub(crate) registry: Registry,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_with(kind, |_| Fault::Nothing)
    }

    /// Its requests go through a rule.
    pub(crate) fn start_with(
        kind: Kind,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        Self::set_up(kind.setup(), rule)
    }

    /// Only the accounts have access.
    pub(crate) fn protected(
        kind: Kind,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let add = |setup: Setup, account: Account| setup.user(account.name, account.password);
        Self::set_up([SOMEONE, ADMIN].into_iter().fold(kind.setup(), add), rule)
    }

    /// It has its own setup.
    pub(crate) fn set_up(
        setup: Setup,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let registry = Registry::start(setup, rule);
        let address = registry.address();
        Self { registry, address }
    }

    pub(crate) fn target(&self) -> String {
        format!("docker://{}", self.address)
    }

    /// The requests received since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        self.registry.take()
    }

    /// Fails if any bytes of an image, or of anything it refers to, are missing or wrong.
    pub(crate) fn validate(&self, name: &str) {
        let (repository, reference) = split(name);
        let flaws = self.registry.flaws(repository, reference);
        assert!(flaws.is_empty(), "{name}: {flaws:?}");
    }

    /// The same for an image whose layers are not archives.
    pub(crate) fn fetch(&self, name: &str) {
        self.validate(name);
    }

    /// The manifest at a tag or a digest.
    pub(crate) fn manifest(&self, name: &str) -> String {
        let (repository, reference) = split(name);
        let manifest = self.registry.manifest(repository, reference);
        let manifest = manifest.unwrap_or_else(|| panic!("{name} is not there"));
        String::from_utf8(manifest.bytes.to_vec()).expect("text")
    }

    /// The digest that a tag refers to.
    pub(crate) fn digest(&self, name: &str) -> String {
        let (repository, reference) = split(name);
        let manifest = self.registry.manifest(repository, reference);
        manifest.unwrap_or_else(|| panic!("{name} is not there")).digest()
    }

    /// Puts an image at a tag. Its manifest has other bytes than the one that multiarch writes.
    pub(crate) fn push(&self, image: &Image, name: &str) {
        let (repository, tag) = split(name);
        let descriptor = |content: &[u8], media_type: &str| {
            let digest = self.registry.put_blob(repository, content);
            json!({"digest": digest, "mediaType": media_type, "size": content.len()})
        };
        let gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        let layers: Vec<Value> = image.layers.iter().map(|l| descriptor(&l.blob, gzip)).collect();
        let config = "application/vnd.docker.container.image.v1+json";
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "config": descriptor(&image.config, config),
            "layers": layers,
            "mediaType": media_type,
            "schemaVersion": 2,
        });
        self.registry.put_manifest(repository, tag, media_type, manifest.to_string().as_bytes());
    }

    /// Puts raw bytes at a tag, or under their digest if the tag is empty. Returns the digest.
    pub(crate) fn put(&self, repository: &str, tag: &str, media_type: &str, text: &str) -> String {
        self.registry.put_manifest(repository, tag, media_type, text.as_bytes())
    }

    /// Puts a blob and returns its digest.
    pub(crate) fn put_blob(&self, repository: &str, content: &str) -> String {
        self.registry.put_blob(repository, content.as_bytes())
    }
}

/// Repository, and tag or digest.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').or_else(|| name.rsplit_once(':')).expect("a tag or a digest")
}
