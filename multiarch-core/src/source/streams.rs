//! Streams: files and unpacked files, which can be read from any offset.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    blob_buffers::BlobBuffers,
    decoder::Decoder,
    decoder_queue::DecoderQueue,
    gzip::{Checkpoints, Gunzip, MAX_POINTS, SPACING},
    input::{buffered, skip},
    section::{ReadAt, Section},
    sparse::{FilledHoles, SparseMap},
};
use crate::{
    error::Result,
    image::Digest,
    limit::{Budget, UNPACKED_AGAIN},
    package::{BlobSource, Locator, StreamId, hash, reading},
    run::{BufferPermit, BufferPool, BufferSource, Cancel},
};

/// How many buffers a package's blobs may fill at once: 64 of 256 KiB are 16 MiB.
const BUFFERS: usize = 64;

/// Every stream of a package: its files, and what the compressed files in them unpack to.
pub(super) struct Streams {
    list: Vec<Stream>,
    /// The number of checkpoints with a window, in all streams together.
    windows: usize,
    /// The least distance between two checkpoints of one stream, in unpacked bytes.
    pub(super) spacing: u64,
    /// Digests that were computed, because the package does not say them.
    digests: Mutex<BTreeMap<Locator, Digest>>,
    pool: BufferPool,
    cancel: Cancel,
    /// What may be unpacked of Zstandard to come to a manifest or a config again.
    again: Mutex<Budget>,
}

struct Stream {
    backing: Backing,
    decoder: DecoderQueue,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Backing {
    /// A gzip stream that is still in its first pass: its checkpoints are not complete.
    Pending,
    /// Opened anew for each reader: a directory may have more files than a process may hold open.
    File {
        path: PathBuf,
        size: u64,
    },
    Gzip {
        packed: Locator,
        points: Checkpoints,
    },
    Zstd {
        packed: Locator,
    },
    /// A sparse file of a tar archive: its data in one piece, and the map that says where it belongs.
    Sparse {
        data: Locator,
        map: SparseMap,
    },
    /// A reader that the caller passed in: it has no path, and is never in the index cache. This must be
    /// the last variant, because the cache stores each variant as its position.
    #[serde(skip)]
    Reader {
        reader: Arc<dyn ReadAt>,
        size: u64,
    },
}

impl Backing {
    /// True where a stream of this number can be read from it, which a forged index may not allow: it comes
    /// from an earlier stream, and its parts fit together.
    pub(super) fn is_sound(&self, number: usize) -> bool {
        let is_earlier = |place: &Locator| {
            (place.stream.0 as usize) < number && place.offset.checked_add(place.size).is_some()
        };
        match self {
            Self::Gzip { packed, points } => is_earlier(packed) && points.are_sound(packed.size),
            Self::Zstd { packed } => is_earlier(packed),
            Self::Sparse { data, map } => is_earlier(data) && map.is_sound(),
            Self::Pending => false,
            Self::File { .. } | Self::Reader { .. } => true,
        }
    }

    /// The last place at or before `offset` where reading can start.
    fn nearest(&self, offset: u64) -> u64 {
        match self {
            Self::Gzip { points, .. } => points.before(offset).unpacked,
            Self::File { .. } | Self::Reader { .. } => offset,
            Self::Zstd { .. } | Self::Sparse { .. } | Self::Pending => 0,
        }
    }

    fn windows(&self) -> usize {
        match self {
            Self::Gzip { points, .. } => points.windows(),
            _ => 0,
        }
    }
}

impl Streams {
    pub(super) fn new(cancel: &Cancel) -> Self {
        Self {
            list: Vec::new(),
            windows: 0,
            spacing: SPACING,
            digests: Mutex::default(),
            pool: BufferPool::new(BUFFERS),
            cancel: cancel.clone(),
            again: Mutex::new(UNPACKED_AGAIN.budget()),
        }
    }

    /// Streams from the index cache.
    pub(super) fn restored(
        backings: Vec<Backing>,
        digests: BTreeMap<Locator, Digest>,
        cancel: &Cancel,
    ) -> Self {
        let mut streams = Self::new(cancel);
        for backing in backings {
            streams.add(backing);
        }
        streams.digests = Mutex::new(digests);
        streams
    }

