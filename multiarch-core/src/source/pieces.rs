//! Reading on a thread of its own.

use std::{
    io::{self, BufRead, Read},
    sync::mpsc,
};

use super::room::{PIECE, Piece, Room};

/// What a thread reads, in order, as it comes.
pub(super) struct Pieces {
    pieces: mpsc::Receiver<io::Result<Piece>>,
    now: Option<Piece>,
    at: usize,
}

impl Pieces {
    /// Starts reading so many bytes, or to the end; the room bounds what is read ahead. `done` gets
    /// the reader back, and how much was read, unless that failed.
    pub(super) fn read<R: Read + Send + 'static>(
        mut reader: R,
        size: u64,
        room: Room,
        done: impl FnOnce(R, u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, pieces) = mpsc::channel();
        let work = move || {
            let mut seen = 0;
            while seen < size {
                let mut piece = room.take();
                let length = PIECE.min(usize::try_from(size - seen).unwrap_or(PIECE));
                match piece.fill(&mut reader, length) {
                    Ok(count) => {
                        seen += count as u64;
                        // Nobody wants the rest, or there is none.
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
            done(reader, seen);
        };
        std::thread::Builder::new().name("multiarch-read".into()).spawn(work)?;
        Ok(Self { pieces, now: None, at: 0 })
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.now.as_ref().is_none_or(|piece| self.at == piece.as_ref().len()) {
            // The room of the old piece is free before there is a new one.
            self.now = None;
            match self.pieces.recv() {
                Ok(piece) => (self.now, self.at) = (Some(piece?), 0),
                Err(mpsc::RecvError) => return Ok(&[]),
            }
        }
        Ok(self.now.as_ref().map(|piece| &piece.as_ref()[self.at..]).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.fill_buf()?;
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.consume(count);
        Ok(count)
    }
}
