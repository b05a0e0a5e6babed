//! What a tar archive is read from: a section of a file, in which skipping is free, or a stream.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufReader, Read, Seek, SeekFrom},
    rc::Rc,
};

use super::section::Section;
use crate::{
    error::{Error, ErrorKind},
    limit,
};

/// The reader below a `tar::Archive`.
pub(super) struct Input<'a> {
    source: InputBytes<'a>,
    at: u64,
    /// How many bytes may be read now. It is limited outside of an entry's content, because the tar
    /// crate reads a header's long names into memory whole.
    allowance: Rc<Cell<u64>>,
    /// The last block that was read was all zeros, which is a tar archive's end mark.
    zeros: Rc<Cell<bool>>,
    /// The last read found the end of the source.
    ended: Rc<Cell<bool>>,
    /// What was read since the last header began; `None` while content is read.
    header: Rc<RefCell<Option<Vec<u8>>>>,
}

enum InputBytes<'a> {
    Section(Section),
    Stream(Box<dyn Read + 'a>),
}

impl<'a> Input<'a> {
    fn new(source: InputBytes<'a>) -> Self {
        Self {
            source,
            at: 0,
            allowance: Rc::default(),
            zeros: Rc::default(),
            ended: Rc::default(),
            header: Rc::default(),
        }
    }

    pub(super) fn section(section: Section) -> Self {
        Self::new(InputBytes::Section(section))
    }

    pub(super) fn stream(stream: impl Read + 'a) -> Self {
        Self::new(InputBytes::Stream(Box::new(stream)))
    }

    /// A handle that sets the limit, and sees the end mark, while the tar crate owns this input.
    pub(super) fn allowance(&self) -> Allowance {
        Allowance {
            left: self.allowance.clone(),
            zeros: self.zeros.clone(),
            ended: self.ended.clone(),
            header: self.header.clone(),
        }
    }

    /// The section that this reads from, if it reads from one.
    pub(super) fn as_section(&self) -> Option<Section> {
        match &self.source {
            InputBytes::Section(section) => Some(section.clone()),
            InputBytes::Stream(_) => None,
        }
    }
}

/// Controls an [`Input`] that the tar crate owns.
pub(super) struct Allowance {
    left: Rc<Cell<u64>>,
    zeros: Rc<Cell<bool>>,
    ended: Rc<Cell<bool>>,
    header: Rc<RefCell<Option<Vec<u8>>>>,
}

impl Allowance {
    /// A header is read next.
    pub(super) fn for_header(&self) {
        self.left.set(limit::TAR_HEADER.max);
        self.zeros.set(false);
        self.header.replace(Some(Vec::new()));
    }

    /// All that was read of the last header, with its extensions.
    pub(super) fn header(&self) -> Vec<u8> {
        self.header.borrow().clone().unwrap_or_default()
    }

    /// True where a block of zeros was read since the last header began.
    pub(super) fn saw_end(&self) -> bool {
        self.zeros.get()
    }

    /// An entry's content is read next, without a limit.
    pub(super) fn for_content(&self) {
        self.left.set(u64::MAX);
    }

    /// Ends the recording of the header.
    pub(super) fn forget_header(&self) {
        self.header.replace(None);
    }

    /// Converts an error of the tar crate. The crate reports an early end as `Other`: here it is
    /// recognised by the bytes that were read, not by the crate's message.
    pub(super) fn explain(&self, error: io::Error) -> Error {
        let is_own = error.get_ref().is_some_and(|e| e.is::<Error>());
        let error = match error.kind() {
            io::ErrorKind::Other if self.ended.get() && !is_own => {
                io::Error::new(io::ErrorKind::UnexpectedEof, error)
            }
            _ => error,
        };
        unreadable("reading the archive", error)
    }
}

