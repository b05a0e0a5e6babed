//! What a tar archive is read from: a part of a file, which can be skipped in, or a stream.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    error::{Error, ErrorKind},
    run::{Cancel, Context, Meter},
};

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

/// A reader that a caller handed in: one thread at a time moves it.
impl<R: Read + Seek + Send> ReadAt for Mutex<R> {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut reader = self.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(offset))?;
        reader.read(out)
    }
}

/// A part of a file. Several can read the same file at once.
#[derive(Clone)]
pub(super) struct Section {
    file: Arc<dyn ReadAt>,
    start: u64,
    size: u64,
    at: u64,
    cancel: Cancel,
    meter: Option<Arc<FileMeter>>,
}

/// Reports how much of a file is read; at the end all of it, since what was skipped is done, too.
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

    /// Stops where the run is to stop: everything that is read comes through a section.
    pub(super) fn stopped_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Reports how much is read.
    pub(super) fn metered(mut self, context: &Context) -> Self {
        let (meter, left) = (context.meter.clone(), AtomicU64::new(self.size));
        self.meter = Some(Arc::new(FileMeter { meter, left }));
        self
    }

    /// A part of this part.
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
        let count = self.file.read_at(&mut buffer[..length], self.start + self.at)?;
        self.at += count as u64;
        if let Some(meter) = &self.meter {
            meter.read(count as u64);
        }
        Ok(count)
    }
}

/// The reader below a `tar::Archive`.
pub(super) struct Input<'a> {
    source: InputBytes<'a>,
    at: u64,
    /// How many bytes may be read before an entry's content: the tar crate reads long names whole.
    allowance: Rc<Cell<u64>>,
    /// The last bytes that were read were zeros: so ends a tar archive.
    zeros: Rc<Cell<bool>>,
    /// There was nothing more to read.
    ended: Rc<Cell<bool>>,
}

enum InputBytes<'a> {
    Section(Section),
    Stream(Box<dyn Read + 'a>),
}

/// BufferPool for a header with its extensions; Linux has paths of 4 KiB.
const MAX_HEADER: u64 = 1 << 20;

impl<'a> Input<'a> {
    fn new(source: InputBytes<'a>) -> Self {
        Self { source, at: 0, allowance: Rc::default(), zeros: Rc::default(), ended: Rc::default() }
    }

    pub(super) fn section(section: Section) -> Self {
        Self::new(InputBytes::Section(section))
    }

    pub(super) fn stream(stream: impl Read + 'a) -> Self {
        Self::new(InputBytes::Stream(Box::new(stream)))
    }

    /// Switches between the header's allowance and none.
    pub(super) fn allowance(&self) -> Allowance {
        Allowance {
            left: self.allowance.clone(),
            zeros: self.zeros.clone(),
            ended: self.ended.clone(),
        }
    }

    /// The file part this reads from, if it reads from one.
    pub(super) fn as_section(&self) -> Option<Section> {
        match &self.source {
            InputBytes::Section(section) => Some(section.clone()),
            InputBytes::Stream(_) => None,
        }
    }
}

pub(super) struct Allowance {
    left: Rc<Cell<u64>>,
    zeros: Rc<Cell<bool>>,
    ended: Rc<Cell<bool>>,
}

impl Allowance {
    pub(super) fn for_header(&self) {
        self.left.set(MAX_HEADER);
        self.zeros.set(false);
    }

    /// True where a block of zeros was read since the last header began.
    pub(super) fn saw_end(&self) -> bool {
        self.zeros.get()
    }

    pub(super) fn for_content(&self) {
        self.left.set(u64::MAX);
    }

    /// An error of the tar crate as ours. It reports an early end as an error of no kind: that is
    /// known here by the bytes, not by its words.
    pub(super) fn explain(&self, error: io::Error) -> Error {
        let error = match error.kind() {
            io::ErrorKind::Other
                if self.ended.get() && !error.get_ref().is_some_and(|e| e.is::<Error>()) =>
            {
                io::Error::new(io::ErrorKind::UnexpectedEof, error)
            }
            _ => error,
        };
        Error::from_io("reading the archive", error)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowance.get();
        if allowed == 0 {
            let message = "a tar header of more than 1 MiB";
            return Err(Error::new(ErrorKind::TooLarge, message).into());
        }
        let length = buffer.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let count = match &mut self.source {
            InputBytes::Section(section) => section.read(&mut buffer[..length])?,
            InputBytes::Stream(stream) => stream.read(&mut buffer[..length])?,
        };
        self.at += count as u64;
        self.ended.set(count == 0);
        if count > 0 {
            // Headers are read a block at a time.
            self.zeros.set(count <= 512 && buffer[..count].iter().all(|byte| *byte == 0));
        }
        self.allowance.set(allowed - count as u64);
        Ok(count)
    }
}

impl Seek for Input<'_> {
    /// Only forward: that is all the tar crate does.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(distance) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let distance =
            u64::try_from(distance).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
        match &mut self.source {
            InputBytes::Section(section) => {
                let end = section.at.checked_add(distance).filter(|end| *end <= section.size);
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut");
                section.at = end.ok_or_else(cut)?;
            }
            InputBytes::Stream(stream) => skip(stream, distance)?,
        }
        self.at += distance;
        Ok(self.at)
    }
}

/// A packed file is read in buffers of this size.
const BUFFER: usize = 128 << 10;

pub(super) fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER, reader)
}

/// Reads and forgets.
pub(super) fn skip(reader: &mut impl Read, mut distance: u64) -> io::Result<()> {
    let mut scratch = vec![0; 128 << 10];
    while distance > 0 {
        let length = scratch.len().min(usize::try_from(distance).unwrap_or(usize::MAX));
        match reader.read(&mut scratch[..length]) {
            Ok(0) => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut"));
            }
            Ok(count) => distance -= count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills the buffer as far as there is input.
pub(super) fn read_up_to(reader: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(limit as u64).read_to_end(&mut head)?;
    Ok(head)
}
