//! The one pass over a package, which lists what is in it, at any depth.

mod archive;
mod content;
mod entry;
mod roles;

use std::{
    cell::Cell, collections::BTreeMap, fs::File, io, path::Path, rc::Rc, sync::Arc,
    time::UNIX_EPOCH,
};

use super::{
    gzip::CurrentFile,
    input::Input,
    options::OpenOptions,
    section::{ReadAt, Section},
    streams::{Backing, Streams},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Compression,
    package::{Listing, Locator, MAX_ENTRIES, Member, MemberKind, StreamId},
};

/// Limit for all paths together, in bytes; a million real ones take some 50 MiB.
const MAX_NAMES: usize = 64 << 20;
/// How many pieces all sparse files may have together; they are kept in memory.
const MAX_PIECES: usize = 1 << 20;
/// How deep folders may be nested in a package that is a directory.
const MAX_FOLDERS: usize = 64;

/// Archives in archives may unpack to this many bytes, and [`MAX_RATIO`] times the size of the files more:
/// each level could multiply what the one above it has, without end.
const UNPACKED: u64 = 4 << 30;
const MAX_RATIO: u64 = 1000;

pub(super) struct Walk<'a> {
    pub(super) streams: Streams,
    options: &'a OpenOptions,
    entries: usize,
    /// Bytes of all paths so far.
    names: usize,
    /// Pieces of all sparse files so far.
    pieces: usize,
    /// Bytes that compressed archives may still unpack to, at all depths together.
    unpacked_left: Rc<Cell<u64>>,
    /// Bytes of all file contents in the listing so far.
    content_bytes: u64,
    /// The archive member that is being unpacked, for each gzip stream.
    current_file: BTreeMap<StreamId, CurrentFile>,
    /// Time of the latest change of any file, in nanoseconds since 1970.
    pub(super) modified: u64,
    /// The links that lead outside the directory, each with its target.
    pub(super) links: Vec<(String, String)>,
}

/// Where an archive begins: its stream, and the offset of its first byte.
#[derive(Clone, Copy)]
struct Base {
    stream: StreamId,
    offset: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(options: &'a OpenOptions) -> Self {
        Self {
            streams: Streams::new(&options.context.cancel),
            options,
            entries: 0,
            names: 0,
            pieces: 0,
            unpacked_left: Rc::new(Cell::new(UNPACKED)),
            content_bytes: 0,
            current_file: BTreeMap::new(),
            modified: 0,
            links: Vec::new(),
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
        let more = size.saturating_mul(MAX_RATIO);
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
        if depth > MAX_FOLDERS {
            let error = Error::new(ErrorKind::TooLarge, "folders nested deeper than 64 levels");
            return Err(error.at_path(prefix));
        }
        let mut items =
            std::fs::read_dir(folder).map_err(at)?.collect::<io::Result<Vec<_>>>().map_err(at)?;
        items.sort_by_key(std::fs::DirEntry::file_name);
        for item in items {
            let path = format!("{prefix}{}", item.file_name().to_string_lossy());
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
                let target = target.to_string_lossy().into_owned();
                if crate::package::resolve_link(&path, &target).is_none() {
                    self.links.push((path.clone(), target.clone()));
                }
                link(listing, path, &target);
            } else if kind.is_file() {
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

    /// Counts one entry with a path of `name` bytes. Fails beyond the limits, or when cancelled.
    fn count(&mut self, name: usize) -> Result<()> {
        self.entries += 1;
        self.names += name;
        if self.names > MAX_NAMES {
            return Err(Error::new(ErrorKind::TooLarge, "paths of more than 64 MiB together"));
        }
        if self.entries > MAX_ENTRIES {
            return Err(Error::new(ErrorKind::TooLarge, "more than a million entries"));
        }
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
