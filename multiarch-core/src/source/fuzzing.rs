//! What fuzzing asks of the code that reads archives. A function panics where a law does not hold.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use sha2::{Digest as _, Sha256};

use super::{
    OpenOptions,
    gzip::{CurrentFile, Gunzip},
    index_cache::{self, IndexCache},
    options::Kept,
    streams::{Backing, Streams},
    walk::Walk,
};
use crate::{
    package::{BlobSource, Listing, Locator, MemberKind, Package},
    run::Cancel,
};

const NAME: &str = "addon-offline-full-package-v1.0.0-amd64.tar.gz";
/// More than this is not unpacked, so that one input takes a millisecond.
const MOST: u64 = 64 << 10;

/// What the one pass keeps of a file is what is read from its place later, and the package can be opened or
/// is an error.
pub(crate) fn tar_walk(data: &[u8]) {
    let (options, kept) = (OpenOptions::default(), Kept::default());
    let mut walk = Walk::new(&options, &kept);
    let reader = Arc::new(Mutex::new(Cursor::new(data.to_vec())));
    if let Ok(Some(listing)) = walk.reader(reader, data.len() as u64, NAME) {
        check_listing(&listing, &walk.streams);
    }
    if let Ok(package) = Package::from_reader(NAME, Cursor::new(data.to_vec())) {
        crate::fuzzing::check_package(&package);
    }
}

fn check_listing(listing: &Listing, streams: &Streams) {
    for (path, member) in &listing.members {
        let (MemberKind::File(locator), Some(content)) = (&member.kind, &member.content) else {
            continue;
        };
        assert_eq!(content.len() as u64, locator.size, "{path}");
        let again = streams.read(locator).expect("what was read once can be read again");
        assert!(again == *content, "{path} reads differently at {locator:?}");
    }
    listing.nested.values().for_each(|nested| check_listing(nested, streams));
}

/// Reading from every checkpoint gives what reading from the start gives. The first byte of `data` says how
/// the rest becomes a stream, the second how far the checkpoints are apart.
pub(crate) fn gzip_resume(data: &[u8]) {
    let [shape, spacing, rest @ ..] = data else { return };
    let packed = if shape & 1 == 0 { rest.to_vec() } else { gzip_of(rest, *shape) };
    let file = 1 + u64::from(*spacing) * 16;
    let current_file = CurrentFile::default();
    let mut reader = Gunzip::recording(&packed[..], current_file.clone(), 1 + file / 2);
    let (mut all, mut failed) = (Vec::new(), false);
    loop {
        current_file.begin_file(all.len() as u64 + file);
        if shape & 2 != 0 {
            current_file.mark_packed();
        }
        let read = reader.by_ref().take(file).read_to_end(&mut all);
        failed |= read.is_err();
        if read.is_err() || all.len() as u64 >= MOST || !(all.len() as u64).is_multiple_of(file) {
            break;
        }
        if read.is_ok_and(|count| count == 0) {
            break;
        }
    }
    let ended = (all.len() as u64) < MOST && !failed;
    let (points, unpacked) = reader.finish();
    assert!(unpacked >= all.len() as u64);
    let mut before = all.len() as u64;
    for _ in 0..8 {
        let point = points.before(before);
        let from = usize::try_from(point.unpacked).expect("small");
        let expected = all.get(from..).expect("a checkpoint is in what was read");
        let tail = usize::try_from(point.packed).ok().and_then(|at| packed.get(at..));
        let mut reader = Gunzip::from_checkpoint(tail.expect("inside"), point);
        let mut again = Vec::new();
        let most = expected.len() as u64 + u64::from(ended);
        let read = reader.by_ref().take(most).read_to_end(&mut again);
        // What a damaged stream gives before its damage depends on how much is read at once.
        let is_same = if failed { expected.starts_with(&again) } else { again == expected };
        assert!(is_same, "from {from}: {} and {} bytes", again.len(), expected.len());
        assert!(failed || read.is_ok(), "{read:?} from {from}");
        match point.unpacked.checked_sub(1) {
            Some(earlier) => before = earlier,
            None => break,
        }
    }
}

