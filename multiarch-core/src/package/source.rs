//! Where the bytes of a package come from.

use std::{io, sync::Arc};

use super::Locator;
use crate::{
    error::{Error, Result},
    image::{Algorithm, Digest, Hasher},
    limit::SharedBudget,
    run::{Buffer, BufferPermit, BufferSource, Cancel},
};

/// Gives out the bytes at a locator of a package, repeatedly and to several threads at once.
pub(crate) trait BlobSource: Send + Sync {
    /// Opens the bytes at a locator.
    ///
    /// # Errors
    /// Where the file cannot be read.
    fn open(
        &self,
        locator: &Locator,
        permit: BufferPermit,
    ) -> io::Result<Box<dyn BufferSource + '_>>;

    /// Reads all bytes at a locator into memory.
    ///
    /// # Errors
    /// Where they cannot be read, or end early.
    fn read(&self, locator: &Locator) -> Result<Arc<[u8]>> {
        let mut content = Vec::new();
        let buffers = self.open(locator, BufferPermit::new(&Cancel::new()));
        for_each(buffers, |buffer| content.extend_from_slice(buffer.as_ref()))?;
        if content.len() as u64 != locator.size {
            return Err(reading(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(content.into())
    }

    /// The same for one of the many small files of a package. How far they may lie from each other where that takes
    /// long is limited.
    ///
    /// # Errors
    /// As [`BlobSource::read`], and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    fn read_document(&self, locator: &Locator) -> Result<Arc<[u8]>> {
        self.read(locator)
    }

    /// Counts what is read to be kept in memory.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) where that would be too much.
    fn keep(&self, size: u64) -> Result<()> {
        let _ = size;
        Ok(())
    }

    /// The same for a config, which is kept as its text and as the values in it.
    ///
    /// # Errors
    /// As [`BlobSource::keep`].
    fn keep_config(&self, text: &[u8]) -> Result<()> {
        self.keep(2 * text.len() as u64)
    }

    /// The SHA-256 digest of the bytes at a locator.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn digest(&self, locator: &Locator) -> Result<Digest> {
        hash(self, locator)
    }
}

/// A source that counts what is kept of it in memory.
pub(super) struct Counted<'a> {
    pub(super) source: &'a dyn BlobSource,
    pub(super) left: &'a SharedBudget,
}

impl BlobSource for Counted<'_> {
    fn open(
        &self,
        locator: &Locator,
        permit: BufferPermit,
    ) -> io::Result<Box<dyn BufferSource + '_>> {
        self.source.open(locator, permit)
    }

    fn read_document(&self, locator: &Locator) -> Result<Arc<[u8]>> {
        self.source.read_document(locator)
    }

    fn keep(&self, size: u64) -> Result<()> {
        self.left.attempt(|left| left.spend(size))
    }

    fn digest(&self, locator: &Locator) -> Result<Digest> {
        self.source.digest(locator)
    }
}

/// Computes the SHA-256 digest of the bytes at a locator.
pub(crate) fn hash(source: &(impl BlobSource + ?Sized), locator: &Locator) -> Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for_each(source.open(locator, BufferPermit::new(&Cancel::new())), |buffer| {
        hasher.update(buffer.as_ref());
    })?;
    Ok(hasher.finish())
}

fn for_each(
    buffers: io::Result<Box<dyn BufferSource + '_>>,
    mut act: impl FnMut(&Buffer),
) -> Result<()> {
    let mut buffers = buffers.map_err(reading)?;
    while let Some(buffer) = buffers.next().map_err(reading)? {
        act(&buffer);
    }
    Ok(())
}

/// The error of reading a package's bytes.
pub(crate) fn reading(error: io::Error) -> Error {
    Error::from_io("reading the package", error)
}
