//! Spaces: runs of bytes that can be read from any offset.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    ahead::{Ahead, Turn},
    gzip::{Checkpoints, Gunzip, MAX_POINTS, SPACING},
    input::{Section, buffered, skip},
    room::Room,
};
use crate::{
    apply::Cancel,
    error::{Error, Result},
    image::{Algorithm, Digest, Hasher},
    package::{BlobSource, Contents, Locator, SpaceId},
};

/// How many pieces of a package may be unpacked ahead of those who send them: 16 MiB.
const AHEAD: usize = 64;

/// Every space of a package: its files, and what compressed runs in them unpack to.
pub(super) struct Spaces {
    list: Vec<Space>,
    /// Windows of all checkpoints, and the least distance between those of one run.
    windows: usize,
    pub(super) spacing: u64,
    /// Digests that had to be computed.
    digests: Mutex<BTreeMap<Locator, Digest>>,
    room: Room,
    cancel: Cancel,
}

struct Space {
    backing: Backing,
    /// Whoever unpacks a compressed run; see [`Ahead`].
    turn: Turn,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Backing {
    /// A place that is filled in when its scan ends.
    Pending,
    /// Opened anew for each reader: a directory may have more files than a process may open.
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
}

impl Backing {
    fn windows(&self) -> usize {
        match self {
            Self::Gzip { points, .. } => points.windows(),
            _ => 0,
        }
    }
}

/// A reader, and where it stands.
pub(super) struct Cursor {
    pub(super) at: u64,
    pub(super) reader: Box<dyn Read + Send>,
}

impl Spaces {
    pub(super) fn new(cancel: &Cancel) -> Self {
        Self {
            list: Vec::new(),
            windows: 0,
            spacing: SPACING,
            digests: Mutex::default(),
            room: Room::of(AHEAD),
            cancel: cancel.clone(),
        }
    }

    /// Spaces that were kept.
    pub(super) fn restored(
        backings: Vec<Backing>,
        digests: BTreeMap<Locator, Digest>,
        cancel: &Cancel,
    ) -> Self {
        let mut spaces = Self::new(cancel);
        for backing in backings {
            spaces.add(backing);
        }
        spaces.digests = Mutex::new(digests);
        spaces
    }

    /// What has to be kept of them.
    pub(super) fn backings(&self) -> impl Iterator<Item = &Backing> {
        self.list.iter().map(|space| &space.backing)
    }

    pub(super) fn digests(&self) -> MutexGuard<'_, BTreeMap<Locator, Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&mut self, backing: Backing) -> SpaceId {
        let id = u32::try_from(self.list.len()).expect("fewer entries than the limit");
        self.list.push(Space { backing, turn: Turn::default() });
        SpaceId(id)
    }

    /// Fills a place in. All runs together have no more checkpoints than one may have.
    pub(super) fn set(&mut self, id: SpaceId, backing: Backing) {
        self.windows += backing.windows();
        self.list[id.0 as usize].backing = backing;
        while self.windows > MAX_POINTS {
            self.spacing *= 2;
            self.windows = 0;
            for space in &mut self.list {
                if let Backing::Gzip { points, .. } = &mut space.backing {
                    points.thin(self.spacing);
                }
                self.windows += space.backing.windows();
            }
        }
    }

