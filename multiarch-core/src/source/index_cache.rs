//! The index cache: what one pass over a package found, stored for the next run.
//!
//! A cached index is used only for the very same file: on disk it has the same place, size and times, also
//! that of its last change of any kind, which no program can set; and it has the same bytes at 65 places
//! and, where it is not compressed, in all small documents. Losing an index costs another pass, nothing
//! else.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    regular::open_regular,
    streams::{Backing, Streams},
    temporary,
};
use crate::{
    image::{Algorithm, Digest, Hasher},
    limit::{
        self,
        decoding::{self, decoding},
    },
    package::{Listing, Locator, StreamId},
    run::Cancel,
};

/// The first bytes of a cached index; its number changes with the format.
pub(super) const MAGIC: &[u8] = b"multiarch index 2\n";
/// The package's bytes are compared at this many places, evenly spaced, and at its end.
const PLACES: u64 = 64;
/// How many bytes are compared at each place.
const PLACE: usize = 4 << 10;
/// How many indexes the cache holds at most.
const MAX_CACHED: usize = 16;
const ENDING: &str = "index";

/// A listing in the form in which it is cached. `None` where the listing has problems: they are not
/// cached, so the next run must read the package again to report them.
pub(super) fn encode_listing(listing: &Listing) -> Option<Vec<u8>> {
    listing.is_flawless().then(|| postcard::to_stdvec(listing).ok())?
}

/// The place of one package's index in the cache.
pub(super) struct IndexCache {
    folder: PathBuf,
    path: PathBuf,
}

#[derive(Deserialize)]
struct CachedIndex {
    listing: Vec<u8>,
    #[serde(deserialize_with = "decoding::list")]
    backings: Vec<Backing>,
    #[serde(deserialize_with = "decoding::map")]
    digests: BTreeMap<Locator, Digest>,
}

#[derive(Serialize)]
struct IndexToCache<'a> {
    listing: &'a [u8],
    backings: Vec<&'a Backing>,
    digests: &'a BTreeMap<Locator, Digest>,
}

impl IndexCache {
    /// `None` where the package is not a file, or cannot be read.
    pub(super) fn find(package: &Path, folder: &Path) -> Option<Self> {
        let file = File::open(package).ok()?;
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(MAGIC);
        for number in [
            metadata.len(),
            metadata.dev(),
            metadata.ino(),
            metadata.mtime().cast_unsigned(),
            metadata.mtime_nsec().cast_unsigned(),
            metadata.ctime().cast_unsigned(),
            metadata.ctime_nsec().cast_unsigned(),
        ] {
            hasher.update(&number.to_le_bytes());
        }
        let last = metadata.len().saturating_sub(PLACE as u64);
        let mut place = vec![0; PLACE];
        for number in 0..=PLACES {
            // Number 0 is the file's start, number `PLACES` its end. u128, since the product may not fit
            // into u64.
            let offset =
                u64::try_from(u128::from(last) * u128::from(number) / u128::from(PLACES)).ok()?;
            let count = file.read_at(&mut place, offset).ok()?;
            hasher.update(&place[..count]);
        }
        let path = folder.join(format!("{}.{ENDING}", hasher.finish().hex()));
        Some(Self { folder: folder.into(), path })
    }

    /// Loads the index, if it is cached and undamaged. Its streams read from `package`.
    pub(super) fn load(&self, package: &Path, cancel: &Cancel) -> Option<(Listing, Streams)> {
        let mut file = open_regular(&self.path).ok()?;
        let mut head = vec![0; MAGIC.len()];
        let mut expected = [0; 32];
        file.read_exact(&mut head).ok().filter(|()| head == MAGIC)?;
        file.read_exact(&mut expected).ok()?;
        let from = (MAGIC.len() + expected.len()) as u64;
        let mut hashing = Hashing::new(io::sink());
        io::copy(&mut file, &mut hashing).ok()?;
        if hashing.hasher.finish().hex() != hex::encode(expected) {
            return None;
        }
        file.seek(SeekFrom::Start(from)).ok()?;
        let decoder =
            zstd::stream::read::Decoder::new(file).map(|d| d.take(limit::CACHED_INDEX.max));
        // Must hold the longest path, digest or window of a checkpoint.
        let mut scratch = vec![0; 64 << 10];
        let reader = BufReader::new(decoder.ok()?);
        let decoded = decoding(|| postcard::from_io((reader, &mut scratch)));
        let (content, _): (CachedIndex, _) = decoded.ok()?;
        let backings: Vec<Backing> = content
            .backings
            .into_iter()
            .map(|backing| match backing {
                Backing::File { size, .. } => Backing::File { path: package.into(), size },
                other => other,
            })
            .collect();
        // A file with the right digest may still be made up.
        if !backings.iter().enumerate().all(|(number, backing)| backing.is_sound(number)) {
            return None;
        }
        let listing: Listing = decoding(|| postcard::from_bytes(&content.listing)).ok()?;
        let file = File::open(package).ok()?;
        let is_file = |stream: StreamId| {
            matches!(backings.get(stream.0 as usize), Some(Backing::File { .. }))
        };
        let is_same = |locator: &Locator, listed: &[u8]| {
            let mut content = vec![0; listed.len()];
            !is_file(locator.stream)
                || (file.read_exact_at(&mut content, locator.offset).is_ok() && content == listed)
        };
        if !listing.contents().iter().all(|(locator, content)| is_same(locator, content)) {
            return None;
        }
        Some((listing, Streams::restored(backings, content.digests, cancel)))
    }

