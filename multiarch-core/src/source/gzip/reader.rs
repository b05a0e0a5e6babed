//! Reading gzip, from the start or from a checkpoint.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

use super::inflate::{Inflate, State};

/// Places to start reading from.
///
/// Their distance doubles whenever there are too many of them, so that the windows take at most
/// 16 MiB however large the file is; a read costs at most one distance of inflating.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source) struct Checkpoints {
    spacing: u64,
    points: Vec<Checkpoint>,
}

/// A place where reading can start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::source) struct Checkpoint {
    /// Offset in the unpacked bytes.
    pub(in crate::source) unpacked: u64,
    /// Offset in the packed bytes, of the first byte that was not consumed.
    pub(in crate::source) packed: u64,
    /// `None` at the start of a member, whose header is to be read.
    inside: Option<Inside>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inside {
    bits: u8,
    byte: u8,
    #[serde(with = "serde_bytes")]
    window: Box<[u8]>,
}

const FIRST_SPACING: u64 = 4 << 20;
const MAX_POINTS: usize = 512;

impl Default for Checkpoints {
    fn default() -> Self {
        let start = Checkpoint { unpacked: 0, packed: 0, inside: None };
        Self { spacing: FIRST_SPACING, points: vec![start] }
    }
}

impl Checkpoints {
    /// The last checkpoint that is not behind this offset.
    pub(in crate::source) fn before(&self, unpacked: u64) -> &Checkpoint {
        let after = self.points.partition_point(|point| point.unpacked <= unpacked);
        &self.points[after.saturating_sub(1)]
    }

    fn is_due(&self, unpacked: u64) -> bool {
        self.points.last().is_none_or(|last| unpacked - last.unpacked >= self.spacing)
    }

    fn add(&mut self, point: Checkpoint) {
        self.points.push(point);
        if self.points.len() > MAX_POINTS {
            self.spacing *= 2;
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }
}

/// Unpacks all members of a gzip stream; what follows the last one and is no member is ignored, as
/// gzip does.
pub(in crate::source) struct Gunzip<R> {
    inner: R,
    phase: Phase,
    /// The last byte that was consumed: bits of it may belong to the next block.
    last_byte: u8,
    packed: u64,
    unpacked: u64,
    checkpoints: Option<Checkpoints>,
}

enum Phase {
    /// Before a member.
    Between {
        first: bool,
    },
    /// In a member. After a checkpoint zlib does not see the trailer, so it is skipped here.
    Member {
        inflate: Inflate,
        resumed: bool,
    },
    /// Skipping a trailer.
    Trailer {
        left: usize,
    },
    Done,
}

/// So much is unpacked in one step at most while checkpoints are taken.
const STEP: usize = 128 << 10;
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// CRC32 and size, RFC 1952 section 2.3.
const TRAILER: usize = 8;

impl<R: BufRead> Gunzip<R> {
    fn new(inner: R, checkpoints: Option<Checkpoints>, at: (u64, u64), phase: Phase) -> Self {
        let (unpacked, packed) = at;
        Self { inner, phase, last_byte: 0, packed, unpacked, checkpoints }
    }

    /// Reads from the start and takes checkpoints.
    pub(in crate::source) fn recording(inner: R) -> Self {
        let phase = Phase::Between { first: true };
        Self::new(inner, Some(Checkpoints::default()), (0, 0), phase)
    }

    /// Reads from a checkpoint; `inner` stands at its packed offset.
    pub(in crate::source) fn from_checkpoint(inner: R, point: &Checkpoint) -> Self {
        let phase = match &point.inside {
            None => Phase::Between { first: true },
            Some(inside) => {
                let inflate = Inflate::resume(inside.bits, inside.byte, &inside.window);
                Phase::Member { inflate, resumed: true }
            }
        };
        Self::new(inner, None, (point.unpacked, point.packed), phase)
    }

