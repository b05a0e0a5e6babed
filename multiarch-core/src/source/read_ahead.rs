//! Reads on a thread of its own, ahead of the consumer.

use std::{
    io::{self, BufRead, Read},
    sync::mpsc,
};

use crate::run::{Buffer, BufferPermit, BufferPool, BufferSource};

/// The consumer's end of a read-ahead: the buffers that the thread fills, in order.
pub(super) struct ReadAhead {
    buffers: mpsc::Receiver<io::Result<Buffer>>,
    now: Option<Buffer>,
    at: usize,
}

impl ReadAhead {
    /// Starts a thread that reads `size` bytes, or to the end; the pool bounds how far ahead. Unless
    /// reading fails, `done` then gets the reader and the number of bytes read.
    pub(super) fn start<R: Read + Send + 'static>(
        mut reader: R,
        size: u64,
        pool: BufferPool,
        permit: BufferPermit,
        done: impl FnOnce(R, u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, buffers) = mpsc::channel();
        let run = permit.cancel().clone();
        let work = move || {
            let mut seen = 0;
            while seen < size {
                let filled = pool.take(&permit).and_then(|mut buffer| {
                    buffer.fill(&mut reader, size - seen).map(|count| (buffer, count))
                });
                match filled {
                    Ok((_, 0)) => break,
                    Ok((buffer, count)) => {
                        seen += count as u64;
                        // The consumer was dropped, so no one needs the rest.
                        if sender.send(Ok(buffer)).is_err() {
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
        run.spawn("multiarch-read", work)?;
        Ok(Self { buffers, now: None, at: 0 })
    }
}

impl BufferSource for ReadAhead {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        match self.buffers.recv() {
            Ok(buffer) => buffer.map(Some),
            Err(mpsc::RecvError) => Ok(None),
        }
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.now.as_ref().is_none_or(|buffer| self.at == buffer.as_ref().len()) {
            // The old buffer must return to the pool first: the pool may have no other to fill.
            self.now = None;
            (self.now, self.at) = (self.next()?, 0);
        }
        Ok(self.now.as_ref().map(|buffer| &buffer.as_ref()[self.at..]).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for ReadAhead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.fill_buf()?;
        let count = out.len().min(rest.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.consume(count);
        Ok(count)
    }
}
