//! The one pass over a package: what is inside, at any depth.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::UNIX_EPOCH,
};

use super::{
    gzip::Gunzip,
    input::{Input, Section, read_up_to},
    open::OpenOptions,
    sniff::{self, Kind},
    space::{Backing, Spaces},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Compression, Digest},
    package::{Locator, MAX_DEPTH, MAX_ENTRIES, Member, MemberKind, Scope, SpaceId},
};

/// Small files are kept while they pass by: up to this much of each, and this much together.
const MAX_KEPT_FILE: u64 = 1 << 20;
const MAX_KEPT: u64 = 24 << 20;
/// All paths together; a million real ones take some 50 MiB.
const MAX_NAMES: usize = 64 << 20;
/// What follows the end of a tar inside gzip is read to check the gzip's own end, up to here.
const MAX_TAIL: u64 = 1 << 30;

pub(super) struct Walk<'a> {
    pub(super) spaces: Spaces,
    options: &'a OpenOptions,
    entries: usize,
    /// Bytes of all paths.
    names: usize,
    kept: u64,
    /// The latest change of any file, in nanoseconds since 1970.
    pub(super) modified: u64,
    /// Links of a directory that lead outside it, and where to.
    pub(super) links: Vec<(String, String)>,
}

/// Where the bytes that are being read are: a space, and the offset of the first one.
#[derive(Clone, Copy)]
struct Base {
    space: SpaceId,
    offset: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(options: &'a OpenOptions) -> Self {
        Self {
            spaces: Spaces::new(&options.cancel),
            options,
            entries: 0,
            names: 0,
            kept: 0,
            modified: 0,
            links: Vec::new(),
        }
    }

    /// Walks one file; `None` where it is no archive.
    pub(super) fn file(&mut self, path: &Path, name: &str) -> Result<Option<Scope>> {
        let (locator, section) = self.open(path)?;
        let section = match &self.options.progress {
            Some(progress) => {
                progress.reading(name, locator.size);
                section.metered(progress.clone())
            }
            None => section,
        };
        self.archive(Input::section(section), locator, name, 0)
    }

    fn open(&mut self, path: &Path) -> Result<(Locator, Section)> {
        let doing = "opening";
        let at = |e: io::Error| Error::from_io(doing, e).at_path(path.display());
        let file = Arc::new(File::open(path).map_err(at)?);
        let metadata = file.metadata().map_err(at)?;
        self.modified = self.modified.max(modified(&metadata));
        let size = metadata.len();
        let space = self.spaces.add(Backing::File { path: path.into(), size });
        let section = Section::new(file, 0, size).stopped_by(&self.options.cancel);
        Ok((Locator { space, offset: 0, size }, section))
    }

    /// Walks a directory as if it were an archive.
    pub(super) fn directory(&mut self, root: &Path) -> Result<Scope> {
        let mut scope = Scope::default();
        self.folder(root, "", &mut scope, 0)?;
        Ok(scope)
    }

    fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        scope: &mut Scope,
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
                let below = self.folder(&item.path(), &format!("{path}/"), scope, depth + 1);
                match below {
                    // One folder that may not be read says nothing about the others.
                    Err(error) if error.kind() == ErrorKind::Io => scope.problems.push(error),
                    other => other?,
                }
            } else if kind.is_symlink() {
                let target = std::fs::read_link(item.path()).map_err(at)?;
                let target = target.to_string_lossy().into_owned();
                if crate::package::resolve_link(&path, &target).is_none() {
                    self.links.push((path.clone(), target.clone()));
                }
                link(scope, path, &target);
            } else if kind.is_file() {
                match self.open(&item.path()) {
                    Ok((locator, section)) => {
                        let input = Input::section(section);
                        self.content(input, locator, path, scope, 0);
                    }
                    Err(error) => scope.problems.push(error),
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, name: usize) -> Result<()> {
        self.entries += 1;
        self.names += name;
        if self.names > MAX_NAMES {
            return Err(Error::new(ErrorKind::TooLarge, "paths of more than 64 MiB together"));
        }
        if self.entries > MAX_ENTRIES {
            return Err(Error::new(ErrorKind::TooLarge, "more than a million entries"));
        }
        if self.options.cancel.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "cancelled while reading the package"));
        }
        Ok(())
    }

    /// Looks at a file's first bytes and walks it where it is an archive.
    fn archive(
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
        match kind {
            Kind::Other => return None,
            Kind::Tar => {
                self.tar(input, Base { space: at.space, offset: at.offset }, &mut scope, depth);
            }
            Kind::Packed(Compression::Gzip) => {
                let space = self.spaces.add(Backing::Pending);
                let mut gunzip = Gunzip::recording(input);
                self.packed(&mut gunzip, space, &mut scope, depth);
                let (points, _) = gunzip.finish();
                self.spaces.set(space, Backing::Gzip { packed: at, points });
            }
            Kind::Packed(_) => {
                let space = self.spaces.add(Backing::Zstd { packed: at });
                match zstd::stream::read::Decoder::new(input) {
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
    fn content(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: String,
        scope: &mut Scope,
        depth: usize,
    ) {
        input.allowance().for_content();
        let section = input.as_section();
        let head = match read_up_to(&mut input, sniff::HEAD) {
            Ok(head) => head,
            Err(error) => return cut_at(scope, error, &path),
        };
        let compression = Compression::sniff(&head);
        let mut member = Member { kind: MemberKind::File(at), content: None, compression };
        let plain = is_blob(&path) || is_chart_file(&path);
        if plain || is_wanted(&path) {
            let small = at.size <= MAX_KEPT_FILE && self.kept + at.size <= MAX_KEPT;
            if small && (head.first() == Some(&b'{') || is_wanted(&path)) {
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

/// Folders in folders of a package that is a directory.
const MAX_FOLDERS: usize = 64;

/// Time of the last change, in nanoseconds since 1970.
pub(super) fn modified(metadata: &std::fs::Metadata) -> u64 {
    let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    age.and_then(|age| u64::try_from(age.as_nanos()).ok()).unwrap_or_default()
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

fn link(scope: &mut Scope, path: String, target: &str) {
    let kind = match crate::package::resolve_link(&path, target) {
        Some(target) => MemberKind::Link(target),
        None => MemberKind::Outside(target.into()),
    };
    scope.insert(path, Member { kind, content: None, compression: Compression::None });
}

/// Blobs are never looked into: a layer is a tar archive, too.
fn is_blob(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_prefix("sha256:").unwrap_or(name);
    let stem = stem.split('.').next().unwrap_or(stem);
    Digest::from_sha256_hex(stem).is_some()
        || name == "layer.tar"
        || path.starts_with("blobs/")
        || path.contains("/blobs/")
}

fn is_chart_file(path: &str) -> bool {
    path.starts_with("original-chart/") || path.contains("/original-chart/")
}

/// Files that say what an archive is. Configs and manifests are told by their first byte.
fn is_wanted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [
        "manifest.json",
        "index.json",
        "oci-layout",
        "hints.yaml",
        "Chart.yaml",
        "values.yaml",
        "requirements.yaml",
    ]
    .contains(&name)
        || (is_chart_file(path) && name.ends_with(".tgz"))
}
