//! Archives in archives, read as they pass by.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
};

use super::{Base, Walk, link, roles};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Compression,
    package::{Listing, Locator, MAX_DEPTH, Member, MemberKind, StreamId},
    run::{BufferPool, SendPermit},
    source::{
        gzip::{CurrentFile, Gunzip},
        input::{Input, Section, buffered, read_up_to},
        read_ahead::ReadAhead,
        sniff::{self, FileKind},
        streams::Backing,
    },
};

/// Small files are kept while they pass by: up to this much of each, and this much together.
const MAX_KEPT_FILE: u64 = 1 << 20;
const MAX_KEPT: u64 = 24 << 20;
/// What follows the end of a tar inside gzip is read to check the gzip's own end, up to here.
const MAX_TAIL: u64 = 1 << 30;

/// Smaller archives are read in place: a thread costs more.
const MIN_AHEAD: u64 = 1 << 20;
/// How many buffers of 256 KiB are read ahead.
const AHEAD: usize = 8;

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
        let head = read_up_to(&mut input, sniff::HEAD)
            .map_err(|e| Error::from_io(doing, e).at_path(path))?;
        // A file is read again from its start; a stream goes on behind its head.
        let again = match section {
            Some(section) => Input::section(section.part(0, at.size)),
            None => Input::stream(io::Cursor::new(head.clone()).chain(input)),
        };
        Ok(self.enter(again, &head, at, path, depth))
    }

    fn enter(
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
        if depth >= MAX_DEPTH {
            let message = "archives nested deeper than 8 levels";
            listing.problems.push(Error::new(ErrorKind::TooLarge, message));
            listing.cut = true;
            return Some(listing);
        }
        input.allowance().for_content();
        if let (FileKind::Packed(_), Some(current_file)) =
            (&kind, self.current_file.get(&at.stream))
        {
            current_file.packed();
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
                let (points, _) = gunzip.finish();
                self.streams.set(stream, Backing::Gzip { packed: at, points });
            }
            FileKind::Packed(_) => {
                let stream = self.streams.add(Backing::Zstd { packed: at });
                match zstd::stream::read::Decoder::with_buffer(ahead(input, at.size)) {
                    Ok(mut decoder) => self.packed(&mut decoder, stream, &mut listing, depth),
                    Err(error) => cut(&mut listing, error),
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
        let input = Input::stream(unpacked.by_ref());
        self.tar(input, Base { stream, offset: 0 }, listing, depth);
        if !listing.cut {
            // The checksum stands behind the padding.
            match is_padding(unpacked) {
                Ok(true) => {}
                Ok(false) => {
                    let message = "data follows behind the archive's end mark, as where two \
                                   archives were joined: only the first one is read";
                    listing.problems.push(Error::new(ErrorKind::Malformed, message));
                }
                Err(error) => cut(listing, error),
            }
        }
    }

    fn tar(&mut self, input: Input<'_>, base: Base, listing: &mut Listing, depth: usize) {
        let section = input.as_section();
        let allowance = input.allowance();
        let mut archive = tar::Archive::new(input);
        let mut entries = match archive.entries_with_seek() {
            Ok(entries) => entries,
            Err(error) => return cut(listing, error),
        };
        loop {
            allowance.for_header();
            let Some(entry) = entries.next() else {
                if !allowance.saw_end() {
                    let message = "the archive ends without its end mark: it may be cut";
                    listing.problems.push(Error::new(ErrorKind::Truncated, message));
                    listing.cut = true;
                }
                return;
            };
            allowance.for_content();
            let result = entry
                .map_err(|e| allowance.explain(e))
                .and_then(|entry| self.entry(entry, section.as_ref(), base, listing, depth));
            if let Err(error) = result {
                listing.problems.push(error);
                listing.cut = true;
                return;
            }
        }
    }

    fn entry(
        &mut self,
        mut entry: tar::Entry<'_, Input<'_>>,
        section: Option<&Section>,
        base: Base,
        listing: &mut Listing,
        depth: usize,
    ) -> Result<()> {
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        self.count(raw.len())?;
        let kind = entry.header().entry_type();
        let Some(path) = crate::package::normalise(&raw) else {
            let message = "the archive names a path outside itself";
            listing.problems.push(Error::new(ErrorKind::UnsafePath, message).at_path(raw));
            return Ok(());
        };
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            // A hard link's target is a path in the archive, a symbolic one's is beside the link.
            let target = if kind.is_hard_link() {
                let up = "../".repeat(path.matches('/').count());
                format!("{up}{}", target.trim_start_matches("./"))
            } else {
                target
            };
            link(listing, path, &target);
            return Ok(());
        }
        if kind.is_gnu_sparse() {
            let member =
                Member { kind: MemberKind::Sparse, content: None, compression: Compression::None };
            listing.insert(path, member);
            return Ok(());
        }
        if !kind.is_file() && !kind.is_contiguous() || path.is_empty() {
            return Ok(());
        }
        let from = entry.raw_file_position();
        let size = entry.size();
        let at = Locator { stream: base.stream, offset: base.offset + from, size };
        let input = match section {
            Some(section) => Input::section(section.part(from, size)),
            None => Input::stream(&mut entry),
        };
        self.content(input, at, path, listing, depth);
        Ok(())
    }

    /// One file: keeps it where it is small and may be needed, and walks it where it is an archive.
    pub(super) fn content(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: String,
        listing: &mut Listing,
        depth: usize,
    ) {
        input.allowance().for_content();
        if let Some(current_file) = self.current_file.get(&at.stream) {
            current_file.file(at.offset.saturating_add(at.size));
        }
        let section = input.as_section();
        let head = match read_up_to(&mut input, sniff::HEAD) {
            Ok(head) => head,
            Err(error) => return cut_at(listing, error, &path),
        };
        let compression = Compression::sniff(&head);
        let mut member = Member { kind: MemberKind::File(at), content: None, compression };
        let plain = roles::is_blob(&path) || roles::is_chart_file(&path);
        if plain || roles::is_wanted(&path) {
            let small = at.size <= MAX_KEPT_FILE && self.kept + at.size <= MAX_KEPT;
            if small && (head.first() == Some(&b'{') || roles::is_wanted(&path)) {
                match rest(head, input, at.size) {
                    Ok(content) => {
                        self.kept += at.size;
                        member.content = Some(content);
                    }
                    Err(error) => return cut_at(listing, error, &path),
                }
            }
            listing.insert(path, member);
            return;
        }
        let again = match section {
            Some(section) => Input::section(section.part(0, at.size)),
            None => Input::stream(io::Cursor::new(head.clone()).chain(input)),
        };
        // The package itself is named beside every path, not in it.
        let name = if depth == 0 { path.clone() } else { format!("{}/{path}", listing.path) };
        if let Some(nested) = self.enter(again, &head, at, &name, depth + 1) {
            // A stream that is cut is cut for everything around, too; that is reported there.
            listing.nested.insert(path.clone(), nested);
        }
        listing.insert(path, member);
    }
}