    /// The checkpoints, and the number of unpacked bytes.
    pub(in crate::source) fn finish(self) -> (Checkpoints, u64) {
        (self.checkpoints.unwrap_or_default(), self.unpacked)
    }

    fn consume(&mut self, count: usize, last: Option<u8>) {
        self.last_byte = last.unwrap_or(self.last_byte);
        self.inner.consume(count);
        self.packed += count as u64;
    }

    /// Looks whether another member begins here, and passes over its first byte where it does.
    fn begins_member(&mut self) -> io::Result<bool> {
        // The two magic bytes may stand on both sides of a buffer's end.
        if self.inner.fill_buf()?.first() != Some(&MAGIC[0]) {
            return Ok(false);
        }
        self.consume(1, None);
        Ok(self.inner.fill_buf()?.first() == Some(&MAGIC[1]))
    }

    fn record(&mut self, bits: u8) {
        let Some(checkpoints) = &mut self.checkpoints else { return };
        let Phase::Member { inflate, .. } = &self.phase else { return };
        if checkpoints.is_due(self.unpacked) {
            let inside = Inside { bits, byte: self.last_byte, window: inflate.window() };
            checkpoints.add(Checkpoint {
                unpacked: self.unpacked,
                packed: self.packed,
                inside: Some(inside),
            });
        }
    }

