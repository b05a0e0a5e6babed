//! The buffers that carry a blob's bytes from the package to the target.
//!
//! They are reused, because allocating memory costs more than filling and sending it, and they are
//! passed on by value, so that a blob that is sent in one request is not copied between the reader and
//! the network.

use std::{
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{Cancel, cancel::CHECK_INTERVAL};

/// Size of a buffer in bytes.
pub(crate) const BUFFER_SIZE: usize = 256 << 10;

/// The right to take buffers out of a pool.
///
/// A pool is shared and bounded. If a reader took buffers for a consumer that waits for its turn to
/// send, those buffers would not come back, and the consumer whose turn it is would wait for buffers
/// for ever: a deadlock. So only a consumer that passes each buffer on without waiting for another
/// consumer may have a permit. A registry gives one with the right to upload; code that writes to a file
/// or to memory makes its own.
#[derive(Debug)]
pub(crate) struct BufferPermit {
    /// Ends the wait for a buffer.
    cancel: Cancel,
}

impl BufferPermit {
    /// Only for a consumer that is done with a buffer before it takes the next one, or that holds the
    /// right to upload.
    pub(crate) fn new(cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone() }
    }

    /// What stops the run that takes the buffers.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Fails once the run that takes the buffers was cancelled.
    pub(crate) fn check(&self) -> io::Result<()> {
        Ok(self.cancel.check()?)
    }
}

/// A blob's bytes as a sequence of buffers.
pub(crate) trait BufferSource: Send {
    /// The next buffer, which is never empty; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Buffer>>;
}

/// A sequence of buffers as [`Read`].
pub(crate) struct BufferReader<S> {
    source: S,
    now: Option<Buffer>,
    at: usize,
}

impl<S: BufferSource> BufferReader<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, now: None, at: 0 }
    }
}

impl<S: BufferSource> Read for BufferReader<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.now.as_ref().is_none_or(|buffer| self.at == buffer.as_ref().len()) {
            // The old buffer must return to the pool first: the pool may have no other to fill.
            self.now = None;
            (self.now, self.at) = (self.source.next()?, 0);
        }
        let Some(buffer) = &self.now else { return Ok(0) };
        let rest = &buffer.as_ref()[self.at..];
        let count = out.len().min(rest.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl<S: BufferSource + ?Sized> BufferSource for Box<S> {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        (**self).next()
    }
}

/// A bounded number of buffers, which are reused.
#[derive(Clone)]
pub(crate) struct BufferPool(Arc<(Mutex<Buffers>, Condvar)>);

struct Buffers {
    idle: Vec<Box<[u8]>>,
    /// How many more buffers may be allocated.
    left: usize,
}

/// Bytes in memory, which returns to its pool when this is dropped.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    length: usize,
    pool: Option<BufferPool>,
}

impl BufferPool {
    /// A pool of at most this many buffers.
    pub(crate) fn new(buffers: usize) -> Self {
        let buffers = Buffers { idle: Vec::new(), left: buffers };
        Self(Arc::new((Mutex::new(buffers), Condvar::new())))
    }

    fn buffers(&self) -> MutexGuard<'_, Buffers> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an empty buffer; waits until there is one, or the permit's run is cancelled.
    pub(crate) fn take(&self, permit: &BufferPermit) -> io::Result<Buffer> {
        let mut buffers = self.buffers();
        let bytes = loop {
            if let Some(bytes) = buffers.idle.pop() {
                break bytes;
            }
            if buffers.left > 0 {
                buffers.left -= 1;
                break vec![0; BUFFER_SIZE].into();
            }
            permit.check()?;
            let waited = self.0.1.wait_timeout(buffers, CHECK_INTERVAL);
            buffers = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(buffers);
        Ok(Buffer { bytes, length: 0, pool: Some(self.clone()) })
    }
}

impl Buffer {
    /// Reads until the buffer holds `most` bytes, is full, or the data ends; returns how many bytes it
    /// holds.
    pub(crate) fn fill(&mut self, reader: &mut impl Read, most: u64) -> io::Result<usize> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.bytes.len());
        self.length = 0;
        while self.length < most {
            match reader.read(&mut self.bytes[self.length..most]) {
                Ok(0) => break,
                Ok(count) => self.length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.length)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), bytes: bytes.into(), pool: None }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(pool) = &self.pool else { return };
        pool.buffers().idle.push(std::mem::take(&mut self.bytes));
        pool.0.1.notify_one();
    }
}