/// The bytes of a file, read by a thread of their own while what came before is unpacked.
fn ahead(input: Input<'_>, size: u64) -> Box<dyn BufRead + '_> {
    if let Some(section) = input.as_section().filter(|_| size > MIN_AHEAD)
        && let Ok(ahead) = ReadAhead::start(
            section,
            size,
            BufferPool::new(AHEAD),
            // The walk is the only consumer, and waits for nothing but these buffers.
            SendPermit::new(),
            |_, _| (),
        )
    {
        return Box::new(ahead);
    }
    Box::new(buffered(input))
}

/// Reads what is left; true where it is all zeros.
fn is_padding(rest: &mut impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; 128 << 10];
    let mut rest = rest.take(MAX_TAIL);
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(true),
            count if buffer[..count].iter().any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

fn rest(head: Vec<u8>, input: Input<'_>, size: u64) -> io::Result<Arc<[u8]>> {
    let mut content = head;
    let left = size.saturating_sub(content.len() as u64);
    input.take(left).read_to_end(&mut content)?;
    if (content.len() as u64) < size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut"));
    }
    Ok(content.into())
}

fn cut(listing: &mut Listing, error: io::Error) {
    listing.problems.push(Error::from_io("reading the archive", error));
    listing.cut = true;
}

fn cut_at(listing: &mut Listing, error: io::Error, path: &str) {
    listing.problems.push(Error::from_io("reading the archive", error).at_path(path));
    listing.cut = true;
}
