//! Walks archives in archives, in the one pass over the package.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    rc::Rc,
};

use super::{Base, Walk, zstd_windows::ZstdWindow};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Compression,
    limit::{ARCHIVE_DEPTH, PADDING, UNPACKED},
    package::{Listing, Locator, StreamId},
    run::{BufferPermit, BufferPool},
    source::{
        gzip::{CurrentFile, Gunzip},
        input::{Input, SCRATCH, buffered, read_up_to, unreadable},
        read_ahead::ReadAhead,
        sniff::{self, FileKind},
        streams::Backing,
    },
};

/// Archives of at most this size are read without read-ahead: a thread costs more.
const MIN_AHEAD: u64 = 1 << 20;
/// How many buffers of 256 KiB the read-ahead fills at most.
const AHEAD: usize = 8;

/// Counts what is unpacked, and ends beyond the limit.
pub(super) struct Bounded<R> {
    pub(super) reader: R,
    pub(super) left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let Some(left) = self.left.get().checked_sub(count as u64) else {
            self.left.set(0);
            return Err(UNPACKED.error().into());
        };
        self.left.set(left);
        Ok(count)
    }
}

impl Walk<'_> {
    /// Looks at a file's first bytes and walks it where it is an archive.
    pub(super) fn archive(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: &str,
        depth: usize,
    ) -> Result<Option<Listing>> {
        let section = input.as_section();
        input.allowance().for_content();
        let doing = "reading";
        let head =
            read_up_to(&mut input, sniff::HEAD).map_err(|e| unreadable(doing, e).at_path(path))?;
        // A section is read again from its start; a stream cannot be, so its head is put before it.
        let again = match section {
            Some(section) => Input::section(section.part(0, at.size)),
            None => Input::stream(io::Cursor::new(head.clone()).chain(input)),
        };
        Ok(self.enter(again, &head, at, path, depth))
    }

    pub(super) fn enter(
        &mut self,
        input: Input<'_>,
        head: &[u8],
        at: Locator,
        path: &str,
        depth: usize,
    ) -> Option<Listing> {
        let kind = sniff::kind(head, path);
        if kind == FileKind::Other {
            return None;
        }
        let mut listing = Listing::new(path);
        let opened = ARCHIVE_DEPTH.check(depth + 1).and_then(|()| self.archives.spend(1_u64));
        if let Err(error) = opened {
            listing.problems.push(error);
            listing.is_incomplete = true;
            return Some(listing);
        }
        input.allowance().for_content();
        if let (FileKind::Packed(_), Some(current_file)) =
            (&kind, self.current_file.get(&at.stream))
        {
            current_file.mark_packed();
        }
        match kind {
            FileKind::Other => return None,
            FileKind::Tar => {
                self.tar(input, Base { stream: at.stream, offset: at.offset }, &mut listing, depth);
            }
            FileKind::Packed(Compression::Gzip) => {
                let stream = self.streams.add(Backing::Pending);
                let current_file = CurrentFile::default();
                self.current_file.insert(stream, current_file.clone());
                let spacing = self.streams.spacing;
                let mut gunzip = Gunzip::recording(ahead(input, at.size), current_file, spacing);
                self.packed(&mut gunzip, stream, &mut listing, depth);
                if !listing.is_incomplete {
                    note_trailing(&mut listing, gunzip.ends_with_padding());
                }
                let (points, _) = gunzip.finish();
                self.streams.set(stream, Backing::Gzip { packed: at, points });
            }
            FileKind::Packed(_) => {
                let stream = self.streams.add(Backing::Zstd { packed: at });
                match self.windows.enter(head) {
                    Ok(window) => {
                        match zstd_decoder(ahead(input, at.size), &window) {
                            Ok(mut unpacked) => {
                                self.packed(&mut unpacked, stream, &mut listing, depth);
                            }
                            Err(error) => mark_cut(&mut listing, error),
                        }
                        self.windows.leave(window);
                    }
                    Err(error) => {
                        listing.problems.push(error);
                        listing.is_incomplete = true;
                    }
                }
            }
        }
        Some(listing)
    }

    fn packed(
        &mut self,
        unpacked: &mut impl Read,
        stream: StreamId,
        listing: &mut Listing,
        depth: usize,
    ) {
        // An archive in another one gets half of what is left, so that one bomb leaves room for the rest.
        let left = self.unpacked_left.get();
        let own = if depth == 0 { left } else { left / 2 };
        let allowance = Rc::new(Cell::new(own));
        let outer = std::mem::replace(&mut self.unpacked_left, allowance.clone());
        let bounded = Bounded { reader: unpacked, left: allowance.clone() };
        self.tar(Input::stream(bounded), Base { stream, offset: 0 }, listing, depth);
        outer.set(outer.get().saturating_sub(own - allowance.get()));
        self.unpacked_left = outer;
    }

    fn tar(&mut self, input: Input<'_>, base: Base, listing: &mut Listing, depth: usize) {
        let section = input.as_section();
        let allowance = input.allowance();
        let mut archive = tar::Archive::new(input);
        let mut entries = match archive.entries_with_seek() {
            Ok(entries) => entries,
            Err(error) => return mark_cut(listing, error),
        };
        loop {
            allowance.for_header();
            let Some(entry) = entries.next() else { break };
            allowance.for_content();
            let header = allowance.header();
            allowance.forget_header();
            let result = entry.map_err(|e| allowance.explain(e)).and_then(|entry| {
                self.entry(entry, &header, section.as_ref(), base, listing, depth)
            });
            if let Err(error) = result {
                listing.problems.push(error);
                listing.is_incomplete = true;
                return;
            }
        }
        if !allowance.saw_end() {
            let message = "the archive ends without its end mark: it may be cut";
            listing.problems.push(Error::new(ErrorKind::Truncated, message));
            listing.is_incomplete = true;
            return;
        }
        allowance.for_content();
        allowance.forget_header();
        if listing.is_incomplete {
            return;
        }
        // The checksum of a compressed stream comes after the padding, so reading the padding checks it.
        note_trailing(listing, is_padding(&mut archive.into_inner()));
    }
}

