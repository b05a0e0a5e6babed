//! One blob that is sent to a target: where its bytes come from, and the checks on them.

use std::{
    io::Read,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{
    ImageStore,
    blob_reader::{BlobReader, MemoryBuffers},
};
#[cfg(feature = "registry")]
use crate::package::ReadOrder;
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Hasher},
    limit,
    package::{Locator, Package, reading},
    run::{BufferPermit, BufferReader, Context},
};

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
    Package {
        package: &'a Package,
        #[cfg_attr(
            not(feature = "registry"),
            expect(dead_code, reason = "only servers are sent in order")
        )]
        number: usize,
        locator: Locator,
    },
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
        let origin = ContentOrigin::Package { package, number, locator };
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

    /// Reads from the start. A reader may hold buffers of its package, and a compressed package is
    /// unpacked for one reader at a time: read it to its end, or drop it, before you wait for another
    /// reader of the same package.
    ///
    /// # Errors
    /// Where the content cannot be read. The reader's own error is an [`Error`] inside an
    /// [`std::io::Error`].
    pub fn reader(&self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(BufferReader::new(self.buffers()?)))
    }

    /// Where the bytes are. What is in memory comes first, so that the memory is released.
    #[cfg(feature = "registry")]
    pub(crate) fn read_order(&self) -> ReadOrder {
        match self.origin {
            ContentOrigin::Package { number, locator, .. } => locator.read_order(number),
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
        if limit::COPIED_BLOB.check(self.size).is_err() {
            let message = "the registry does not mount a blob of another repository, and it is too large to be copied";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        let missing = || Error::new(ErrorKind::Missing, "the blob is no longer in the target");
        let bytes = store.get_blob(repository, self.digest, self.size)?.ok_or_else(missing)?;
        Ok(fetched.get_or_init(|| bytes))
    }

    /// Reads from the start, in buffers, for a consumer that is done with each before it takes the next.
    pub(crate) fn buffers(&self) -> Result<BlobReader<'_>> {
        self.open(BufferPermit::new(&self.context.cancel))
    }

    /// Reads from the start, in buffers. The consumer must hold a permit; see [`BufferPermit`].
    pub(crate) fn open(&self, permit: BufferPermit) -> Result<BlobReader<'_>> {
        self.uncount_sent();
        let source = match &self.origin {
            ContentOrigin::Package { package, locator, .. } => package.source.open(locator, permit),
            ContentOrigin::Memory(bytes) => Ok(Box::new(MemoryBuffers::new(bytes)) as Box<_>),
            ContentOrigin::Target { .. } => {
                let bytes = self.fetch().inspect_err(|_| self.note_unreadable())?;
                Ok(Box::new(MemoryBuffers::new(bytes)) as Box<_>)
            }
        };
        let source = source.inspect_err(|_| self.note_unreadable()).map_err(reading)?;
        let hasher = Hasher::new(self.digest.algorithm());
        let Self { digest, size, context, counted, unreadable, .. } = self;
        let size = *size;
        Ok(BlobReader { digest, size, context, counted, unreadable, source, hasher, seen: 0 })
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

impl std::fmt::Debug for BlobContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobContent({}, {} bytes)", self.digest, self.size)
    }
}