/// A gzip stream with this content, cut into blocks and members where a byte is 0 or 1.
fn gzip_of(content: &[u8], shape: u8) -> Vec<u8> {
    let level = flate2::Compression::new(u32::from(shape >> 4).min(9));
    let mut packed = Vec::new();
    for member in content.split(|byte| *byte == 0) {
        let mut encoder = flate2::write::GzEncoder::new(&mut packed, level);
        for block in member.split_inclusive(|byte| *byte == 1) {
            // Long enough for blocks of every kind.
            (0..1 + (shape >> 2) % 4 * 8).for_each(|_| encoder.write_all(block).expect("memory"));
            encoder.flush().expect("memory");
        }
        encoder.finish().expect("memory");
    }
    packed
}

/// Any part of what a Zstandard stream unpacks to is the same when it is read by itself. The first three bytes
/// of `data` say how the rest becomes a stream, and which part.
pub(crate) fn zstd(data: &[u8]) {
    let [shape, from, length, rest @ ..] = data else { return };
    let packed = match shape & 1 {
        0 => rest.to_vec(),
        _ => {
            let frames = rest.split(|byte| *byte == 0);
            frames.flat_map(|frame| zstd::encode_all(frame, 1).expect("memory")).collect()
        }
    };
    let Ok(decoder) = zstd::stream::read::Decoder::new(&packed[..]) else { return };
    let mut all = Vec::new();
    let failed = decoder.take(MOST).read_to_end(&mut all).is_err();
    let mut streams = Streams::new(&Cancel::new());
    let size = packed.len() as u64;
    let reader = Arc::new(Mutex::new(Cursor::new(packed)));
    let stream = streams.add(Backing::Reader { reader, size });
    let stream = streams.add(Backing::Zstd { packed: Locator { stream, offset: 0, size } });
    let offset = all.len() * usize::from(*from) / 255;
    for length in [usize::from(*length), all.len()] {
        let end = all.len().min(offset + length);
        let part = Locator { stream, offset: offset as u64, size: (end - offset) as u64 };
        match streams.read(&part) {
            Ok(content) => assert!(content[..] == all[offset..end], "{part:?}"),
            Err(error) => assert!(failed, "{error}: {part:?}"),
        }
    }
}

/// A package with an index in the cache, to be forged.
struct Forge {
    folder: tempfile::TempDir,
    package: PathBuf,
    index: PathBuf,
}

fn forge() -> &'static Mutex<Forge> {
    static FORGE: OnceLock<Mutex<Forge>> = OnceLock::new();
    FORGE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let package = folder.path().join(NAME);
        let file = fs::File::create(&package).expect("a file");
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(&crate::fuzzing::docker_archive(None)).expect("written");
        encoder.finish().expect("written");
        let cache = folder.path().join("cache");
        OpenOptions::new().cache(&cache).open(&package).expect("a package");
        let index = fs::read_dir(cache).expect("a cache").next().expect("an index");
        let index = index.expect("an index").path();
        Mutex::new(Forge { folder, package, index })
    })
}

/// A forged index counts as none, or is used; it is never more than an error. The first byte of `data` says
/// what the rest is: the file, what follows its checksum, or what that unpacks to.
pub(crate) fn index_cache(data: &[u8]) {
    let [shape, rest @ ..] = data else { return };
    let forge = forge().lock().expect("one thread");
    let cache = forge.folder.path().join("cache");
    let packed = if shape % 3 == 1 { rest.to_vec() } else { zstd_of(rest) };
    let checksum = Sha256::digest(&packed);
    let forged = match shape % 3 {
        0 => rest.to_vec(),
        _ => [index_cache::MAGIC, checksum.as_slice(), &packed].concat(),
    };
    fs::write(&forge.index, forged).expect("written");
    let found = IndexCache::find(&forge.package, &cache).expect("a file");
    let Some((listing, streams)) = found.load(&forge.package, &Cancel::new()) else { return };
    read_all(&listing, &streams, &mut 64);
    // It may lead anywhere in the package, and what is there may be no package.
    let _ = OpenOptions::new().cache(&cache).open(&forge.package);
}

fn zstd_of(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("memory")
}

fn read_all(listing: &Listing, streams: &Streams, left: &mut u32) {
    for member in listing.members.values() {
        if let (MemberKind::File(locator), Some(rest)) = (&member.kind, left.checked_sub(1)) {
            *left = rest;
            // An error is as good as content.
            let _ = streams.read(&Locator { size: locator.size.min(MOST), ..*locator });
        }
    }
    listing.nested.values().for_each(|nested| read_all(nested, streams, left));
}