fn zstd_decoder<'a>(
    packed: Box<dyn BufRead + 'a>,
    window: &ZstdWindow,
) -> io::Result<impl Read + use<'a>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(window.log_max())?;
    Ok(decoder)
}

/// The bytes of an archive. A large one in a section is read ahead: a thread reads the next bytes
/// while the caller unpacks those before.
fn ahead(input: Input<'_>, size: u64) -> Box<dyn BufRead + '_> {
    if let Some(section) = input.as_section().filter(|_| size > MIN_AHEAD) {
        // The walk is the only consumer of this pool, and waits for nothing else.
        let permit = BufferPermit::new(section.cancel());
        let pool = BufferPool::new(AHEAD);
        if let Ok(ahead) = ReadAhead::start(section, size, pool, permit, |_, _| ()) {
            return Box::new(ahead);
        }
    }
    Box::new(buffered(input, size))
}

/// Reads to the end, at most [`PADDING`]; true where that is the end, and all of them are zeros.
fn is_padding(rest: &mut impl Read) -> io::Result<bool> {
    let mut buffer = [0; SCRATCH];
    let mut left = PADDING.max;
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(true),
            count if count as u64 > left => return Ok(false),
            count if buffer[..count].iter().any(|byte| *byte != 0) => return Ok(false),
            count => left -= count as u64,
        }
    }
}

/// Notes where something else than padding follows an archive's end.
fn note_trailing(listing: &mut Listing, is_padding: io::Result<bool>) {
    match is_padding {
        Ok(true) => {}
        Ok(false) => {
            let message = "data follows the archive's end, as where two archives were joined: only the first one is read";
            listing.problems.push(Error::new(ErrorKind::Malformed, message));
        }
        Err(error) => mark_cut(listing, error),
    }
}

/// Notes that reading failed, so that the listing ends early.
fn mark_cut(listing: &mut Listing, error: io::Error) {
    listing.problems.push(unreadable("reading the archive", error));
    listing.is_incomplete = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_padding() {
        assert!(is_padding(&mut io::repeat(0).take(200 << 20)).expect("read"));
        assert!(!is_padding(&mut io::repeat(0).take(257 << 20)).expect("read"));
    }
}