    /// The part of each stream that the index cache stores.
    pub(super) fn backings(&self) -> impl Iterator<Item = &Backing> {
        self.list.iter().map(|stream| &stream.backing)
    }

    pub(super) fn digests(&self) -> MutexGuard<'_, BTreeMap<Locator, Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&mut self, backing: Backing) -> StreamId {
        let id = u32::try_from(self.list.len()).expect("fewer entries than the limit");
        if let Backing::File { size, .. } | Backing::Reader { size, .. } = &backing {
            let again = self.again.get_mut().unwrap_or_else(PoisonError::into_inner);
            *again = again.clone().raised(*size);
        }
        self.list.push(Stream { backing, decoder: DecoderQueue::default() });
        StreamId(id)
    }

    /// Replaces a pending backing. Drops checkpoints of all streams while they have more than
    /// [`MAX_POINTS`] windows together.
    pub(super) fn set(&mut self, id: StreamId, backing: Backing) {
        self.windows += backing.windows();
        self.list[id.0 as usize].backing = backing;
        while self.windows > MAX_POINTS {
            self.spacing *= 2;
            self.windows = 0;
            for stream in &mut self.list {
                if let Backing::Gzip { points, .. } = &mut stream.backing {
                    points.thin(self.spacing);
                }
                self.windows += stream.backing.windows();
            }
        }
    }

    fn get(&self, id: StreamId) -> io::Result<&Stream> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "no such stream");
        self.list.get(id.0 as usize).ok_or_else(missing)
    }

    /// A new reader, at the last place at or before `offset` where reading can start. It owns everything
    /// that it needs.
    fn start(&self, id: StreamId, offset: u64) -> io::Result<Decoder> {
        Ok(match &self.get(id)?.backing {
            Backing::Pending => return Err(io::ErrorKind::InvalidInput.into()),
            Backing::File { path, size } => {
                self.section(Arc::new(File::open(path)?), *size, offset)
            }
            Backing::Reader { reader, size } => self.section(reader.clone(), *size, offset),
            Backing::Gzip { packed, points } => {
                let point = points.before(offset);
                let inner = self.fresh(packed, point.packed)?;
                let reader = Box::new(Gunzip::from_checkpoint(buffered(inner, packed.size), point));
                Decoder { at: point.unpacked, reader }
            }
            Backing::Zstd { packed } => {
                let reader = zstd::stream::read::Decoder::new(self.fresh(packed, 0)?)?;
                Decoder { at: 0, reader: Box::new(reader) }
            }
            Backing::Sparse { data, map } => {
                let reader = FilledHoles::new(map.clone(), self.fresh(data, 0)?);
                Decoder { at: 0, reader: Box::new(reader) }
            }
        })
    }

    fn section(&self, file: Arc<dyn ReadAt>, size: u64, offset: u64) -> Decoder {
        let section = Section::new(file, offset, size.saturating_sub(offset));
        Decoder { at: offset, reader: Box::new(section.stopped_by(&self.cancel)) }
    }

    /// A new reader of the bytes of a locator, from the offset `from` in them on.
    fn fresh(&self, place: &Locator, from: u64) -> io::Result<Box<dyn Read + Send>> {
        let offset = place.offset + from;
        let mut decoder = self.start(place.stream, offset)?;
        skip(&mut decoder.reader, offset - decoder.at)?;
        Ok(Box::new(decoder.reader.take(place.size.saturating_sub(from))))
    }

    /// How much of Zstandard is unpacked before a new reader stands at `offset`: it has no checkpoints.
    fn distance(&self, id: StreamId, offset: u64) -> u64 {
        let Ok(stream) = self.get(id) else { return 0 };
        let (own, inner, at) = match &stream.backing {
            Backing::Pending | Backing::File { .. } | Backing::Reader { .. } => return 0,
            Backing::Gzip { packed, points } => (0, packed, points.before(offset).packed),
            Backing::Zstd { packed } => (offset, packed, 0),
            Backing::Sparse { data, .. } => (0, data, 0),
        };
        self.distance(inner.stream, inner.offset.saturating_add(at)).saturating_add(own)
    }

    /// A decoder at the locator's offset. It is the idle one where that is nearer before the offset than
    /// the last checkpoint, so that fewer bytes are unpacked.
    fn decoder(&self, locator: &Locator, idle: Option<Decoder>) -> io::Result<Decoder> {
        let from = self.get(locator.stream)?.backing.nearest(locator.offset);
        let is_nearer = |decoder: &Decoder| (from..=locator.offset).contains(&decoder.at);
        let mut decoder = match idle.filter(is_nearer) {
            Some(decoder) => decoder,
            None => self.start(locator.stream, locator.offset)?,
        };
        skip(&mut decoder.reader, locator.offset - decoder.at)?;
        decoder.at = locator.offset;
        Ok(decoder)
    }
}

