//! One blob that is sent to a target: where its bytes come from, and the checks on them.

use std::{
    io::{self, Read},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::ImageStore;
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Hasher},
    package::{Locator, Package},
    run::{Buffer, BufferPermit, BufferSource, Context},
};

/// Where a blob's bytes are: number of the package, stream, offset. Of the blobs that wait to be sent,
/// the first in this order is sent next, so that compressed packages are unpacked once, front to back.
/// What is in memory already comes first, so that the memory is released.
pub(crate) type ReadOrder = [u64; 3];

/// Limit for a blob that is copied within a registry, because the registry does not mount it: it is
/// held in memory whole.
const MAX_COPY: u64 = 64 << 20;

/// The content of one blob, which can be read repeatedly, in case it has to be sent again.
///
/// What is read is checked against the blob's digest and size: where they differ, a reader fails before
/// it gives out the last bytes.
pub struct BlobContent<'a> {
    digest: &'a Digest,
    size: u64,
    origin: ContentOrigin<'a>,
    context: Context,
    /// Bytes that the meter counts as sent since the content was opened last.
    counted: AtomicU64,
    /// Reading the content has failed, so it cannot be sent to any repository.
    unreadable: AtomicBool,
}

enum ContentOrigin<'a> {
    Package(&'a Package, Locator, ReadOrder),
    Memory(&'a [u8]),
    /// Another repository of the target, from which the target does not mount it.
    Target {
        store: &'a dyn ImageStore,
        repository: &'a str,
        fetched: OnceLock<Vec<u8>>,
    },
}

impl<'a> BlobContent<'a> {
    fn new(digest: &'a Digest, size: u64, origin: ContentOrigin<'a>, context: Context) -> Self {
        let (counted, unreadable) = Default::default();
        Self { digest, size, origin, context, counted, unreadable }
    }

    /// Content in memory, which must have this digest.
    pub fn in_memory(digest: &'a Digest, bytes: &'a [u8]) -> Self {
        let origin = ContentOrigin::Memory(bytes);
        Self::new(digest, bytes.len() as u64, origin, Context::default())
    }

    /// A blob of a package; `number` is the package's position in the plan.
    pub(crate) fn in_package(
        digest: &'a Digest,
        locator: Locator,
        (number, package): (usize, &'a Package),
        context: &Context,
    ) -> Self {
        let order = [number as u64, locator.stream.0.into(), locator.offset];
        let origin = ContentOrigin::Package(package, locator, order);
        Self::new(digest, locator.size, origin, context.clone())
    }

    /// A blob in another repository of the target.
    pub(crate) fn in_target(
        digest: &'a Digest,
        size: u64,
        (store, repository): (&'a dyn ImageStore, &'a str),
        context: &Context,
    ) -> Self {
        let origin = ContentOrigin::Target { store, repository, fetched: OnceLock::new() };
        Self::new(digest, size, origin, context.clone())
    }

    /// Digest of the content.
    pub fn digest(&self) -> &Digest {
        self.digest
    }

    /// Size of the content in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads from the start.
    ///
    /// # Errors
    /// Where the content cannot be read. The reader's own error is an [`Error`] inside an
    /// [`io::Error`].
    pub fn reader(&self) -> Result<Box<dyn Read + '_>> {
        let buffers = self.open(BufferPermit::new())?;
        Ok(Box::new(ReadBuffers { buffers, now: None, at: 0 }))
    }

    /// Where the bytes are: of several waiting blobs, the lowest is best read first.
    #[cfg(feature = "registry")]
    pub(crate) fn read_order(&self) -> ReadOrder {
        match self.origin {
            ContentOrigin::Package(_, _, order) => order,
            ContentOrigin::Memory(_) | ContentOrigin::Target { .. } => ReadOrder::default(),
        }
    }

    /// True where opening may need a request to the server that the blob is sent to.
    #[cfg(feature = "registry")]
    pub(crate) fn is_in_target(&self) -> bool {
        matches!(self.origin, ContentOrigin::Target { .. })
    }

    /// Reads a blob of the target into memory, so that opening needs no request.
    pub(crate) fn fetch(&self) -> Result<&[u8]> {
        let ContentOrigin::Target { store, repository, fetched } = &self.origin else {
            return Ok(&[]);
        };
        if let Some(bytes) = fetched.get() {
            return Ok(bytes);
        }
        if self.size > MAX_COPY {
            let message = "the registry does not mount a blob of another repository, and it is too large to be copied";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let missing = || Error::new(ErrorKind::Missing, "the blob is no longer in the target");
        let bytes = store.get_blob(repository, self.digest, self.size)?.ok_or_else(missing)?;
        Ok(fetched.get_or_init(|| bytes))
    }

    /// Reads from the start, in buffers. The consumer must hold a permit; see [`BufferPermit`].
    pub(crate) fn open(&self, permit: BufferPermit) -> Result<BlobReader<'_>> {
        self.uncount_sent();
        let source = match &self.origin {
            ContentOrigin::Package(package, locator, _) => package.source.open(locator, permit),
            ContentOrigin::Memory(bytes) => Ok(Box::new(MemoryBuffers::new(bytes)) as Box<_>),
            ContentOrigin::Target { .. } => {
                let bytes = self.fetch().inspect_err(|_| self.note_unreadable())?;
                Ok(Box::new(MemoryBuffers::new(bytes)) as Box<_>)
            }
        };
        let source = source.inspect_err(|_| self.note_unreadable()).map_err(reading)?;
        let hasher = Hasher::new(self.digest.algorithm());
        Ok(BlobReader { content: self, source, hasher, seen: 0 })
    }

    /// Subtracts what the meter counted as sent of this content, because it was not sent after all.
    pub(crate) fn uncount_sent(&self) {
        match self.counted.swap(0, Ordering::Relaxed) {
            0 => {}
            bytes => self.context.meter.take_back_sent(bytes),
        }
    }

    fn note_unreadable(&self) {
        self.unreadable.store(true, Ordering::Relaxed);
    }

    /// True where reading the content failed, rather than the target.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.unreadable.load(Ordering::Relaxed)
    }
}

