//! A bound for the bytes that are sent in a second, over all connections.

use std::{
    num::NonZeroU64,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{error::Result, run::Cancel};

/// The bytes that may be sent in a second; without a bound, none waits.
#[derive(Debug)]
pub(super) struct RateLimit {
    bytes_per_second: Option<NonZeroU64>,
    /// When the next byte may be sent.
    next: Mutex<Option<Instant>>,
}

/// A piece takes a sixteenth of a second, so that each of some uploads at once makes progress in time.
const PIECES_PER_SECOND: u64 = 16;
/// No piece is smaller, in bytes.
const MIN_PIECE: u64 = 1 << 10;

impl RateLimit {
    pub(super) fn new(bytes_per_second: Option<NonZeroU64>) -> Self {
        Self { bytes_per_second, next: Mutex::new(None) }
    }

    /// Hands these bytes to `send` as soon as they may be sent, in pieces where they are many. Stops where
    /// `send` fails.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub(super) fn send<E>(
        &self,
        mut bytes: Bytes,
        cancel: &Cancel,
        mut send: impl FnMut(Bytes) -> std::result::Result<(), E>,
    ) -> Result<std::result::Result<(), E>> {
        let Some(rate) = self.bytes_per_second else { return Ok(send(bytes)) };
        let piece = (rate.get() / PIECES_PER_SECOND).max(MIN_PIECE);
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        while !bytes.is_empty() {
            let piece = bytes.split_to(piece.min(bytes.len()));
            cancel.sleep(self.reserve(piece.len() as u64, rate, Instant::now()))?;
            if let Err(error) = send(piece) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// How long to wait before these bytes are sent.
    fn reserve(&self, bytes: u64, rate: NonZeroU64, now: Instant) -> Duration {
        let time = Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.get());
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + time);
        at - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_wait_for_those_before_them() {
        let (rate, now) = (NonZeroU64::new(1000).expect("above 0"), Instant::now());
        let limit = RateLimit::new(Some(rate));
        let milliseconds = |bytes, now| limit.reserve(bytes, rate, now).as_millis();
        assert_eq!(
            [milliseconds(500, now), milliseconds(2000, now), milliseconds(1, now)],
            [0, 500, 2500]
        );
        // Time in which nothing was sent is not made up for.
        assert_eq!(milliseconds(1, now + Duration::from_secs(60)), 0);
    }

    #[test]
    fn without_a_bound_nothing_is_cut() {
        let (limit, cancel) = (RateLimit::new(None), Cancel::new());
        let mut sent = Vec::new();
        let send = |piece: Bytes| {
            sent.push(piece.len());
            Ok::<(), ()>(())
        };
        limit.send(Bytes::from(vec![0; 1 << 20]), &cancel, send).expect("sent").expect("taken");
        assert_eq!(sent, [1 << 20]);
    }
}
