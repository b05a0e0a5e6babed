//! The registry as an [`ImageStore`].

use std::io::{self, Read};

use bytes::Bytes;
use reqwest::{Method, StatusCode, header};

use super::{
    Address, RegistryOptions, answer,
    auth::Scope,
    client,
    connection::Connection,
    pace::{Kind, Outcome},
    upload::{Begun, Ended, Point},
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, MAX_DOCUMENT_SIZE, types},
    source::{PIECE, Room},
    target::{BlobContent, ImageStore, Sent},
};

/// A registry, spoken to over HTTP.
pub struct Registry {
    connection: Connection,
    /// Buffers on their way to the network; uploads bound how many there are.
    room: Room,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.connection.address)
    }
}

/// How many pieces of 256 KiB may wait in an upload.
const WAITING: usize = 4;
/// Everything that can stand at a tag. A server may hide what is not asked for behind a 404.
const ACCEPT: [&str; 4] =
    [types::OCI_INDEX, types::OCI_MANIFEST, types::DOCKER_LIST, types::DOCKER_MANIFEST];

impl Registry {
    /// A registry; nothing is sent yet.
    ///
    /// # Errors
    /// Where threads cannot be started.
    pub fn new(address: Address, options: RegistryOptions) -> Result<Self> {
        let connection = Connection::new(address, options)?;
        Ok(Self { connection, room: Room::of(usize::MAX) })
    }

    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<(Vec<u8>, String)>> {
        let repository = self.connection.address.repository(repository);
        let path = format!("{repository}/manifests/{reference}");
        let limit = usize::try_from(MAX_DOCUMENT_SIZE).unwrap_or(usize::MAX);
        self.get(&path, Scope::pull(&repository), &ACCEPT, limit)
    }

    /// The body and its type; `None` for 404 alone.
    fn get(
        &self,
        path: &str,
        scope: Scope,
        accept: &[&str],
        limit: usize,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let client = self.connection.client()?;
        let mut ask = client.ask(Method::GET, path, scope);
        if !accept.is_empty() {
            ask.headers.push((header::ACCEPT, accept.join(", ")));
        }
        self.connection.runtime.run(async move {
            let response = client.send(&ask).await?;
            let place = |e: Error| {
                let e = e.at_host(client.address.host());
                e.asking(format!("GET {}", ask.url.path()))
            };
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Ok(None),
                _ => return Err(place(answer::refusal(response).await)),
            }
            let media_type = response.headers().get(header::CONTENT_TYPE);
            let media_type = media_type.and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
            let body = client::body(response, limit).await.map_err(place)?;
            Ok(Some((body, media_type)))
        })
    }

    fn put_document(&self, repository: &str, reference: &str, document: &Document) -> Result<()> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let path = format!("{repository}/manifests/{reference}");
        let mut ask = client.ask(Method::PUT, &path, Scope::push(&repository));
        ask.headers.push((header::CONTENT_TYPE, document.media_type().into()));
        ask.body = Some(document.raw().into());
        self.connection.runtime.run(async move {
            let response = client.send(&ask).await?;
            if response.status().is_success() {
                return Ok(());
            }
            let error = answer::refusal(response).await.at_host(client.address.host());
            Err(error.asking(format!("PUT {}", ask.url.path())))
        })
    }

    /// Feeds an upload from this thread, which reads; the runtime sends. A failure to read is what
    /// is reported then, not the request that ended because of it.
    fn feed(
        &self,
        content: &dyn BlobContent,
        offset: u64,
        start: impl FnOnce(super::upload::Chunks) -> super::runtime::Pending<Ended>,
    ) -> Result<Ended> {
        let mut reader = content.open()?;
        let skipped = io::copy(&mut reader.by_ref().take(offset), &mut io::sink());
        skipped.map_err(|e| Error::from_io("reading a blob", e))?;
        let (sender, receiver) = async_channel::bounded(WAITING);
        let pending = start(receiver);
        let mut failure = None;
        loop {
            let mut chunk = self.room.take();
            // Full ones, so that the last read, with its check, comes before the last bytes are sent.
            match chunk.fill(&mut reader, PIECE) {
                Ok(0) => break,
                Ok(_) => {
                    // The server has answered already: it wants no more.
                    if sender.send_blocking(Ok(Bytes::from_owner(chunk))).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    failure = Some(Error::from_io("reading a blob", error));
                    let _ = sender.send_blocking(Err(()));
                    break;
                }
            }
        }
        drop(sender);
        let ended = pending.wait();
        match failure {
            Some(error) => Err(error),
            None => ended,
        }
    }

    /// Sends a blob, or what the server does not have of it yet, when its gate lets it.
    fn upload(
        &self,
        repository: &str,
        (digest, size): (&Digest, u64),
        point: Point,
        chunked: bool,
        content: &dyn BlobContent,
    ) -> Result<Ended> {
        let client = self.connection.client()?;
        let gate = client.gate.clone();
        let permit =
            self.connection.runtime.run(async move { Ok(gate.enter(Kind::Upload).await) })?;
        let (repository, digest) = (repository.to_owned(), digest.clone());
        let ended = self.feed(content, point.offset, |chunks| {
            self.connection.runtime.start(async move {
                if chunked || point.offset > 0 {
                    return client.put_chunked(point, &repository, &digest, chunks).await;
                }
                client.put_whole(point.session, &repository, &digest, size, chunks).await
            })
        });
        permit.end(match &ended {
            Ok(Ended::TryAgain(again)) => again.outcome,
            _ => Outcome::Answered,
        });
        ended
    }
}

