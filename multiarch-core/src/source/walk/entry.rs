//! Lists one entry of a tar archive.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::{Base, Walk, archive::Bounded, link};
use crate::{
    error::{Error, ErrorKind, Result},
    limit::{FOLDER_DEPTH, PATH},
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
        if let Ok(Some(extensions)) = entry.pax_extensions() {
            check_repetitions(extensions)?;
        }
        let raw = text(&entry.path_bytes());
        let raw = sparse.name.clone().unwrap_or(raw);
        self.count(raw.len())?;
        let kind = entry.header().entry_type();
        let Some(path) = crate::package::normalise(&raw) else {
            let message = "the archive names a path outside itself";
            listing.problems.push(Error::new(ErrorKind::UnsafePath, message).at_path(raw));
            return Ok(());
        };
        if let Err(error) = FOLDER_DEPTH.check(path.matches('/').count()) {
            listing.problems.push(error.at_path(path));
            return Ok(());
        }
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = text(&target);
            self.count(target.len())?;
            if let Err(error) = PATH.check(target.len()) {
                listing.problems.push(error.at_path(path));
                return Ok(());
            }
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
        if matches!(kind.as_byte(), b'3' | b'4' | b'6') {
            self.specials.push(path);
            return Ok(());
        }
        if path.is_empty() && has_content(kind) && entry.size() > 0 {
            let message = "an entry of the archive has no name";
            listing.problems.push(Error::new(ErrorKind::Malformed, message));
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
        // Holes are read, too, where the file is an archive.
        let filled = Bounded { reader: filled, left: self.unpacked_left.clone() };
        let filled = CancelledRead { reader: filled, cancel: &self.options.context.cancel.clone() };
        let stream = self.streams.add(Backing::Sparse { data, map });
        let at = Locator { stream, offset: 0, size };
        self.content(Input::stream(filled), at, path, listing, depth);
        Ok(())
    }
}

/// Fails where an extended header gives the place or the size of an entry twice and differently: GNU tar
/// and Go take the last one, the tar crate the first, so that they see different files.
fn check_repetitions(extensions: tar::PaxExtensions<'_>) -> Result<()> {
    let mut seen = BTreeMap::new();
    for extension in extensions.flatten() {
        let (key, value) = (extension.key_bytes(), extension.value_bytes());
        let matters = matches!(key, b"size" | b"path" | b"linkpath");
        if matters
            && seen.insert(key.to_vec(), value.to_vec()).is_some_and(|before| before != value)
        {
            let message = format!(
                "a pax header gives the {} of an entry twice, and readers of tar differ in which one they believe",
                text(key)
            );
            return Err(Error::new(ErrorKind::Malformed, message));
        }
    }
    Ok(())
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

/// A name as text. Bytes that are not UTF-8 are written as `\xff`, so that different names stay different.
pub(super) fn text(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

/// True for entries with content. POSIX has readers take types that they do not know for files.
fn has_content(kind: tar::EntryType) -> bool {
    !matches!(kind.as_byte(), b'1'..=b'6' | b'D' | b'V' | b'K' | b'L' | b'N' | b'x' | b'g' | b'X')
}
