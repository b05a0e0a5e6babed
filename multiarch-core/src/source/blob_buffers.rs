//! Reads the bytes of one blob into buffers.

use std::io::{self, Read};

use super::{decoder::Decoder, decoder_queue::DecoderGuard, read_ahead::ReadAhead};
use crate::run::{Buffer, BufferPermit, BufferPool, BufferSource};

/// A blob of at most this many bytes is unpacked on the caller's thread: a new thread costs more.
const SMALL: u64 = 64 << 10;

/// A blob's bytes, as a sequence of buffers.
pub(super) enum BlobBuffers {
    /// In a file: each buffer is read when the consumer asks for it.
    File { reader: Box<dyn Read + Send>, left: u64, pool: BufferPool, permit: BufferPermit },
    /// In a compressed stream: a thread of its own unpacks ahead of the consumer.
    Ahead(ReadAhead),
    /// Unpacked already.
    Small(Option<Buffer>),
}

impl BlobBuffers {
    /// Unpacks `size` bytes from the decoder on, and passes the decoder to the next reader after them.
    pub(super) fn unpack(
        mut guard: DecoderGuard,
        decoder: Decoder,
        size: u64,
        pool: &BufferPool,
        permit: BufferPermit,
    ) -> io::Result<Self> {
        let Decoder { at, mut reader } = decoder;
        if size <= SMALL {
            let mut content = Vec::new();
            let count = reader.by_ref().take(size).read_to_end(&mut content)?;
            guard.leave_decoder(Decoder { at: at + count as u64, reader });
            return Ok(Self::Small((count > 0).then(|| content.into())));
        }
        // The closure must own the guard: dropping it passes the decoder to the next reader.
        let done = move |reader, count| {
            let mut guard = guard;
            guard.leave_decoder(Decoder { at: at + count, reader });
        };
        ReadAhead::start(reader, size, pool.clone(), permit, done).map(Self::Ahead)
    }
}

impl BufferSource for BlobBuffers {
    fn next(&mut self) -> io::Result<Option<Buffer>> {
        match self {
            Self::Small(buffer) => Ok(buffer.take()),
            Self::Ahead(ahead) => ahead.next(),
            Self::File { left: 0, .. } => Ok(None),
            Self::File { reader, left, pool, permit } => {
                let mut buffer = pool.take(permit)?;
                let count = buffer.fill(reader, *left)?;
                *left = if count == 0 { 0 } else { *left - count as u64 };
                Ok((count > 0).then_some(buffer))
            }
        }
    }
}