impl BlobSource for Streams {
    fn open(
        &self,
        locator: &Locator,
        permit: BufferPermit,
    ) -> io::Result<Box<dyn BufferSource + '_>> {
        let stream = self.get(locator.stream)?;
        let buffers = if let Backing::File { .. } | Backing::Reader { .. } = stream.backing {
            let reader = self.decoder(locator, None)?.reader;
            BlobBuffers::File { reader, left: locator.size, pool: self.pool.clone(), permit }
        } else {
            let mut guard = stream.decoder.acquire(locator.offset, &self.cancel, &permit)?;
            let decoder = self.decoder(locator, guard.take_decoder())?;
            BlobBuffers::unpack(guard, decoder, locator.size, &self.pool, permit)?
        };
        Ok(Box::new(buffers))
    }

    fn read_document(&self, locator: &Locator) -> Result<Arc<[u8]>> {
        let stream = self.get(locator.stream).map_err(reading)?;
        let from = stream.backing.nearest(locator.offset);
        if !stream.decoder.is_idle_in(from..=locator.offset) {
            let distance = self.distance(locator.stream, locator.offset);
            self.again.lock().unwrap_or_else(PoisonError::into_inner).spend(distance)?;
        }
        self.read(locator)
    }

    /// Computes each digest once, because a layer without a digest in its name is asked for repeatedly.
    fn digest(&self, locator: &Locator) -> Result<Digest> {
        if let Some(known) = self.digests().get(locator) {
            return Ok(known.clone());
        }
        let digest = hash(self, locator)?;
        self.digests().insert(*locator, digest.clone());
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each jump back begins again at the start of the stream.
    #[test]
    fn limit_of_unpacked_again() {
        let packed = zstd::stream::encode_all([7; 1000].as_slice(), 1).expect("packed");
        let mut streams = Streams::new(&Cancel::new());
        let size = packed.len() as u64;
        let reader = Arc::new(Mutex::new(io::Cursor::new(packed)));
        let stream = streams.add(Backing::Reader { reader, size });
        let stream = streams.add(Backing::Zstd { packed: Locator { stream, offset: 0, size } });
        let read = |offset| streams.read_document(&Locator { stream, offset, size: 1 });
        let left = || streams.again.lock().expect("a lock").clone();
        assert_eq!(left().left(), (16 << 30) + size);
        for (offset, spent) in [(0, 0), (600, 0), (500, 500), (999, 500), (0, 500), (999, 500)] {
            read(offset).expect("read");
            assert_eq!((16 << 30) + size - left().left(), spent, "{offset}");
        }
        let all_but_ten = left().left() - 10;
        streams.again.lock().expect("a lock").spend(all_but_ten).expect("there");
        assert_eq!(&*read(10).expect("read"), &[7]);
        assert_eq!(read(5).expect_err("too far").kind(), crate::ErrorKind::TooLarge);
    }

    #[test]
    fn all_streams_together_have_a_bounded_number_of_checkpoints() {
        let mut streams = Streams::new(&Cancel::new());
        for _ in 0..100 {
            let id = streams.add(Backing::Pending);
            let points = Checkpoints::every(streams.spacing, 200 << 20);
            let packed = Locator { stream: id, offset: 0, size: 1 };
            streams.set(id, Backing::Gzip { packed, points });
            let windows: usize = streams.backings().map(Backing::windows).sum();
            assert!(windows == streams.windows && windows <= MAX_POINTS, "{windows}");
        }
        assert!(streams.windows > MAX_POINTS / 4, "{}", streams.windows);
    }
}