    fn get(&self, id: SpaceId) -> io::Result<&Space> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "no such place");
        self.list.get(id.0 as usize).ok_or_else(missing)
    }

    /// A reader that owns everything it needs, standing as near before `offset` as can be, and
    /// where it stands.
    fn start(&self, id: SpaceId, offset: u64) -> io::Result<Cursor> {
        Ok(match &self.get(id)?.backing {
            Backing::Pending => return Err(io::ErrorKind::InvalidInput.into()),
            Backing::File { path, size } => {
                let file = Arc::new(File::open(path)?);
                let section = Section::new(file, offset, size.saturating_sub(offset))
                    .stopped_by(&self.cancel);
                Cursor { at: offset, reader: Box::new(section) }
            }
            Backing::Gzip { packed, points } => {
                let point = points.before(offset);
                let inner = self.fresh(packed, point.packed)?;
                let reader = Box::new(Gunzip::from_checkpoint(buffered(inner), point));
                Cursor { at: point.unpacked, reader }
            }
            Backing::Zstd { packed } => {
                let reader = zstd::stream::read::Decoder::new(self.fresh(packed, 0)?)?;
                Cursor { at: 0, reader: Box::new(reader) }
            }
        })
    }

    /// A reader of the rest of a run, from an offset in it.
    fn fresh(&self, run: &Locator, from: u64) -> io::Result<Box<dyn Read + Send>> {
        let offset = run.offset + from;
        let mut cursor = self.start(run.space, offset)?;
        skip(&mut cursor.reader, offset - cursor.at)?;
        Ok(Box::new(cursor.reader.take(run.size.saturating_sub(from))))
    }

    /// A cursor at the offset: the one given, if that is on the way.
    fn cursor(&self, locator: &Locator, idle: Option<Cursor>) -> io::Result<Cursor> {
        let nearest = match &self.get(locator.space)?.backing {
            Backing::Gzip { points, .. } => points.before(locator.offset).unpacked,
            Backing::File { .. } => locator.offset,
            Backing::Zstd { .. } | Backing::Pending => 0,
        };
        let on_the_way = |cursor: &Cursor| (nearest..=locator.offset).contains(&cursor.at);
        let mut cursor = match idle.filter(on_the_way) {
            Some(cursor) => cursor,
            None => self.start(locator.space, locator.offset)?,
        };
        skip(&mut cursor.reader, locator.offset - cursor.at)?;
        cursor.at = locator.offset;
        Ok(cursor)
    }
}

impl BlobSource for Spaces {
    fn open(&self, locator: &Locator) -> io::Result<Box<dyn Read + Send + '_>> {
        let space = self.get(locator.space)?;
        if let Backing::File { .. } = space.backing {
            return Ok(Box::new(self.cursor(locator, None)?.reader.take(locator.size)));
        }
        let mut turn = space.turn.take(locator.offset, &self.cancel)?;
        let cursor = self.cursor(locator, turn.cursor())?;
        Ok(Box::new(Ahead::read(turn, cursor, locator.size, &self.room)?))
    }
}

impl Contents for Spaces {
    fn read(&self, locator: &Locator) -> Result<Arc<[u8]>> {
        let doing = "reading the package";
        let mut content = Vec::new();
        let mut run = self.open(locator).map_err(|e| Error::from_io(doing, e))?;
        run.read_to_end(&mut content).map_err(|e| Error::from_io(doing, e))?;
        if content.len() as u64 != locator.size {
            return Err(Error::from_io(doing, io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(content.into())
    }

    fn digest(&self, locator: &Locator) -> Result<Digest> {
        if let Some(known) = self.digests().get(locator) {
            return Ok(known.clone());
        }
        let doing = "reading the package";
        let mut run = self.open(locator).map_err(|e| Error::from_io(doing, e))?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut buffer = vec![0; 128 << 10];
        loop {
            match run.read(&mut buffer).map_err(|e| Error::from_io(doing, e))? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            };
        }
        let digest = hasher.finish();
        self.digests().insert(*locator, digest.clone());
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_runs_together_have_so_many_checkpoints() {
        let mut spaces = Spaces::new(&Cancel::new());
        for _ in 0..100 {
            let id = spaces.add(Backing::Pending);
            let points = Checkpoints::every(spaces.spacing, 200 << 20);
            let packed = Locator { space: id, offset: 0, size: 1 };
            spaces.set(id, Backing::Gzip { packed, points });
            let windows: usize = spaces.backings().map(Backing::windows).sum();
            assert!(windows == spaces.windows && windows <= MAX_POINTS, "{windows}");
        }
        assert!(spaces.windows > MAX_POINTS / 4, "{}", spaces.windows);
    }
}