/// Converts an error of reading an archive. Only the operating system's own errors are failures to read:
/// what a decoder or the tar crate reports as `Other` is wrong with the data.
pub(super) fn unreadable(doing: &str, error: io::Error) -> Error {
    let is_own = error.get_ref().is_some_and(|e| e.is::<Error>());
    if error.kind() == io::ErrorKind::Other && error.raw_os_error().is_none() && !is_own {
        return Error::caused_by(ErrorKind::Malformed, doing, error);
    }
    Error::from_io(doing, error)
}

/// Gives a header the size 0 where GNU tar and Go take it for 0, and the tar crate does not: a volume label
/// (GNU tar, type `V`) whose size is an empty field, and links, devices, folders and pipes, whatever size
/// they state. What follows them is the next header.
fn repair_size(block: &mut [u8]) {
    let Ok(header) = <&mut [u8; 512]>::try_from(block) else { return };
    let size = &header[124..136];
    let is_label = header[156] == b'V' && size.iter().all(|byte| *byte == 0);
    let has_none =
        matches!(header[156], b'1'..=b'6') && size.iter().any(|b| !matches!(b, b'0' | 0 | b' '));
    if !is_label && !has_none || header[..124].iter().all(|byte| *byte == 0) {
        return;
    }
    let sum = |header: &[u8; 512]| -> u32 { header.iter().map(|byte| u32::from(*byte)).sum() };
    // The checksum is the sum of all bytes. What is not a header does not have it, and keeps its bytes.
    let Ok(stated) = tar::Header::from_byte_slice(header).cksum() else { return };
    let own: u32 = header[148..156].iter().map(|byte| u32::from(*byte)).sum();
    if stated != sum(header) - own + 8 * 32 {
        return;
    }
    let before = sum(header);
    header[124..136].copy_from_slice(b"00000000000\0");
    let stated = stated + sum(header) - before;
    header[148..156].copy_from_slice(format!("{stated:06o}\0 ").as_bytes());
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowance.get();
        if allowed == 0 {
            return Err(limit::TAR_HEADER.error().into());
        }
        let length = buffer.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let count = match &mut self.source {
            InputBytes::Section(section) => section.read(&mut buffer[..length])?,
            InputBytes::Stream(stream) => stream.read(&mut buffer[..length])?,
        };
        self.at += count as u64;
        self.ended.set(count == 0);
        if let Some(header) = &mut *self.header.borrow_mut() {
            if count == 512 {
                repair_size(&mut buffer[..count]);
            }
            header.extend_from_slice(&buffer[..count]);
        }
        if count > 0 {
            // The tar crate reads headers one block of 512 bytes at a time.
            self.zeros.set(count <= 512 && buffer[..count].iter().all(|byte| *byte == 0));
        }
        self.allowance.set(allowed - count as u64);
        Ok(count)
    }
}

impl Seek for Input<'_> {
    /// Seeks forward only: the tar crate does nothing else.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(distance) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let distance =
            u64::try_from(distance).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
        match &mut self.source {
            InputBytes::Section(section) => {
                let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut");
                section.skip(distance).ok_or_else(cut)?;
            }
            InputBytes::Stream(stream) => skip(stream, distance)?,
        }
        self.at += distance;
        Ok(self.at)
    }
}

/// The largest buffer through which compressed bytes are read.
const BUFFER: u64 = 128 << 10;

/// A buffer for `size` bytes.
pub(super) fn buffered<R: Read>(reader: R, size: u64) -> BufReader<R> {
    // A package may have thousands of small archives.
    BufReader::with_capacity(usize::try_from(size.clamp(1, BUFFER)).unwrap_or(1), reader)
}

/// On the stack: memory that is asked for and given back between what stays leaves gaps, which add up.
pub(super) const SCRATCH: usize = 16 << 10;

/// Reads `distance` bytes and discards them.
pub(super) fn skip(reader: &mut impl Read, mut distance: u64) -> io::Result<()> {
    let mut scratch = [0; SCRATCH];
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

/// Reads `limit` bytes, or all where there are fewer.
pub(super) fn read_up_to(reader: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(limit as u64).read_to_end(&mut head)?;
    Ok(head)
}
