//! Reads a blob's bytes, and checks them against its digest and size.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Hasher},
    package::reading,
    run::{Buffer, BufferSource, Context},
};

/// A blob's bytes. Each buffer is counted as sent, and size and digest are checked before the last
/// one is given out.
pub(crate) struct BlobReader<'a> {
    pub(super) digest: &'a Digest,
    pub(super) size: u64,
    pub(super) context: &'a Context,
    /// Bytes that the meter counts as sent.
    pub(super) counted: &'a AtomicU64,
    /// Set where reading fails.
    pub(super) unreadable: &'a AtomicBool,
    pub(super) source: Box<dyn BufferSource + 'a>,
    pub(super) hasher: Hasher,
    pub(super) seen: u64,
}

impl BlobReader<'_> {
    /// The next buffer; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Buffer>> {
        let (digest, size) = (self.digest, self.size);
        self.context.cancel.check()?;
        let next = self.source.next().map_err(reading);
        let next = next.inspect_err(|_| self.note_unreadable())?;
        let length = next.as_ref().map_or(0, |buffer| buffer.as_ref().len()) as u64;
        self.seen += length;
        let checked = match &next {
            Some(_) if self.seen > size => {
                let message = format!("the content is longer than {size} bytes");
                Err(Error::new(ErrorKind::DigestMismatch, message).with_digest(digest))
            }
            None if self.seen < size => {
                let message = format!("the content ends after {} of {size} bytes", self.seen);
                Err(Error::new(ErrorKind::Truncated, message).with_digest(digest))
            }
            Some(buffer) => {
                self.hasher.update(buffer.as_ref());
                if self.seen == size { digest.compare(&self.hasher.finish()) } else { Ok(()) }
            }
            None => digest.compare(&self.hasher.finish()),
        };
        checked.inspect_err(|_| self.note_unreadable())?;
        self.counted.fetch_add(length, Ordering::Relaxed);
        if length > 0 {
            self.context.meter.add_handed_out(length);
        }
        Ok(next)
    }

    fn note_unreadable(&self) {
        self.unreadable.store(true, Ordering::Relaxed);
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
pub(super) struct MemoryBuffers<'a>(std::slice::Chunks<'a, u8>);

impl<'a> MemoryBuffers<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.chunks(crate::run::BUFFER_SIZE))
    }
}

impl BufferSource for MemoryBuffers<'_> {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        Ok(self.0.next().map(|chunk| chunk.to_vec().into()))
    }
}

impl BufferSource for BlobReader<'_> {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        Ok(BlobReader::next(self)?)
    }
}
