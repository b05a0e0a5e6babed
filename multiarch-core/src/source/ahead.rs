//! Unpacking ahead of those who send: one thread unpacks a compressed run front to back, several
//! hash and send what it gives, and only so much is in memory between them.
//!
//! A run that is read at two places at once is unpacked twice. So there is one turn for each run: who
//! has it unpacks its blob as fast as there is room, and passes the turn on when the blob is read,
//! not when it is sent. Of those who wait, the next one on the way forward gets it: every jump back
//! unpacks from a checkpoint on what nobody wants.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{pieces::Pieces, room::Room, space::Cursor};
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
    /// Who waits: the offset, and a number that tells them apart.
    waiting: BTreeSet<(u64, u64)>,
    number: u64,
}

impl Slot {
    /// Who is next.
    fn next(&self) -> Option<(u64, u64)> {
        let at = self.idle.as_ref().map_or(0, |cursor| cursor.at);
        let ahead = self.waiting.range((at, 0)..).next();
        ahead.or_else(|| self.waiting.first()).copied()
    }
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

    /// Waits for the turn to read from an offset on.
    pub(super) fn take(&self, offset: u64, cancel: &Cancel) -> io::Result<Taken> {
        let mut slot = self.slot();
        let me = (offset, slot.number);
        slot.number += 1;
        slot.waiting.insert(me);
        while slot.taken || slot.next() != Some(me) {
            if let Err(error) = cancel.check() {
                slot.waiting.remove(&me);
                self.0.1.notify_all();
                return Err(error.into());
            }
            let waited = self.0.1.wait_timeout(slot, LOOK);
            slot = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        slot.waiting.remove(&me);
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
        self.turn.0.1.notify_all();
    }
}

/// One blob, read ahead of whoever reads it from here.
pub(super) enum Ahead {
    /// By a thread of its own.
    Pieces(Pieces),
    /// Small enough to be read in place.
    Small(io::Cursor<Vec<u8>>),
}

impl Ahead {
    /// Reads `size` bytes from the cursor on, and passes the turn on behind them.
    pub(super) fn read(
        mut turn: Taken,
        cursor: Cursor,
        size: u64,
        room: &Room,
    ) -> io::Result<Self> {
        let Cursor { at, mut reader } = cursor;
        if size <= SMALL {
            let mut content = Vec::new();
            let count = reader.by_ref().take(size).read_to_end(&mut content)?;
            turn.cursor = Some(Cursor { at: at + count as u64, reader });
            return Ok(Self::Small(io::Cursor::new(content)));
        }
        // All of the turn moves there, or it would be passed on at once.
        let done = move |reader, count| {
            let mut turn = turn;
            turn.cursor = Some(Cursor { at: at + count, reader });
        };
        Pieces::read(reader, size, room.clone(), done).map(Self::Pieces)
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Small(content) => content.read(buffer),
            Self::Pieces(pieces) => pieces.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_on_the_way_has_the_turn() {
        let (turn, cancel) = (Turn::default(), Cancel::new());
        let mut first = turn.take(0, &cancel).expect("free");
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for offset in [30, 10, 20] {
                let (turn, cancel, order) = (&turn, &cancel, &order);
                scope.spawn(move || {
                    let mut taken = turn.take(offset, cancel).expect("free in the end");
                    order.lock().expect("whole").push(offset);
                    let reader = Box::new(io::empty());
                    taken.cursor = Some(Cursor { at: offset + 1, reader });
                });
            }
            while turn.slot().waiting.len() < 3 {
                std::thread::yield_now();
            }
            first.cursor = Some(Cursor { at: 15, reader: Box::new(io::empty()) });
            drop(first);
        });
        assert_eq!(order.into_inner().expect("whole"), [20, 30, 10]);
    }

    #[test]
    fn who_gives_up_waiting_stands_in_nobodys_way() {
        let (turn, cancel) = (Turn::default(), Cancel::new());
        let first = turn.take(0, &cancel).expect("free");
        let gone = Cancel::new();
        gone.cancel();
        assert!(turn.take(5, &gone).is_err());
        drop(first);
        turn.take(10, &cancel).expect("free");
    }
}
