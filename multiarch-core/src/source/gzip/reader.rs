//! Reading gzip, from the start or from a checkpoint.

use std::io::{self, BufRead, Read};

use super::{
    checkpoints::{Checkpoint, Checkpoints, CurrentFile, Inside, Recorder},
    inflate::{BlockState, Inflate},
};

/// Unpacks all members of a gzip stream; what follows the last one and is no member is ignored, as
/// gzip does.
pub(in crate::source) struct Gunzip<R> {
    inner: R,
    phase: MemberPhase,
    /// The last byte that was consumed: bits of it may belong to the next block.
    last_byte: u8,
    packed: u64,
    unpacked: u64,
    recorder: Option<Recorder>,
}

enum MemberPhase {
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
    fn new(inner: R, recorder: Option<Recorder>, at: (u64, u64), phase: MemberPhase) -> Self {
        let (unpacked, packed) = at;
        Self { inner, phase, last_byte: 0, packed, unpacked, recorder }
    }

    /// Reads from the start and takes checkpoints; `current_file` tells of the files, and
    /// `spacing` is their least distance.
    pub(in crate::source) fn recording(inner: R, current_file: CurrentFile, spacing: u64) -> Self {
        let phase = MemberPhase::Between { first: true };
        Self::new(inner, Some(Recorder::new(current_file, spacing)), (0, 0), phase)
    }

    /// Reads from a checkpoint; `inner` stands at its packed offset.
    pub(in crate::source) fn from_checkpoint(inner: R, point: &Checkpoint) -> Self {
        let phase = match &point.inside {
            None => MemberPhase::Between { first: true },
            Some(inside) => {
                let inflate = Inflate::resume(inside.bits, inside.byte, &inside.window);
                MemberPhase::Member { inflate, resumed: true }
            }
        };
        Self::new(inner, None, (point.unpacked, point.packed), phase)
    }

    /// The checkpoints, and the number of unpacked bytes.
    pub(in crate::source) fn finish(self) -> (Checkpoints, u64) {
        (self.recorder.map(Recorder::finish).unwrap_or_default(), self.unpacked)
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
        let Some(recorder) = &mut self.recorder else { return };
        let MemberPhase::Member { inflate, .. } = &self.phase else { return };
        if recorder.wants(self.unpacked) {
            let inside = Inside { bits, byte: self.last_byte, window: inflate.window() };
            recorder.offer(Checkpoint {
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
            self.phase = MemberPhase::Done;
            return Ok(());
        }
        if let Some(recorder) = &mut self.recorder
            && recorder.wants(unpacked)
        {
            recorder.offer(Checkpoint { unpacked, packed, inside: None });
        }
        let mut inflate = Inflate::gzip();
        // The byte that was passed over; nothing comes out of a header.
        inflate.step(&MAGIC[..1], &mut [0], false).map_err(invalid)?;
        self.phase = MemberPhase::Member { inflate, resumed: false };
        Ok(())
    }

    /// One call into zlib; gives the number of bytes written.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip data is cut");
        let recording = self.recorder.as_mut().is_some_and(|r| r.wants(self.unpacked));
        // A large buffer must not be filled in one step past the next checkpoint.
        let room = if self.recorder.is_some() { out.len().min(STEP) } else { out.len() };
        let out = &mut out[..room];
        let MemberPhase::Member { inflate, resumed } = &mut self.phase else { return Ok(0) };
        let resumed = *resumed;
        // Even without input there may be output left inside zlib.
        let input = self.inner.fill_buf()?;
        let at_end = input.is_empty();
        let step = inflate.step(input, out, recording).map_err(invalid)?;
        let last = input[..step.consumed].last().copied();
        self.consume(step.consumed, last);
        self.unpacked += step.produced as u64;
        match step.state {
            BlockState::End if resumed => self.phase = MemberPhase::Trailer { left: TRAILER },
            BlockState::End => self.phase = MemberPhase::Between { first: false },
            BlockState::Boundary { bits } => self.record(bits),
            BlockState::Inside => {}
        }
        let stuck = step.consumed == 0 && step.produced == 0 && step.state == BlockState::Inside;
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
            0 => MemberPhase::Between { first: false },
            left => MemberPhase::Trailer { left },
        };
        Ok(())
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < out.len() {
            match self.phase {
                MemberPhase::Done => break,
                MemberPhase::Between { first } => self.enter_member(first)?,
                MemberPhase::Trailer { left } => self.skip_trailer(left)?,
                MemberPhase::Member { .. } => match self.inflate(&mut out[written..]) {
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
    use super::{super::checkpoints::SPACING, *};
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

    const FILE: u64 = 1_500_000;

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
            let current_file = CurrentFile::default();
            let mut reader = Gunzip::recording(packed.as_slice(), current_file.clone(), SPACING);
            let mut all = Vec::new();
            while all.len() < plain.len() {
                current_file.file(all.len() as u64 + FILE);
                reader.by_ref().take(FILE).read_to_end(&mut all).expect("reads");
            }
            assert!(all == plain);
            assert_eq!(reader.read(&mut [0]).ok(), Some(0));
            let (points, size) = reader.finish();
            assert_eq!(size, plain.len() as u64);
            // A point can only stand between two blocks, and level 1 makes two of them.
            let most = if level == 1 { size } else { FILE };
            for offset in (0..size).step_by(100_000) {
                let skipped = offset - points.before(offset).unpacked;
                assert!(skipped <= most + (300 << 10), "level {level}: {skipped} before {offset}");
            }
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
                Gunzip::recording(buffered, CurrentFile::default(), SPACING)
                    .read_to_end(&mut out)
                    .expect("reads");
                assert!(out == [&plain[..], b"and", &plain].concat(), "{capacity}");
            }
        }
    }

    #[test]
    fn damage_is_an_error() {
        let plain = data(300_000);
        let packed = gzip(&plain, 6);
        let read = |packed: &[u8]| {
            let mut out = Vec::new();
            Gunzip::recording(packed, CurrentFile::default(), SPACING)
                .read_to_end(&mut out)
                .map_err(|e| e.kind())
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
