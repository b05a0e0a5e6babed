//! The registry as an [`ImageStore`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use reqwest::Method;

use super::{
    Address, Connector, auth::Scope, client::Admission, connection::Connection,
    greeting::ServerKind, presence::StoredBlob,
};
use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind, Result},
    image::{Digest, Document},
    store::{BlobContent, ImageStore, Sent},
};

/// How often a tag is asked for that the server lists and says not to have.
const MAX_DOUBTS: u32 = 6;
/// The pause after the first time; it doubles with each.
const DOUBT: Duration = Duration::from_millis(100);

/// A registry, reached over HTTP.
pub(crate) struct Registry {
    pub(super) connection: Connection,
    copying: Mutex<()>,
    damaged: Mutex<BTreeSet<Digest>>,
    /// What the tag list of each repository was when this run first missed a tag there.
    listed: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// The size of the smallest blob that the server did not take in one PUT.
    pub(super) wants_chunks: AtomicU64,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.connection.address)
    }
}

impl Registry {
    /// A registry; nothing is sent yet.
    ///
    /// # Errors
    /// If threads cannot be started.
    pub(crate) fn new(address: Address, connector: Connector) -> Result<Self> {
        let connection = Connection::new(address, connector, ServerKind::Registry)?;
        Ok(Self {
            connection,
            copying: Mutex::new(()),
            damaged: Mutex::default(),
            listed: Mutex::default(),
            wants_chunks: AtomicU64::new(u64::MAX),
        })
    }

    /// The digests that the registry holds with a wrong size, as far as this run has seen.
    fn damaged(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<StoredBlob> {
        let client = self.connection.client()?;
        let (repository, digest) = (repository.to_owned(), digest.clone());
        let stored =
            async move { client.stored_blob(&repository, &digest, size, Admission::Queue).await };
        self.connection.runtime.run(stored)
    }

    /// True where the registry's own list of tags says that it does not have a tag.
    fn is_unlisted(&self, name: &TargetName) -> bool {
        let repository = self.connection.address.repository(name.repository());
        let (tag, queue) = (name.tag().to_owned(), Admission::Queue);
        let asked = self.connection.client().and_then(|client| {
            let ask = async move { Ok(client.is_unlisted(&repository, &tag, queue).await) };
            self.connection.runtime.run(ask)
        });
        asked.unwrap_or(false)
    }

    /// True where the registry lists a tag that it has just said not to have: a server with replicas or a cache
    /// says so for moments. The list is asked for once a repository; one that is not given shows nothing.
    fn lists(&self, name: &TargetName) -> bool {
        let known = || self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tags) = known().get(name.repository()) {
            return tags.contains(name.tag());
        }
        let tags = self.tags_of(name.repository()).ok().flatten().unwrap_or_default();
        let is_listed = tags.iter().any(|tag| tag == name.tag());
        known().insert(name.repository().to_owned(), tags.into_iter().collect());
        is_listed
    }

