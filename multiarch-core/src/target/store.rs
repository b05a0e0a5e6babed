//! What a target can do: few primitives, everything else is written once above them.

use std::{fmt, io::Read, str::FromStr, sync::Arc};

use super::{OciLayout, charts::ChartTarget};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Digest, Document},
};

/// The bytes of a blob, as often as they are needed: a request that failed is sent again.
pub trait BlobContent: Sync {
    /// Reads from the start. The reader fails at its end where the bytes are not the right ones.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn open(&self) -> Result<Box<dyn Read + Send + '_>>;

    /// Whether the bytes are on this machine. Others are fetched before they are sent: that may need a
    /// request to the very server that they go to.
    fn is_local(&self) -> bool {
        true
    }

    /// Where the bytes are: of several blobs that wait, the lowest is best read first.
    fn read_order(&self) -> ReadOrder {
        ReadOrder::default()
    }
}

/// A place among all bytes that are read, in the order in which they lie.
pub type ReadOrder = [u64; 3];

/// How a blob came into its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Its bytes were sent.
    Uploaded,
    /// It was mounted from another repository.
    Mounted,
    /// It was there already.
    Present,
}

/// A place that images can be read from and written to.
///
/// `None` and `false` mean that something is not there. Every other failure is an error, and an
/// error is never taken for absence.
pub trait ImageStore: Send + Sync {
    /// What a tag holds.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>>;

    /// A manifest or index by its digest.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what its digest says.
    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>>;

    /// A small blob, such as a config, of at most `limit` bytes.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what its digest says.
    fn get_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>>;

    /// Whether a blob of this size is there.
    ///
    /// # Errors
    /// Where that cannot be told.
    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool>;

    /// Writes a blob, or mounts it from another repository that has it. `content` fails at its end
    /// where it is not what the digest says; nothing may be visible under the digest then.
    ///
    /// # Errors
    /// Where reading or writing fails.
    fn put_blob(
        &self,
        repository: &str,
        digest: &Digest,
        size: u64,
        from: Option<&str>,
        content: &dyn BlobContent,
    ) -> Result<Sent>;

    /// Writes a manifest or index by its digest, not by a tag.
    ///
    /// # Errors
    /// Where writing fails.
    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()>;

    /// Sets a tag that held `before`. A store may keep it until [`ImageStore::flush`].
    ///
    /// # Errors
    /// Where writing fails.
    fn put_tag(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<()>;

    /// Makes all tags that were set visible. Gives those that someone else has changed meanwhile,
    /// which were left as they are.
    ///
    /// # Errors
    /// Where writing fails.
    fn flush(&self) -> Result<Vec<TargetName>>;

    /// True where a tag is compared and set in one step, so that nobody can come in between.
    fn tags_are_atomic(&self) -> bool {
        false
    }

    /// How many requests at once are of use.
    fn jobs(&self) -> usize {
        1
    }

    /// All tags.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn tags(&self) -> Result<Vec<TargetName>>;

    /// The tags of one repository, where one request tells them all; `None` where asking for single
    /// tags is the better way.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn tags_of(&self, repository: &str) -> Result<Option<Vec<String>>> {
        let _ = repository;
        Ok(None)
    }

    /// Whether all repositories share one set of blobs.
    fn shares_blobs(&self) -> bool {
        false
    }
}

/// A target: where images go, and where charts go.
#[derive(Clone)]
pub struct Target {
    name: String,
    store: Arc<dyn ImageStore>,
    /// Where the cluster pulls from, if the name tells: a host, and perhaps a path.
    registry: Option<String>,
    charts: Option<ChartTarget>,
}

impl Target {
    /// A target over a store of one's own.
    pub fn new(name: impl Into<String>, store: Arc<dyn ImageStore>) -> Self {
        Self { name: name.into(), store, registry: None, charts: None }
    }

    /// The same with a place for charts.
    #[must_use]
    pub fn with_charts(mut self, charts: ChartTarget) -> Self {
        self.charts = Some(charts);
        self
    }

    /// Where charts go.
    pub fn charts(&self) -> Option<&ChartTarget> {
        self.charts.as_ref()
    }

    /// Where the cluster pulls the target's images from: a host, and perhaps a path below which all
    /// names are; `None` for a directory.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The store.
    pub fn store(&self) -> &dyn ImageStore {
        &*self.store
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Reads `oci:DIR`, an OCI layout directory. Registries need options: see
    /// `registry::Registry`.
    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix("oci:") {
            Some(path) if !path.is_empty() => Ok(Self::new(text, Arc::new(OciLayout::new(path)))),
            _ => {
                let message = "the target is no OCI layout: expected oci:DIR";
                Err(Error::new(ErrorKind::Usage, message))
            }
        }
    }
}

#[cfg(feature = "registry")]
impl Target {
    /// Reads `oci:DIR`, or a registry's address: `docker://host[:port][/path]`, `https://…`,
    /// `http://…`, or `host[:port][/path]`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for anything else.
    pub fn open(text: &str, options: super::registry::RegistryOptions) -> Result<Self> {
        if text.starts_with("oci:") {
            return text.parse();
        }
        let address: super::registry::Address = text.parse()?;
        let name = address.to_string();
        let registry = Some(address.registry());
        let store = Arc::new(super::registry::Registry::new(address, options)?);
        Ok(Self { registry, ..Self::new(name, store) })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.name)
    }
}
