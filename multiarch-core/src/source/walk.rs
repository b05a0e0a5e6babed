//! The one pass over a package, which lists what is in it, at any depth.

mod archive;
mod content;
mod entry;
mod roles;
mod zstd_windows;

use std::{
    cell::Cell, collections::BTreeMap, fs::File, io, path::Path, rc::Rc, sync::Arc,
    time::UNIX_EPOCH,
};

use zstd_windows::ZstdWindows;

use super::{
    gzip::CurrentFile,
    input::Input,
    options::{Kept, OpenOptions},
    section::{ReadAt, Section},
    streams::{Backing, Streams},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Compression,
    limit::{ALL_SPARSE_PIECES, ARCHIVES, Budget, FOLDER_DEPTH, LISTING, UNPACK_RATIO, UNPACKED},
    package::{Listing, Locator, Member, MemberKind, StreamId},
};

pub(super) struct Walk<'a> {
    pub(super) streams: Streams,
    options: &'a OpenOptions,
    /// Memory for all entries, at all depths.
    listing: Budget,
    archives: Budget,
    /// Pieces of all sparse files.
    pieces: Budget,
    /// Bytes that compressed archives may still unpack to, at all depths together.
    unpacked_left: Rc<Cell<u64>>,
    windows: ZstdWindows,
    kept: &'a Kept,
    /// The archive member that is being unpacked, for each gzip stream.
    current_file: BTreeMap<StreamId, CurrentFile>,
    /// Time of the latest change of any file, in nanoseconds since 1970.
    pub(super) modified: u64,
    /// The links that lead outside the directory, each with its target.
    pub(super) links: Vec<(String, String)>,
    /// Pipes, sockets and devices.
    pub(super) specials: Vec<String>,
}

/// What an entry takes in memory besides its path, which is there twice while the bundles are found.
const ENTRY: usize = 256;

/// Where an archive begins: its stream, and the offset of its first byte.
#[derive(Clone, Copy)]
struct Base {
    stream: StreamId,
    offset: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(options: &'a OpenOptions, kept: &'a Kept) -> Self {
        Self {
            streams: Streams::new(&options.context.cancel),
            options,
            listing: LISTING.budget(),
            archives: ARCHIVES.budget(),
            pieces: ALL_SPARSE_PIECES.budget(),
            unpacked_left: Rc::new(Cell::new(UNPACKED.max)),
            windows: ZstdWindows::new(),
            kept,
            current_file: BTreeMap::new(),
            modified: 0,
            links: Vec::new(),
            specials: Vec::new(),
        }
    }

    /// Walks one file; `None` where it is not an archive.
    pub(super) fn file(&mut self, path: &Path, name: &str) -> Result<Option<Listing>> {
        let (locator, section) = self.open(path)?;
        self.archive(Input::section(section), locator, name, 0)
    }

    fn open(&mut self, path: &Path) -> Result<(Locator, Section)> {
        let doing = "opening";
        let at = |e: io::Error| Error::from_io(doing, e).at_path(path.display());
        let file = Arc::new(File::open(path).map_err(at)?);
        let metadata = file.metadata().map_err(at)?;
        self.modified = self.modified.max(modified(&metadata));
        let size = metadata.len();
        Ok(self.begin(Backing::File { path: path.into(), size }, file, size))
    }

    fn begin(&mut self, backing: Backing, file: Arc<dyn ReadAt>, size: u64) -> (Locator, Section) {
        let (stream, context) = (self.streams.add(backing), &self.options.context);
        context.meter.begin_reading(size);
        let more = size.saturating_mul(UNPACK_RATIO.max);
        self.unpacked_left.set(self.unpacked_left.get().saturating_add(more));
        let section = Section::new(file, 0, size).stopped_by(&context.cancel).metered(context);
        (Locator { stream, offset: 0, size }, section)
    }

    /// Walks bytes that are not a file; `None` where they are not an archive.
    pub(super) fn reader(
        &mut self,
        reader: Arc<dyn ReadAt>,
        size: u64,
        name: &str,
    ) -> Result<Option<Listing>> {
        let backing = Backing::Reader { reader: reader.clone(), size };
        let (locator, section) = self.begin(backing, reader, size);
        self.archive(Input::section(section), locator, name, 0)
    }

    /// Walks a directory as if it were an archive.
    pub(super) fn directory(&mut self, root: &Path) -> Result<Listing> {
        let mut listing = Listing::default();
        self.folder(root, "", &mut listing, 0)?;
        Ok(listing)
    }

    fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        listing: &mut Listing,
        depth: usize,
    ) -> Result<()> {
        let at = |e: io::Error| Error::from_io("reading", e).at_path(folder.display());
        FOLDER_DEPTH.check(depth).map_err(|e| e.at_path(prefix))?;
        let mut items =
            std::fs::read_dir(folder).map_err(at)?.collect::<io::Result<Vec<_>>>().map_err(at)?;
        items.sort_by_key(std::fs::DirEntry::file_name);
        for item in items {
            let path = format!("{prefix}{}", entry::text(item.file_name().as_encoded_bytes()));
            let kind = item.file_type().map_err(at)?;
            self.count(path.len())?;
            if kind.is_dir() {
                let below = self.folder(&item.path(), &format!("{path}/"), listing, depth + 1);
                match below {
                    // The other folders may still be readable.
                    Err(error) if error.kind() == ErrorKind::Io => listing.problems.push(error),
                    other => other?,
                }
            } else if kind.is_symlink() {
                let target = std::fs::read_link(item.path()).map_err(at)?;
                let target = entry::text(target.as_os_str().as_encoded_bytes());
                self.count(target.len())?;
                if crate::package::resolve_link(&path, &target).is_none() {
                    self.links.push((path.clone(), target.clone()));
                }
                link(listing, path, &target);
            } else if !kind.is_file() {
                self.specials.push(path);
            } else {
                match self.open(&item.path()) {
                    Ok((locator, section)) => {
                        let input = Input::section(section);
                        self.content(input, locator, path, listing, 0);
                    }
                    Err(error) => listing.problems.push(error),
                }
            }
        }
        Ok(())
    }

    /// Counts one entry whose path, or link target, has `length` bytes. Fails beyond the limit, or when
    /// cancelled.
    fn count(&mut self, length: usize) -> Result<()> {
        self.listing.spend(ENTRY + 2 * length)?;
        if self.options.context.cancel.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "cancelled while reading the package"));
        }
        Ok(())
    }
}

/// Time of the last change, in nanoseconds since 1970.
pub(super) fn modified(metadata: &std::fs::Metadata) -> u64 {
    let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    age.and_then(|age| u64::try_from(age.as_nanos()).ok()).unwrap_or_default()
}

fn link(listing: &mut Listing, path: String, target: &str) {
    let kind = match crate::package::resolve_link(&path, target) {
        Some(target) => MemberKind::Link(target),
        None => MemberKind::LinkOutside(target.into()),
    };
    listing.insert(path, Member { kind, content: None, compression: Compression::None });
}

#[cfg(test)]
mod tests {
    use super::*;
    /// How many of a folder's files the listing keeps.
    fn kept(files: &[(&str, usize)]) -> usize {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, size) in files {
            let content = format!("{{{}}}", " ".repeat(size - 2));
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        let (options, kept) = (OpenOptions::default(), Kept::default());
        let listing = Walk::new(&options, &kept).directory(folder.path()).expect("read");
        listing.members.values().filter(|member| member.content.is_some()).count()
    }

    #[test]
    fn limit_of_listing() {
        let (options, kept) = (OpenOptions::default(), Kept::default());
        let mut walk = Walk::new(&options, &kept);
        for _ in 0..100_000 {
            walk.count(100).expect("within the limit");
        }
        walk.count(1 << 20).expect("within the limit");
        assert_eq!(walk.count(2 << 20).expect_err("too much").kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn limit_of_archives() {
        let (options, kept) = (OpenOptions::default(), Kept::default());
        let mut walk = Walk::new(&options, &kept);
        let content = multiarch_generator::tar(&[multiarch_generator::Entry::file("x", "x")]);
        let mut archive = || {
            let input = Input::stream(io::Cursor::new(content.clone()));
            let at = Locator { stream: StreamId(0), offset: 0, size: 1024 };
            walk.archive(input, at, "a.tar", 0).expect("read").expect("an archive")
        };
        assert!((0..20_000).all(|_| archive().problems.is_empty()));
        assert_eq!(archive().problems[0].kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn limit_of_unpacked() {
        let (options, kept) = (OpenOptions::default(), Kept::default());
        let walk = Walk::new(&options, &kept);
        assert_eq!(walk.unpacked_left.get(), 4 << 30);
    }

    #[test]
    fn limit_of_unpack_ratio() {
        let (options, kept) = (OpenOptions::default(), Kept::default());
        let mut walk = Walk::new(&options, &kept);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(10).expect("ten bytes");
        let before = walk.unpacked_left.get();
        assert!(walk.reader(Arc::new(file), 10, "x").expect("read").is_none());
        assert_eq!(walk.unpacked_left.get() - before, 10_000);
    }

    /// Content beyond the limits is read again when it is needed.
    #[test]
    fn limit_of_kept_files() {
        let names: Vec<String> = (0..70).map(|i| format!("sha256:{i:064}")).collect();
        let files: Vec<(&str, usize)> = names.iter().map(|name| (&**name, 1 << 20)).collect();
        assert_eq!(kept(&files), 48);
    }

    #[test]
    fn limit_of_kept_file() {
        let blob = format!("sha256:{:064}", 1);
        assert_eq!(kept(&[(&blob, 4 << 20)]), 1);
        assert_eq!(kept(&[(&blob, (4 << 20) + 1)]), 0);
    }
}