fn reading(error: io::Error) -> Error {
    Error::from_io("reading the package", error)
}

/// A blob's bytes. Each buffer is counted as sent, and size and digest are checked before the last
/// one is given out.
pub(crate) struct BlobReader<'a> {
    content: &'a BlobContent<'a>,
    source: Box<dyn BufferSource + 'a>,
    hasher: Hasher,
    seen: u64,
}

impl BlobReader<'_> {
    /// The next buffer; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Buffer>> {
        let BlobContent { digest, size, context, counted, .. } = self.content;
        context.cancel.check()?;
        let next = self.source.next().map_err(reading);
        let next = next.inspect_err(|_| self.content.note_unreadable())?;
        let length = next.as_ref().map_or(0, |buffer| buffer.as_ref().len()) as u64;
        self.seen += length;
        let checked = match &next {
            Some(_) if self.seen > *size => {
                let message = format!("the content is longer than {size} bytes");
                Err(Error::new(ErrorKind::DigestMismatch, message).with_digest(digest))
            }
            None if self.seen < *size => {
                let message = format!("the content ends after {} of {size} bytes", self.seen);
                Err(Error::new(ErrorKind::Truncated, message).with_digest(digest))
            }
            Some(buffer) => {
                self.hasher.update(buffer.as_ref());
                if self.seen == *size { digest.compare(&self.hasher.finish()) } else { Ok(()) }
            }
            None => digest.compare(&self.hasher.finish()),
        };
        checked.inspect_err(|_| self.content.note_unreadable())?;
        counted.fetch_add(length, Ordering::Relaxed);
        if length > 0 {
            context.meter.add_handed_out(length);
        }
        Ok(next)
    }

    /// Reads the first bytes, which the target has already; they are part of the digest check. Returns
    /// what is left of the buffer in which they end.
    #[cfg(feature = "registry")]
    pub(crate) fn skip(&mut self, mut bytes: u64) -> Result<Option<Buffer>> {
        while bytes > 0 {
            let Some(buffer) = self.next()? else { return Ok(None) };
            let content = buffer.as_ref();
            match usize::try_from(bytes) {
                Ok(skipped) if skipped < content.len() => {
                    return Ok(Some(content[skipped..].to_vec().into()));
                }
                _ => bytes -= content.len() as u64,
            }
        }
        Ok(None)
    }
}

/// Bytes in memory as a sequence of buffers.
struct MemoryBuffers<'a>(std::slice::Chunks<'a, u8>);

impl<'a> MemoryBuffers<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.chunks(crate::run::BUFFER_SIZE))
    }
}

impl BufferSource for MemoryBuffers<'_> {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        Ok(self.0.next().map(|chunk| chunk.to_vec().into()))
    }
}

/// A [`BlobReader`] as [`Read`].
struct ReadBuffers<'a> {
    buffers: BlobReader<'a>,
    now: Option<Buffer>,
    at: usize,
}

impl Read for ReadBuffers<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.now.as_ref().is_none_or(|buffer| self.at == buffer.as_ref().len()) {
            (self.now, self.at) = (self.buffers.next()?, 0);
        }
        let Some(buffer) = &self.now else { return Ok(0) };
        let rest = &buffer.as_ref()[self.at..];
        let count = out.len().min(rest.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl std::fmt::Debug for BlobContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobContent({}, {} bytes)", self.digest, self.size)
    }
}
