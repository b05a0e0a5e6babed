//! Unpacking ahead of those who send: one thread unpacks a compressed run front to back, several
//! hash and send what it gives, and only so much is in memory between them.
//!
//! A run that is read at two places at once is unpacked twice. So there is one turn for each run: who
//! has it unpacks its blob as fast as there is room, and passes the turn on when the blob is read,
//! not when it is sent.

use std::{
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use super::{
    room::{PIECE, Piece, Room},
    space::Cursor,
};
use crate::apply::Cancel;

/// A blob of at most this much is read where it is asked for: a thread costs more.
const SMALL: u64 = 64 << 10;
/// How often somebody who waits looks whether the run is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// The turn to unpack one run.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<(Mutex<Slot>, Condvar)>);

#[derive(Default)]
struct Slot {
    taken: bool,
    /// Where the last one stopped: the next blob is not far behind.
    idle: Option<Cursor>,
}

/// The turn, taken; it is passed on when this is dropped.
pub(super) struct Taken {
    turn: Turn,
    cursor: Option<Cursor>,
}

impl Turn {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn.
    pub(super) fn take(&self, cancel: &Cancel) -> io::Result<Taken> {
        let mut slot = self.slot();
        while slot.taken {
            cancel.check()?;
            let waited = self.0.1.wait_timeout(slot, LOOK);
            slot = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        slot.taken = true;
        let cursor = slot.idle.take();
        drop(slot);
        Ok(Taken { turn: self.clone(), cursor })
    }
}

impl Taken {
    /// The reader that the last one left.
    pub(super) fn cursor(&mut self) -> Option<Cursor> {
        self.cursor.take()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut slot = self.turn.slot();
        slot.taken = false;
        slot.idle = self.cursor.take();
        drop(slot);
        self.turn.0.1.notify_one();
    }
}

/// One blob, read ahead of whoever reads it from here.
pub(super) enum Ahead {
    /// By a thread of its own.
    Pieces { pieces: mpsc::Receiver<io::Result<Piece>>, now: Option<Piece>, at: usize },
    /// Small enough to be read in place.
    Small(io::Cursor<Vec<u8>>),
    /// It could not be read.
    Failed(Option<io::Error>),
}

impl Ahead {
    /// Reads `size` bytes from the cursor on, and passes the turn on behind them.
    pub(super) fn read(turn: Taken, mut cursor: Cursor, size: u64, room: &Room) -> Self {
        if size <= SMALL {
            let mut content = Vec::new();
            let read = cursor.reader.by_ref().take(size).read_to_end(&mut content);
            if let Err(error) = read {
                return Self::Failed(Some(error));
            }
            cursor.at += content.len() as u64;
            let mut turn = turn;
            turn.cursor = Some(cursor);
            return Self::Small(io::Cursor::new(content));
        }
        let (sender, pieces) = mpsc::channel();
        let room = room.clone();
        let work = move || {
            // All of it, or only its field would move here and the turn be passed on at once.
            let mut turn = turn;
            let mut left = size;
            while left > 0 {
                let mut piece = room.take();
                let length = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
                match piece.fill(&mut cursor.reader, length) {
                    Ok(count) => {
                        cursor.at += count as u64;
                        left -= count as u64;
                        // Nobody wants the rest.
                        if (count > 0 && sender.send(Ok(piece)).is_err()) || count < length {
                            break;
                        }
                    }
                    Err(error) => {
                        let _ = sender.send(Err(error));
                        return;
                    }
                }
            }
            turn.cursor = Some(cursor);
        };
        let thread = std::thread::Builder::new().name("multiarch-read".into()).spawn(work);
        match thread {
            Ok(_) => Self::Pieces { pieces, now: None, at: 0 },
            Err(error) => Self::Failed(Some(error)),
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Small(content) => content.read(buffer),
            Self::Failed(error) => match error.take() {
                Some(error) => Err(error),
                None => Err(io::ErrorKind::Other.into()),
            },
            Self::Pieces { pieces, now, at } => {
                if now.as_ref().is_none_or(|piece| *at == piece.as_ref().len()) {
                    // The room of the old piece is free before there is a new one.
                    *now = None;
                    match pieces.recv() {
                        Ok(piece) => (*now, *at) = (Some(piece?), 0),
                        Err(mpsc::RecvError) => return Ok(0),
                    }
                }
                let Some(piece) = now else { return Ok(0) };
                let rest = &piece.as_ref()[*at..];
                let count = buffer.len().min(rest.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                *at += count;
                Ok(count)
            }
        }
    }
}
