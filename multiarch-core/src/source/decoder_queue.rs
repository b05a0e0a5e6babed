//! The queue of readers for a compressed stream, which one thread at a time may unpack.
//!
//! Two threads that read one compressed stream at two places would unpack it twice. So each stream
//! has one decoder, and a queue for it. The reader that has the decoder unpacks its blob as fast as
//! there are buffers, and returns the decoder when the blob is read, not when it is sent. The next
//! reader is the one that wants the nearest bytes ahead, because a jump back unpacks bytes a second
//! time, from a checkpoint on.

use std::{
    collections::BTreeSet,
    io,
    ops::RangeInclusive,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::decoder::Decoder;
use crate::run::{BufferPermit, CHECK_INTERVAL, Cancel};

/// The queue for the decoder of one stream.
#[derive(Clone, Default)]
pub(super) struct DecoderQueue(Arc<(Mutex<DecoderState>, Condvar)>);

#[derive(Default)]
struct DecoderState {
    taken: bool,
    /// The decoder, where the last reader stopped: the next blob is usually not far after it.
    idle: Option<Decoder>,
    /// The waiting readers: each by its offset, and a number that distinguishes two of one offset.
    waiting: BTreeSet<(u64, u64)>,
    number: u64,
}

impl DecoderState {
    /// The reader that is next: the nearest one ahead, or else the first one in the stream.
    fn next(&self) -> Option<(u64, u64)> {
        let at = self.idle.as_ref().map_or(0, |decoder| decoder.at);
        let ahead = self.waiting.range((at, 0)..).next();
        ahead.or_else(|| self.waiting.first()).copied()
    }
}

/// The right to unpack a stream; dropping it passes the right to the next reader.
pub(super) struct DecoderGuard {
    queue: DecoderQueue,
    decoder: Option<Decoder>,
}

impl DecoderQueue {
    fn state(&self) -> MutexGuard<'_, DecoderState> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True where the decoder is free and stands in this range.
    pub(super) fn is_idle_in(&self, range: RangeInclusive<u64>) -> bool {
        self.state().idle.as_ref().is_some_and(|decoder| range.contains(&decoder.at))
    }

    /// Waits for the right to read from an offset on.
    /// Fails once either the package's token or the permit's run is cancelled.
    pub(super) fn acquire(
        &self,
        offset: u64,
        cancel: &Cancel,
        permit: &BufferPermit,
    ) -> io::Result<DecoderGuard> {
        let mut state = self.state();
        let me = (offset, state.number);
        state.number += 1;
        state.waiting.insert(me);
        while state.taken || state.next() != Some(me) {
            if let Err(error) =
                cancel.check().map_err(io::Error::from).and_then(|()| permit.check())
            {
                state.waiting.remove(&me);
                self.0.1.notify_all();
                return Err(error);
            }
            let waited = self.0.1.wait_timeout(state, CHECK_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting.remove(&me);
        state.taken = true;
        let decoder = state.idle.take();
        drop(state);
        Ok(DecoderGuard { queue: self.clone(), decoder })
    }
}

impl DecoderGuard {
    /// Takes the decoder that the reader before left, if it left one.
    pub(super) fn take_decoder(&mut self) -> Option<Decoder> {
        self.decoder.take()
    }

    /// Leaves the decoder for the next reader.
    pub(super) fn leave_decoder(&mut self, decoder: Decoder) {
        self.decoder = Some(decoder);
    }
}

impl Drop for DecoderGuard {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.taken = false;
        state.idle = self.decoder.take();
        drop(state);
        self.queue.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_reader_ahead_is_next() {
        let (queue, cancel) = (DecoderQueue::default(), Cancel::new());
        let permit = BufferPermit::new(&cancel);
        let mut first = queue.acquire(0, &cancel, &permit).expect("free");
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for offset in [30, 10, 20] {
                let (queue, cancel, permit, order) = (&queue, &cancel, &permit, &order);
                scope.spawn(move || {
                    let mut guard = queue.acquire(offset, cancel, permit).expect("free in the end");
                    order.lock().expect("whole").push(offset);
                    guard.leave_decoder(Decoder { at: offset + 1, reader: Box::new(io::empty()) });
                });
            }
            while queue.state().waiting.len() < 3 {
                std::thread::yield_now();
            }
            first.leave_decoder(Decoder { at: 15, reader: Box::new(io::empty()) });
            drop(first);
        });
        assert_eq!(order.into_inner().expect("whole"), [20, 30, 10]);
    }

    #[test]
    fn a_cancelled_reader_blocks_no_other_reader() {
        let (queue, cancel) = (DecoderQueue::default(), Cancel::new());
        let permit = BufferPermit::new(&cancel);
        let first = queue.acquire(0, &cancel, &permit).expect("free");
        let cancelled = Cancel::new();
        cancelled.cancel();
        assert!(queue.acquire(5, &cancelled, &permit).is_err());
        drop(first);
        queue.acquire(10, &cancel, &permit).expect("free");
    }
}