    fn enter_member(&mut self, first: bool) -> io::Result<()> {
        let (unpacked, packed) = (self.unpacked, self.packed);
        if !self.begins_member()? {
            if first {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "not gzip data"));
            }
            self.phase = Phase::Done;
            return Ok(());
        }
        if let Some(checkpoints) = &mut self.checkpoints
            && checkpoints.is_due(unpacked)
        {
            checkpoints.add(Checkpoint { unpacked, packed, inside: None });
        }
        let mut inflate = Inflate::gzip();
        // The byte that was passed over; nothing comes out of a header.
        inflate.step(&MAGIC[..1], &mut [0], false).map_err(invalid)?;
        self.phase = Phase::Member { inflate, resumed: false };
        Ok(())
    }

    /// One call into zlib; gives the number of bytes written.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip data is cut");
        let recording = self.checkpoints.as_ref().is_some_and(|c| c.is_due(self.unpacked));
        // A large buffer must not be filled in one step past the next checkpoint.
        let room = if self.checkpoints.is_some() { out.len().min(STEP) } else { out.len() };
        let out = &mut out[..room];
        let Phase::Member { inflate, resumed } = &mut self.phase else { return Ok(0) };
        let resumed = *resumed;
        // Even without input there may be output left inside zlib.
        let input = self.inner.fill_buf()?;
        let at_end = input.is_empty();
        let step = inflate.step(input, out, recording).map_err(invalid)?;
        let last = input[..step.consumed].last().copied();
        self.consume(step.consumed, last);
        self.unpacked += step.produced as u64;
        match step.state {
            State::End if resumed => self.phase = Phase::Trailer { left: TRAILER },
            State::End => self.phase = Phase::Between { first: false },
            State::Boundary { bits } => self.record(bits),
            State::Inside => {}
        }
        let stuck = step.consumed == 0 && step.produced == 0 && step.state == State::Inside;
        if at_end && stuck && !out.is_empty() {
            return Err(cut());
        }
        Ok(step.produced)
    }

    fn skip_trailer(&mut self, left: usize) -> io::Result<()> {
        let count = left.min(self.inner.fill_buf()?.len());
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.consume(count, None);
        self.phase = match left - count {
            0 => Phase::Between { first: false },
            left => Phase::Trailer { left },
        };
        Ok(())
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < out.len() {
            match self.phase {
                Phase::Done => break,
                Phase::Between { first } => self.enter_member(first)?,
                Phase::Trailer { left } => self.skip_trailer(left)?,
                Phase::Member { .. } => match self.inflate(&mut out[written..]) {
                    Ok(count) => written += count,
                    // What is good is given out before what is bad is reported.
                    Err(_) if written > 0 => break,
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(written)
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8], level: u32) -> Vec<u8> {
        let mut encoder =
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(data).expect("to memory");
        encoder.finish().expect("to memory")
    }

    /// Text that compresses a little, so that blocks are of every kind.
    fn data(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        (0..length)
            .map(|i| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if i % 1000 < 300 { b'a' } else { (state >> 56) as u8 }
            })
            .collect()
    }

    #[test]
    fn any_offset_gives_the_same_bytes() {
        let plain = data(24 << 20);
        for level in [0, 1, 6, 9] {
            // Several members, one of them empty, and padding behind.
            let (first, second) = plain.split_at(9_000_001);
            let mut packed = gzip(first, level);
            packed.extend(gzip(b"", 6));
            packed.extend(gzip(second, level));
            packed.extend([0; 700]);
            let mut reader = Gunzip::recording(packed.as_slice());
            let mut all = Vec::new();
            reader.read_to_end(&mut all).expect("reads");
            assert!(all == plain);
            let (points, size) = reader.finish();
            assert_eq!(size, plain.len() as u64);
            // A point can only stand between two blocks, and level 1 makes few of them.
            let expected = if level == 1 { 2 } else { 4 };
            assert!(points.points.len() >= expected, "level {level}: {:?}", points.points.len());
            for offset in (0..plain.len()).step_by(1_111_111) {
                let point = points.before(offset as u64);
                let tail = &packed[usize::try_from(point.packed).expect("small")..];
                let mut reader = Gunzip::from_checkpoint(tail, point);
                let skip = offset as u64 - point.unpacked;
                io::copy(&mut reader.by_ref().take(skip), &mut io::sink()).expect("skips");
                let mut some = Vec::new();
                reader.take(2_000_000).read_to_end(&mut some).expect("reads");
                let end = plain.len().min(offset + 2_000_000);
                assert!(some == plain[offset..end], "level {level} offset {offset}");
            }
        }
    }

    #[test]
    fn buffers_may_end_anywhere() {
        let plain = data(50_000);
        let mut packed = gzip(&plain, 6);
        packed.extend(gzip(b"and", 6));
        packed.extend(gzip(&plain, 0));
        for behind in [&b""[..], b"\x1f", b"\x1f\x00", b"padding"] {
            let packed = [packed.as_slice(), behind].concat();
            for capacity in [1, 2, 3, 1000] {
                let mut out = Vec::new();
                let buffered = io::BufReader::with_capacity(capacity, packed.as_slice());
                Gunzip::recording(buffered).read_to_end(&mut out).expect("reads");
                assert!(out == [&plain[..], b"and", &plain].concat(), "{capacity}");
            }
        }
    }

    #[test]
    fn points_are_thinned() {
        let mut points = Checkpoints::default();
        for i in 1..5_000u64 {
            let unpacked = i * FIRST_SPACING;
            if points.is_due(unpacked) {
                points.add(Checkpoint { unpacked, packed: 0, inside: None });
            }
        }
        assert!(points.points.len() <= MAX_POINTS);
        assert_eq!(points.points[0].unpacked, 0);
        let gaps = points.points.windows(2).map(|w| w[1].unpacked - w[0].unpacked);
        assert!(gaps.max() <= Some(2 * points.spacing));
    }

    #[test]
    fn damage_is_an_error() {
        let plain = data(300_000);
        let packed = gzip(&plain, 6);
        let read = |packed: &[u8]| {
            let mut out = Vec::new();
            Gunzip::recording(packed).read_to_end(&mut out).map_err(|e| e.kind())
        };
        for cut in [1, 5, 17, packed.len() / 2, packed.len() - 9, packed.len() - 1] {
            let kind = read(&packed[..cut]).expect_err("cut");
            assert!(
                matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData),
                "{cut}"
            );
        }
        let mut broken = packed.clone();
        let last = broken.len() - 6;
        broken[last] ^= 1;
        assert_eq!(read(&broken), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(b"plain text"), Err(io::ErrorKind::InvalidData));
    }
}
