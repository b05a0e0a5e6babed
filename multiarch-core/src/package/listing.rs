//! What an archive or a directory holds.

use std::{cell::Cell, collections::BTreeMap, ops::Bound, sync::Arc};

use serde::{Deserialize, Serialize};

use super::BlobSource;
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Compression, Hasher},
    limit::{ARCHIVE_DEPTH, LINKS, Limit, PATH, decoding},
};

/// Number of a stream: a file, or what a compressed file unpacks to. It can be read from any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct StreamId(pub(crate) u32);

/// Where bytes are: a stream, an offset in it, a length. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Locator {
    /// The stream.
    pub(crate) stream: StreamId,
    /// Offset of the first byte.
    pub(crate) offset: u64,
    /// Number of bytes.
    pub(crate) size: u64,
}

/// Where bytes are among several packages: number of the package, stream, offset. Blobs are read in this
/// order, so that compressed packages are unpacked once, front to back. The lowest value is for bytes that
/// are in no package.
pub(crate) type ReadOrder = [u64; 3];

impl Locator {
    /// The place in the read order, in the package of this number.
    pub(crate) fn read_order(&self, package: usize) -> ReadOrder {
        // A package's number counts from one here: lower values are free for what is in no package.
        [package as u64 + 1, self.stream.0.into(), self.offset]
    }
}

/// One file or link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) kind: MemberKind,
    /// The content, where it is small and the parsers may need it.
    pub(crate) content: Option<Arc<[u8]>>,
    pub(crate) compression: Compression,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MemberKind {
    File(Locator),
    /// A link to this path, inside the same listing.
    Link(String),
    /// A link to this target outside the archive or directory; it is never followed.
    LinkOutside(String),
}

impl Member {
    /// True where both have the same content, as far as it is known.
    fn is_like(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (MemberKind::File(a), MemberKind::File(b)) => {
                a.size == b.size && self.content == other.content
            }
            (a, b) => a == b,
        }
    }
}

/// The entries of one archive or directory, by normalised path, and the archives among them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// Path inside the package, for messages.
    pub(crate) path: String,
    #[serde(deserialize_with = "decoding::map")]
    pub(crate) members: BTreeMap<String, Member>,
    #[serde(deserialize_with = "nested")]
    pub(crate) nested: BTreeMap<String, Listing>,
    /// What went wrong while it was read; everything read before that is listed.
    #[serde(skip)]
    pub(crate) problems: Vec<Error>,
    /// Reading failed or the data ended early, so the listing may lack entries.
    pub(crate) is_incomplete: bool,
}

/// Reads the archives in an archive. A made-up index cache could nest them until the stack overflows.
fn nested<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, Listing>, D::Error> {
    thread_local!(static DEPTH: Cell<u64> = const { Cell::new(0) });
    let depth = DEPTH.get();
    ARCHIVE_DEPTH.check(depth).map_err(serde::de::Error::custom)?;
    DEPTH.set(depth + 1);
    let nested = decoding::map(deserializer);
    DEPTH.set(depth);
    nested
}