    /// Stores an index, and removes the oldest ones beyond [`MAX_CACHED`].
    pub(super) fn store(&self, listing: &[u8], streams: &Streams) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let digests = streams.digests();
        let content =
            IndexToCache { listing, backings: streams.backings().collect(), digests: &digests };
        let mut file =
            tempfile::Builder::new().prefix(temporary::PREFIX).tempfile_in(&self.folder)?;
        // As long as it is locked, no other run takes it for one that a killed run has left.
        file.as_file().lock()?;
        file.write_all(MAGIC)?;
        file.write_all(&[0; 32])?;
        let mut encoder = zstd::stream::write::Encoder::new(Hashing::new(file.as_file_mut()), 1)?;
        postcard::to_io(&content, io::BufWriter::new(&mut encoder)).map_err(io::Error::other)?;
        let digest = encoder.finish()?.hasher.finish();
        let digest = hex::decode(digest.hex()).map_err(io::Error::other)?;
        file.as_file().write_all_at(&digest, MAGIC.len() as u64)?;
        file.persist(&self.path)?;
        self.tidy()
    }

    /// Removes the oldest indexes, so that [`MAX_CACHED`] remain, and what killed runs have left.
    fn tidy(&self) -> io::Result<()> {
        let mut indexes = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if temporary::is_temporary(&entry) {
                if open_regular(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                    fs::remove_file(&path)?;
                }
                continue;
            }
            if path.extension().is_some_and(|ending| ending == ENDING) {
                indexes.push((path.metadata()?.modified()?, path));
            }
        }
        indexes.sort();
        let surplus = indexes.len().saturating_sub(MAX_CACHED);
        indexes.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// Hashes what is written through it.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(Algorithm::Sha256) }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::streams::Backing;

    /// Whether a cached index with this content and the right digest is taken.
    fn is_taken(backings: Vec<&Backing>, padding: usize) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let package = folder.path().join("package");
        fs::write(&package, "content").expect("written");
        let cache = IndexCache::find(&package, &folder.path().join("cache")).expect("a place");
        let mut listing = encode_listing(&Listing::default()).expect("flawless");
        listing.resize(listing.len() + padding, 0);
        let content = IndexToCache { listing: &listing, backings, digests: &BTreeMap::new() };
        let text = postcard::to_stdvec(&content).expect("encoded");
        let packed = zstd::stream::encode_all(text.as_slice(), 1).expect("packed");
        let digest = Digest::sha256(&packed);
        let digest = hex::decode(digest.hex()).expect("hex");
        fs::create_dir_all(&cache.folder).expect("a folder");
        fs::write(&cache.path, [MAGIC, &digest, &packed].concat()).expect("written");
        cache.load(&package, &Cancel::new()).is_some()
    }

    #[test]
    fn limit_of_cached_index() {
        assert!(is_taken(Vec::new(), 90 << 20) && !is_taken(Vec::new(), 97 << 20));
    }

    #[test]
    fn limit_of_cached_values() {
        let file = Backing::File { path: "x".into(), size: 7 };
        assert!(is_taken(vec![&file; 400_000], 0) && !is_taken(vec![&file; 500_001], 0));
    }

    /// A stream that is unpacked from itself would be read without end.
    #[test]
    fn made_up_streams_are_not_taken() {
        let file = Backing::File { path: "x".into(), size: 7 };
        let zstd = |stream| Backing::Zstd {
            packed: Locator { stream: StreamId(stream), offset: 0, size: 7 },
        };
        assert!(is_taken(vec![&file, &zstd(0)], 0));
        assert!(!is_taken(vec![&file, &zstd(1)], 0));
        assert!(!is_taken(vec![&zstd(1), &zstd(0)], 0));
        assert!(!is_taken(vec![&Backing::Pending], 0));
    }

    /// Sixty thousand archives in each other: the stack is not as deep.
    #[test]
    fn made_up_listings_are_not_taken() {
        let deep = |levels: usize| {
            let open = b"\0\0\x01\0".repeat(levels);
            let text = [open, vec![0; 4], vec![0; levels]].concat();
            postcard::from_bytes::<Listing>(&text).is_ok()
        };
        assert!(deep(8) && !deep(9) && !deep(60_000));
    }

    #[test]
    fn what_a_killed_run_left_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let package = folder.path().join("package");
        fs::write(&package, "content").expect("written");
        let cache = IndexCache::find(&package, &folder.path().join("cache")).expect("a place");
        fs::create_dir_all(&cache.folder).expect("a folder");
        let (left, used) =
            (cache.folder.join(".multiarch-left"), cache.folder.join(".multiarch-used"));
        fs::write(&left, "").expect("written");
        let folder_of_others = cache.folder.join(".multiarch-folder");
        fs::create_dir(&folder_of_others).expect("a folder");
        let lock = File::create(&used).expect("created");
        lock.lock().expect("locked");
        let listing = encode_listing(&Listing::default()).expect("flawless");
        cache.store(&listing, &Streams::new(&Cancel::new())).expect("stored");
        assert!(!left.exists() && used.exists() && cache.path.exists());
        assert!(folder_of_others.exists());
    }
}
