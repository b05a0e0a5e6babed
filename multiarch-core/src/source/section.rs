//! Sections of a file: several can read one file at once.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::run::{Cancel, Context, Meter};

/// Bytes that several threads can read at once, each at its own offset.
pub(super) trait ReadAt: Send + Sync {
    /// Reads from an offset on; 0 at the end.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, out, offset)
    }
}

/// A reader that the caller passed in: one thread at a time seeks and reads.
impl<R: Read + Seek + Send> ReadAt for Mutex<R> {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut reader = self.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(offset))?;
        reader.read(out)
    }
}

/// A part of a file, with an offset of its own: several sections can read one file at once.
#[derive(Clone)]
pub(super) struct Section {
    file: Arc<dyn ReadAt>,
    start: u64,
    size: u64,
    at: u64,
    cancel: Cancel,
    meter: Option<Arc<FileMeter>>,
}

/// Reports to the meter how much of a file is read. When it is dropped it reports the rest, since
/// skipped bytes are done, too.
struct FileMeter {
    meter: Meter,
    left: AtomicU64,
}

impl FileMeter {
    fn read(&self, bytes: u64) {
        let rest = |left: u64| Some(left.saturating_sub(bytes));
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        self.meter.read(bytes.min(left.unwrap_or_default()));
    }
}

impl Drop for FileMeter {
    fn drop(&mut self) {
        self.read(u64::MAX);
    }
}

impl Section {
    pub(super) fn new(file: Arc<dyn ReadAt>, start: u64, size: u64) -> Self {
        Self { file, start, size, at: 0, cancel: Cancel::new(), meter: None }
    }

    /// Makes reading fail once the run is cancelled. That stops all reading of a package, since all of
    /// it goes through sections.
    pub(super) fn stopped_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// What stops the run that reads it.
    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Reports to the meter how much is read.
    pub(super) fn metered(mut self, context: &Context) -> Self {
        let (meter, left) = (context.meter.clone(), AtomicU64::new(self.size));
        self.meter = Some(Arc::new(FileMeter { meter, left }));
        self
    }

    /// Goes forward without reading; `None` beyond the end.
    pub(super) fn skip(&mut self, distance: u64) -> Option<()> {
        self.at = self.at.checked_add(distance).filter(|end| *end <= self.size)?;
        Some(())
    }

    /// A section of this section.
    pub(super) fn part(&self, start: u64, size: u64) -> Self {
        let size = size.min(self.size.saturating_sub(start));
        let (cancel, meter) = (self.cancel.clone(), self.meter.clone());
        Self { cancel, meter, ..Self::new(self.file.clone(), self.start + start, size) }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check()?;
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = loop {
            match self.file.read_at(&mut buffer[..length], self.start + self.at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.at += count as u64;
        if let Some(meter) = &self.meter {
            meter.read(count as u64);
        }
        Ok(count)
    }
}