impl Listing {
    /// The paths of all files and archives directly in it, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> =
            self.members.keys().chain(self.nested.keys()).cloned().collect();
        paths.sort();
        paths.dedup();
        paths
    }

    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Adds a member. Where the path is listed already, the first member stays; a second one with
    /// different content is a problem.
    pub(crate) fn insert(&mut self, path: String, member: Member) {
        let Some(there) = self.members.get(&path) else {
            self.members.insert(path, member);
            return;
        };
        if !there.is_like(&member) {
            let message = "the archive holds this path twice, with different content";
            self.problems.push(Error::new(ErrorKind::Malformed, message).at_path(path));
        }
    }

    /// Adds an archive that is a member. Of two at one path the first stays.
    pub(crate) fn insert_nested(&mut self, path: &str, nested: Self) {
        let Some(there) = self.nested.get(path) else {
            self.nested.insert(path.to_owned(), nested);
            return;
        };
        if !there.is_like(&nested) {
            let message = "the archive holds this path twice, with different archives";
            self.problems.push(Error::new(ErrorKind::Malformed, message).at_path(path));
        }
    }

    /// True where both hold the same files, as far as their content is known.
    fn is_like(&self, other: &Self) -> bool {
        let paths = |listing: &Self| {
            listing.members.keys().chain(listing.nested.keys()).cloned().collect::<Vec<_>>()
        };
        paths(self) == paths(other)
            && self.members.values().zip(other.members.values()).all(|(a, b)| a.is_like(b))
            && self.nested.values().zip(other.nested.values()).all(|(a, b)| a.is_like(b))
    }

    /// The file at a path; follows links.
    pub(crate) fn file(&self, path: &str) -> Result<(Locator, &Member)> {
        let mut at = path;
        for _ in 0..LINKS.max {
            let Some(member) = self.members.get(at) else {
                let message = if at == path {
                    "the archive has no such file".to_owned()
                } else {
                    format!("the link leads to {at}, which is not there")
                };
                return Err(Error::new(ErrorKind::Missing, message).at_path(path));
            };
            match &member.kind {
                MemberKind::File(locator) => return Ok((*locator, member)),
                MemberKind::Link(target) => at = target,
                MemberKind::LinkOutside(target) => {
                    let message = format!("the link leads outside, to {target}");
                    return Err(Error::new(ErrorKind::UnsafePath, message).at_path(path));
                }
            }
        }
        Err(Error::new(ErrorKind::UnsafePath, "too many links in a row").at_path(path))
    }

    /// The content of a small file.
    pub(crate) fn read(
        &self,
        path: &str,
        limit: Limit,
        source: &dyn BlobSource,
    ) -> Result<Arc<[u8]>> {
        let (locator, member) = self.file(path)?;
        limit.check(locator.size).map_err(|e| e.at_path(path))?;
        match &member.content {
            Some(content) => Ok(content.clone()),
            None => source.read_document(&locator).map_err(|e| e.at_path(path)),
        }
    }

    /// True where nothing went wrong while this listing and those inside it were read.
    pub(crate) fn is_flawless(&self) -> bool {
        self.problems.is_empty()
            && !self.is_incomplete
            && self.nested.values().all(Self::is_flawless)
    }

    /// Hashes the listing and those inside it, and returns the sum of its own files' sizes.
    pub(crate) fn fingerprint(&self, hasher: &mut Hasher) -> u64 {
        let mut total = 0;
        for (path, member) in &self.members {
            if let MemberKind::File(Locator { offset, size, .. }) = member.kind {
                hasher.update(format!("{path}\0{offset}\0{size}\n").as_bytes());
                // A forged index may say any size.
                total = u64::saturating_add(total, size);
            }
        }
        for (path, nested) in &self.nested {
            hasher.update(path.as_bytes());
            nested.fingerprint(hasher);
        }
        total
    }

    /// Where each file is whose content is listed, and the content; also in the archives inside.
    pub(crate) fn contents(&self) -> Vec<(Locator, Arc<[u8]>)> {
        let own =
            self.members.values().filter_map(|member| match (&member.kind, &member.content) {
                (MemberKind::File(locator), Some(content)) => Some((*locator, content.clone())),
                _ => None,
            });
        own.chain(self.nested.values().flat_map(Self::contents)).collect()
    }

    /// What is wrong with links that are named like archives and lead to nothing that can be read.
    pub(crate) fn lost_archives(&self) -> impl Iterator<Item = Error> + '_ {
        let is_archive = |path: &str| {
            [".tar", ".tgz", ".tar.gz", ".tar.zst"].iter().any(|ending| path.ends_with(ending))
        };
        let links = self.members.iter().filter(move |(path, member)| {
            !matches!(member.kind, MemberKind::File(_)) && is_archive(path)
        });
        links.filter_map(|(path, _)| self.file(path).err())
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.members.contains_key(path)
    }

    /// The paths that begin with the folder, which ends in a slash.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a String> {
        let from = self.members.range::<str, _>((Bound::Included(folder), Bound::Unbounded));
        from.map(|(path, _)| path).take_while(move |path| path.starts_with(folder))
    }
}

/// A path inside an archive in normal form: no leading `./`, no empty components. `None` where it
/// has a `..`, is absolute, or is longer than 4096 bytes.
pub(crate) fn normalise(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') || PATH.check(path.len()).is_err() {
        return None;
    }
    let mut components = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => return None,
            name => components.push(name),
        }
    }
    Some(components.join("/"))
}

/// The path that a symbolic link at `from` leads to; `None` where that is outside.
pub(crate) fn resolve_link(from: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains('\0') {
        return None;
    }
    let mut components: Vec<&str> = from.split('/').collect();
    components.pop();
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            name => components.push(name),
        }
    }
    Some(components.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_outside_are_refused() {
        assert_eq!(normalise("./a//b/./c"), Some("a/b/c".into()));
        for bad in ["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b"] {
            assert_eq!(normalise(bad), None, "{bad}");
        }
        assert_eq!(resolve_link("a/b/layer.tar", "../c/layer.tar"), Some("a/c/layer.tar".into()));
        assert_eq!(resolve_link("layer.tar", "../x"), None);
        assert_eq!(resolve_link("a/layer.tar", "/etc/passwd"), None);
    }

    #[test]
    fn circular_and_dangling_links_are_errors() {
        let mut listing = Listing::new("x");
        let link = |target: &str| Member {
            kind: MemberKind::Link(target.into()),
            content: None,
            compression: Compression::None,
        };
        listing.insert("a".into(), link("b"));
        listing.insert("b".into(), link("a"));
        listing.insert("c".into(), link("gone"));
        assert_eq!(listing.file("a").expect_err("circle").kind(), ErrorKind::UnsafePath);
        assert_eq!(listing.file("c").expect_err("gone").kind(), ErrorKind::Missing);
        listing.insert("c".into(), link("other"));
        assert_eq!(listing.problems.len(), 1);
    }
}
