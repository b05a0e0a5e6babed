//! Archives in archives, read as they pass by.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
};

use super::{Base, Walk, link, roles};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Compression,
    package::{Locator, MAX_DEPTH, Member, MemberKind, Scope, SpaceId},
    source::{
        gzip::{Gunzip, Passing},
        input::{Input, Section, buffered, read_up_to},
        pieces::Pieces,
        room::Room,
        sniff::{self, Kind},
        space::Backing,
    },
};

/// Small files are kept while they pass by: up to this much of each, and this much together.
const MAX_KEPT_FILE: u64 = 1 << 20;
const MAX_KEPT: u64 = 24 << 20;
/// What follows the end of a tar inside gzip is read to check the gzip's own end, up to here.
const MAX_TAIL: u64 = 1 << 30;

/// Smaller archives are read in place: a thread costs more.
const MIN_AHEAD: u64 = 1 << 20;
/// How many pieces of 256 KiB are read ahead.
const AHEAD: usize = 8;

impl Walk<'_> {
    /// Looks at a file's first bytes and walks it where it is an archive.
    pub(super) fn archive(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: &str,
        depth: usize,
    ) -> Result<Option<Scope>> {
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
    ) -> Option<Scope> {
        let kind = sniff::kind(head, path);
        if kind == Kind::Other {
            return None;
        }
        let mut scope = Scope::new(path);
        if depth >= MAX_DEPTH {
            let message = "archives nested deeper than 8 levels";
            scope.problems.push(Error::new(ErrorKind::TooLarge, message));
            scope.cut = true;
            return Some(scope);
        }
        input.allowance().for_content();
        if let (Kind::Packed(_), Some(passing)) = (&kind, self.passing.get(&at.space)) {
            passing.packed();
        }
        match kind {
            Kind::Other => return None,
            Kind::Tar => {
                self.tar(input, Base { space: at.space, offset: at.offset }, &mut scope, depth);
            }
            Kind::Packed(Compression::Gzip) => {
                let space = self.spaces.add(Backing::Pending);
                let passing = Passing::default();
                self.passing.insert(space, passing.clone());
                let spacing = self.spaces.spacing;
                let mut gunzip = Gunzip::recording(ahead(input, at.size), passing, spacing);
                self.packed(&mut gunzip, space, &mut scope, depth);
                let (points, _) = gunzip.finish();
                self.spaces.set(space, Backing::Gzip { packed: at, points });
            }
            Kind::Packed(_) => {
                let space = self.spaces.add(Backing::Zstd { packed: at });
                match zstd::stream::read::Decoder::with_buffer(ahead(input, at.size)) {
                    Ok(mut decoder) => self.packed(&mut decoder, space, &mut scope, depth),
                    Err(error) => cut(&mut scope, error),
                }
            }
        }
        Some(scope)
    }

    fn packed(
        &mut self,
        unpacked: &mut impl Read,
        space: SpaceId,
        scope: &mut Scope,
        depth: usize,
    ) {
        let input = Input::stream(unpacked.by_ref());
        self.tar(input, Base { space, offset: 0 }, scope, depth);
        if !scope.cut {
            // The checksum stands behind the padding.
            match is_padding(unpacked) {
                Ok(true) => {}
                Ok(false) => {
                    let message = "data follows behind the archive's end mark, as where two \
                                   archives were joined: only the first one is read";
                    scope.problems.push(Error::new(ErrorKind::Malformed, message));
                }
                Err(error) => cut(scope, error),
            }
        }
    }

    fn tar(&mut self, input: Input<'_>, base: Base, scope: &mut Scope, depth: usize) {
        let section = input.as_section();
        let allowance = input.allowance();
        let mut archive = tar::Archive::new(input);
        let mut entries = match archive.entries_with_seek() {
            Ok(entries) => entries,
            Err(error) => return cut(scope, error),
        };
        loop {
            allowance.for_header();
            let Some(entry) = entries.next() else {
                if !allowance.saw_end() {
                    let message = "the archive ends without its end mark: it may be cut";
                    scope.problems.push(Error::new(ErrorKind::Truncated, message));
                    scope.cut = true;
                }
                return;
            };
            allowance.for_content();
            let result = entry
                .map_err(|e| Error::from_io("reading the archive", e))
                .and_then(|entry| self.entry(entry, section.as_ref(), base, scope, depth));
            if let Err(error) = result {
                scope.problems.push(error);
                scope.cut = true;
                return;
            }
        }
    }

    fn entry(
        &mut self,
        mut entry: tar::Entry<'_, Input<'_>>,
        section: Option<&Section>,
        base: Base,
        scope: &mut Scope,
        depth: usize,
    ) -> Result<()> {
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        self.count(raw.len())?;
        let kind = entry.header().entry_type();
        let Some(path) = crate::package::normalise(&raw) else {
            let message = "the archive names a path outside itself";
            scope.problems.push(Error::new(ErrorKind::UnsafePath, message).at_path(raw));
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
            link(scope, path, &target);
            return Ok(());
        }
        if kind.is_gnu_sparse() {
            let member =
                Member { kind: MemberKind::Sparse, content: None, compression: Compression::None };
            scope.insert(path, member);
            return Ok(());
        }
        if !kind.is_file() && !kind.is_contiguous() || path.is_empty() {
            return Ok(());
        }
        let from = entry.raw_file_position();
        let size = entry.size();
        let at = Locator { space: base.space, offset: base.offset + from, size };
        let input = match section {
            Some(section) => Input::section(section.part(from, size)),
            None => Input::stream(&mut entry),
        };
        self.content(input, at, path, scope, depth);
        Ok(())
    }

    /// One file: keeps it where it is small and may be needed, and walks it where it is an archive.
    pub(super) fn content(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: String,
        scope: &mut Scope,
        depth: usize,
    ) {
        input.allowance().for_content();
        if let Some(passing) = self.passing.get(&at.space) {
            passing.file(at.offset.saturating_add(at.size));
        }
        let section = input.as_section();
        let head = match read_up_to(&mut input, sniff::HEAD) {
            Ok(head) => head,
            Err(error) => return cut_at(scope, error, &path),
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
                    Err(error) => return cut_at(scope, error, &path),
                }
            }
            scope.insert(path, member);
            return;
        }
        let again = match section {
            Some(section) => Input::section(section.part(0, at.size)),
            None => Input::stream(io::Cursor::new(head.clone()).chain(input)),
        };
        // The package itself is named beside every path, not in it.
        let name = if depth == 0 { path.clone() } else { format!("{}/{path}", scope.path) };
        if let Some(nested) = self.enter(again, &head, at, &name, depth + 1) {
            // A stream that is cut is cut for everything around, too; that is reported there.
            scope.nested.insert(path.clone(), nested);
        }
        scope.insert(path, member);
    }
}

/// The bytes of a file, read by a thread of their own while what came before is unpacked.
fn ahead(input: Input<'_>, size: u64) -> Box<dyn BufRead + '_> {
    if let Some(section) = input.as_section().filter(|_| size > MIN_AHEAD)
        && let Ok(pieces) = Pieces::read(section, size, Room::of(AHEAD), |_, _| ())
    {
        return Box::new(pieces);
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

fn cut(scope: &mut Scope, error: io::Error) {
    scope.problems.push(Error::from_io("reading the archive", error));
    scope.cut = true;
}

fn cut_at(scope: &mut Scope, error: io::Error, path: &str) {
    scope.problems.push(Error::from_io("reading the archive", error).at_path(path));
    scope.cut = true;
}
