//! Buffers that go round: fresh memory costs more than what is done with it.

use std::{
    io::{self, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Size of a piece in bytes.
pub(crate) const PIECE: usize = 256 << 10;

/// So much memory for what is between reading and sending.
#[derive(Clone)]
pub(crate) struct Room(Arc<(Mutex<Buffers>, Condvar)>);

struct Buffers {
    idle: Vec<Box<[u8]>>,
    /// How many more may be made.
    left: usize,
}

/// A piece of a blob; its buffer goes back when it is dropped.
pub(crate) struct Piece {
    buffer: Box<[u8]>,
    length: usize,
    room: Room,
}

impl Room {
    /// Room for so many pieces.
    pub(crate) fn of(pieces: usize) -> Self {
        let buffers = Buffers { idle: Vec::new(), left: pieces };
        Self(Arc::new((Mutex::new(buffers), Condvar::new())))
    }

    fn buffers(&self) -> MutexGuard<'_, Buffers> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an empty piece. Whoever fills the room must be on its way to somebody.
    pub(crate) fn take(&self) -> Piece {
        let mut buffers = self.buffers();
        let buffer = loop {
            if let Some(buffer) = buffers.idle.pop() {
                break buffer;
            }
            if buffers.left > 0 {
                buffers.left -= 1;
                break vec![0; PIECE].into();
            }
            buffers = self.0.1.wait(buffers).unwrap_or_else(PoisonError::into_inner);
        };
        drop(buffers);
        Piece { buffer, length: 0, room: self.clone() }
    }
}

impl Piece {
    /// Reads until the piece holds so many bytes, or the data ends; gives how many it holds.
    pub(crate) fn fill(&mut self, reader: &mut impl Read, most: usize) -> io::Result<usize> {
        self.length = 0;
        while self.length < most {
            match reader.read(&mut self.buffer[self.length..most]) {
                Ok(0) => break,
                Ok(count) => self.length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.length)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.room.buffers().idle.push(buffer);
        self.room.0.1.notify_one();
    }
}