    fn read_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        let read = match self.read_manifest(name.repository(), name.tag()) {
            Err(error) if error.case() == Some(Detail::NotFromRegistry) => {
                match self.is_unlisted(name) {
                    true => None,
                    false => return Err(error),
                }
            }
            read => read?,
        };
        let Some((body, media_type)) = read else { return Ok(None) };
        let document = Document::new(body, declared(&media_type));
        let unreadable = |e| self.unreadable(e, name.repository(), name.tag()).of_image(name);
        document.map(Some).map_err(unreadable)
    }

    /// The error of a document that the registry holds, and not a package.
    fn unreadable(&self, error: Error, repository: &str, reference: &str) -> Error {
        self.place(Error::of_target(error), repository, reference)
    }

    /// Held while a blob is copied within the registry, so that at most one is in memory as a whole.
    pub(super) fn lock_copying(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImageStore for Registry {
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        for round in 0..MAX_DOUBTS {
            let read = self.read_tag(name)?;
            if read.is_some() || !self.lists(name) {
                return Ok(read);
            }
            self.connection.connector.context.cancel.sleep(DOUBT * 2u32.pow(round))?;
        }
        let message = "the server lists the tag, and says that it does not have it";
        let error = Error::new(ErrorKind::UnreadableTag, message).of_image(name);
        Err(self.place(error, name.repository(), name.tag()))
    }

    fn place(&self, error: Error, repository: &str, reference: &str) -> Error {
        let address = &self.connection.address;
        let request = format!("GET /v2/{}/manifests/{reference}", address.repository(repository));
        error.at_host(address.host()).asking(request)
    }

    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
        let reference = digest.to_string();
        let Some((body, media_type)) = self.read_manifest(repository, &reference)? else {
            return Ok(None);
        };
        let document = Document::verified(body, declared(&media_type), digest);
        document.map(Some).map_err(|e| self.unreadable(e, repository, &reference))
    }

    fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let digest = digest.clone();
        self.connection.runtime.run(async move { client.has_manifest(&repository, &digest).await })
    }

    fn get_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let path = format!("{repository}/blobs/{digest}");
        let request = client.request(Method::GET, &path, Scope::pull(&repository));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let answer = self
            .connection
            .runtime
            .run(async move { client.send_and_read(&request, limit).await })?;
        let Some((body, _)) = answer else { return Ok(None) };
        digest.verify(&body)?;
        Ok(Some(body))
    }

    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        let repository = self.connection.address.repository(repository);
        Ok(match self.stored_blob(&repository, digest, size)? {
            StoredBlob::Absent => false,
            stored if stored.other_size(size).is_some() => {
                self.damaged().insert(digest.clone());
                false
            }
            StoredBlob::Present(_) => true,
        })
    }

    fn put_blob(
        &self,
        repository: &str,
        mount_from: Option<&str>,
        content: &BlobContent<'_>,
    ) -> Result<Sent> {
        let address = &self.connection.address;
        let repository = address.repository(repository);
        let is_damaged = self.damaged().contains(content.digest());
        let mount_from = mount_from.filter(|_| !is_damaged).map(|from| address.repository(from));
        let sent = self.send_blob(&repository, mount_from, content)?;
        // Some registries keep what they have under a digest, whatever is sent.
        if is_damaged {
            let stored = self.stored_blob(&repository, content.digest(), content.size())?;
            if let Some(size) = stored.other_size(content.size()) {
                let message = format!(
                    "the registry holds this blob with a size of {size} bytes instead of {}, and keeps it so although all of it was sent",
                    content.size()
                );
                let error = Error::new(ErrorKind::Server, message).with_detail(Detail::NotStored);
                return Err(error.at_host(address.host()));
            }
            self.damaged().remove(content.digest());
        }
        Ok(sent)
    }

    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let document = document.clone();
        self.connection
            .runtime
            .run(async move { client.put_manifest(&repository, &document).await })
    }

    fn put_tag(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<()> {
        let repository = self.connection.address.repository(name.repository());
        let client = self.connection.client()?;
        let (tag, before) = (name.tag().to_owned(), before.cloned());
        let document = document.clone();
        let put = async move { client.put_tag(&repository, &tag, before, &document).await };
        self.connection.runtime.run(put)
    }

    fn remove_tag(&self, name: &TargetName, before: &Digest) -> Result<bool> {
        let now = self.get_tag(name)?.map(|document| document.digest().clone());
        if now.as_ref() != Some(before) {
            return Err(Error::new(ErrorKind::Contended, "the tag has changed").of_image(name));
        }
        let repository = self.connection.address.repository(name.repository());
        let client = self.connection.client()?;
        let tag = name.tag().to_owned();
        self.connection.runtime.run(async move { client.remove_tag(&repository, &tag).await })
    }

    fn lists_referrers(&self, repository: &str) -> Result<bool> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        self.connection.runtime.run(async move { client.lists_referrers(&repository).await })
    }

    fn compares_tags(&self) -> bool {
        true
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        Ok(Vec::new())
    }

    fn jobs(&self) -> usize {
        self.connection.connector.max_requests()
    }

    fn prepare(&self, next: &[(&str, bool)]) {
        // Where the registry is not reached, the requests that follow say so.
        let Ok(client) = self.connection.client() else { return };
        let scopes = next.iter().map(|(repository, writes)| {
            let repository = self.connection.address.repository(repository);
            if *writes { Scope::push(&repository) } else { Scope::pull(&repository) }
        });
        client.auth.prepare(scopes);
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        let client = self.connection.client()?;
        self.connection.runtime.run(client.list())
    }

    fn tags_of(&self, repository: &str) -> Result<Option<Vec<String>>> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        self.connection.runtime.run(async move { client.tags_at_once(&repository).await })
    }
}

/// The media type that the server declares; `None` for a generic one, so that the document decides.
fn declared(media_type: &str) -> Option<&str> {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    let nothing = ["", "application/json", "application/octet-stream", "text/plain"];
    (!nothing.contains(&name)).then_some(name)
}