impl ImageStore for Registry {
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        let Some((body, media_type)) = self.manifest(name.repository(), name.tag())? else {
            return Ok(None);
        };
        Document::new(body, declared(&media_type)).map(Some).map_err(|e| e.of_image(name))
    }

    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
        let Some((body, media_type)) = self.manifest(repository, &digest.to_string())? else {
            return Ok(None);
        };
        Document::verified(body, declared(&media_type), digest).map(Some)
    }

    fn get_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let repository = self.connection.address.repository(repository);
        let path = format!("{repository}/blobs/{digest}");
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let Some((body, _)) = self.get(&path, Scope::pull(&repository), &[], limit)? else {
            return Ok(None);
        };
        digest.verify(&body)?;
        Ok(Some(body))
    }

    fn has_blob(&self, repository: &str, digest: &Digest, _size: u64) -> Result<bool> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let path = format!("{repository}/blobs/{digest}");
        // The right to push is asked for at once: the token then serves the upload, too.
        let ask = client.ask(Method::HEAD, &path, Scope::push(&repository));
        self.connection.runtime.run(async move {
            let response = client.send(&ask).await?;
            match response.status() {
                StatusCode::OK => Ok(true),
                StatusCode::NOT_FOUND => Ok(false),
                _ => {
                    let error = answer::refusal(response).await.at_host(client.address.host());
                    Err(error.asking(format!("HEAD {}", ask.url.path())))
                }
            }
        })
    }

    fn put_blob(
        &self,
        repository: &str,
        digest: &Digest,
        size: u64,
        from: Option<&str>,
        content: &dyn BlobContent,
    ) -> Result<Sent> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let mut source = from.map(|from| self.connection.address.repository(from));
        let (mut failures, mut chunked) = (0, false);
        let mut point: Option<Point> = None;
        loop {
            let begun = match point.take() {
                Some(point) => Begun::Session(point),
                None => {
                    let (client, repository) = (client.clone(), repository.clone());
                    let mount = source.take().map(|from| (digest.clone(), from));
                    self.connection.runtime.run(async move {
                        let mount = mount.as_ref().map(|(digest, from)| (digest, from.as_str()));
                        client.begin_upload(&repository, mount).await
                    })?
                }
            };
            let Begun::Session(at) = begun else { return Ok(Sent::Mounted) };
            let before = at.offset;
            match self.upload(&repository, (digest, size), at, chunked, content)? {
                Ended::Done => return Ok(Sent::Uploaded),
                Ended::WantsChunks if !chunked => chunked = true,
                Ended::WantsChunks => {
                    let message = "the server takes the blob neither in one piece nor in chunks";
                    return Err(Error::new(ErrorKind::Server, message)
                        .at_host(self.connection.address.host()));
                }
                Ended::TryAgain(again) => {
                    failures += 1;
                    if failures >= client::TRIES {
                        return Err(again.error);
                    }
                    let (client, repository) = (client.clone(), repository.clone());
                    point = self.connection.runtime.run(async move {
                        if again.outcome == Outcome::Failed {
                            client.pause(failures).await;
                        }
                        Ok(client.go_on(again, &repository, size).await)
                    })?;
                    // A line that breaks now and then brings a blob across, a part at a time.
                    if point.as_ref().is_some_and(|point| point.offset > before) {
                        failures = 0;
                    }
                }
            }
        }
    }

    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        self.put_document(repository, &document.digest().to_string(), document)
    }

    fn put_tag(
        &self,
        name: &TargetName,
        _before: Option<&Digest>,
        document: &Document,
    ) -> Result<()> {
        self.put_document(name.repository(), name.tag(), document)
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        Ok(Vec::new())
    }

    fn jobs(&self) -> usize {
        self.connection.options.bound()
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

/// A type that says nothing leaves it to the document.
fn declared(media_type: &str) -> Option<&str> {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    let nothing = ["", "application/json", "application/octet-stream", "text/plain"];
    (!nothing.contains(&name)).then_some(name)
}
