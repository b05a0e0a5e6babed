//! Lists one entry of a tar archive.

use std::io::{self, Read};

use super::{Base, Walk, link};
use crate::{
    error::{Error, ErrorKind, Result},
    package::{Listing, Locator},
    run::Cancel,
    source::{
        input::Input,
        section::Section,
        sparse::{FilledHoles, PaxSparse, SparseMap},
        streams::Backing,
    },
};

impl Walk<'_> {
    /// Lists an entry. `header` is what was read of its header, `section` where the archive is.
    pub(super) fn entry(
        &mut self,
        mut entry: tar::Entry<'_, Input<'_>>,
        header: &[u8],
        section: Option<&Section>,
        base: Base,
        listing: &mut Listing,
        depth: usize,
    ) -> Result<()> {
        let sparse = match entry.pax_extensions() {
            Ok(Some(extensions)) => PaxSparse::parse(extensions)?,
            _ => PaxSparse::default(),
        };
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let raw = sparse.name.clone().unwrap_or(raw);
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
            // A symbolic link's target is relative to the link's folder. A hard link's is relative to
            // the archive's root, so it is rewritten.
            let target = if kind.is_hard_link() {
                let up = "../".repeat(path.matches('/').count());
                format!("{up}{}", target.trim_start_matches("./"))
            } else {
                target
            };
            link(listing, path, &target);
            return Ok(());
        }
        if kind.as_byte() == b'M' {
            let message = "the rest of a file that begins in another volume of the archive";
            listing.problems.push(Error::new(ErrorKind::Unsupported, message).at_path(path));
            return Ok(());
        }
        if !has_content(kind) || path.is_empty() {
            return Ok(());
        }
        let from = entry.raw_file_position();
        let size = entry.size();
        match sparse_data(&mut entry, header, &sparse) {
            Ok(None) => {}
            Ok(Some((map, skipped))) => {
                let offset = (base.offset + from).saturating_add(skipped);
                let data = Locator { stream: base.stream, offset, size: map.stored() };
                let filled: Box<dyn Read> = match kind.is_gnu_sparse() {
                    // The tar crate fills the holes of this format itself.
                    true => Box::new(entry),
                    false => Box::new(FilledHoles::new(map.clone(), entry)),
                };
                return self.sparse(filled, data, map, path, listing, depth);
            }
            Err(error) => {
                listing.problems.push(error.at_path(path));
                return Ok(());
            }
        }
        let at = Locator { stream: base.stream, offset: base.offset + from, size };
        let input = match section {
            Some(section) => Input::section(section.part(from, size)),
            None => Input::stream(&mut entry),
        };
        self.content(input, at, path, listing, depth);
        Ok(())
    }

    /// Lists a sparse file, as a stream of its own in which its holes are filled.
    fn sparse(
        &mut self,
        filled: Box<dyn Read + '_>,
        data: Locator,
        map: SparseMap,
        path: String,
        listing: &mut Listing,
        depth: usize,
    ) -> Result<()> {
        self.pieces.spend(map.pieces())?;
        let size = map.size;
        let filled = CancelledRead { reader: filled, cancel: &self.options.context.cancel.clone() };
        let stream = self.streams.add(Backing::Sparse { data, map });
        let at = Locator { stream, offset: 0, size };
        self.content(Input::stream(filled), at, path, listing, depth);
        Ok(())
    }
}

/// The map of an entry that is a sparse file, and how many bytes of its content come before the data.
fn sparse_data(
    entry: &mut tar::Entry<'_, Input<'_>>,
    header: &[u8],
    pax: &PaxSparse,
) -> Result<Option<(SparseMap, u64)>> {
    if entry.header().entry_type().is_gnu_sparse() {
        let (map, blocks) = SparseMap::of_old_gnu(entry.header(), header)?;
        return Ok(Some((map, blocks * 512)));
    }
    let stored = entry.size();
    SparseMap::of_pax(pax, entry, stored)
}

/// Fails once the run is cancelled. The bytes of holes come from no file, which would look at that itself.
struct CancelledRead<'a, R> {
    reader: R,
    cancel: &'a Cancel,
}

impl<R: Read> Read for CancelledRead<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.cancel.check()?;
        self.reader.read(out)
    }
}

/// True for entries with content. POSIX has readers take types that they do not know for files.
fn has_content(kind: tar::EntryType) -> bool {
    !matches!(kind.as_byte(), b'1'..=b'6' | b'D' | b'V' | b'K' | b'L' | b'N' | b'x' | b'g' | b'X')
}
