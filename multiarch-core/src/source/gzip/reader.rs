//! Reading gzip, from the start or from a checkpoint.

use std::io::{self, BufRead, Read};

use super::{
    checkpoints::{Checkpoint, Checkpoints, CurrentFile, Inside, Recorder},
    inflate::{BlockState, Inflate},
};

/// Unpacks all members of a gzip stream. As gzip does, it ends where no other member follows.
pub(in crate::source) struct Gunzip<R> {
    inner: R,
    phase: MemberPhase,
    /// The last byte that was consumed; some of its bits may belong to the next block.
    last_byte: u8,
    /// Packed bytes consumed so far, from the start of the stream.
    packed: u64,
    /// Unpacked bytes given out so far, from the start of the stream.
    unpacked: u64,
    recorder: Option<Recorder>,
    /// The first byte of a member followed the last one, and no second one.
    has_stray_byte: bool,
}

enum MemberPhase {
    /// Before a member.
    Between {
        first: bool,
    },
    /// In a member. `resumed`: zlib started at a checkpoint, reads raw deflate, and leaves the trailer,
    /// so the trailer is skipped here.
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

/// The most that one call of zlib unpacks while checkpoints are taken.
const STEP: usize = 128 << 10;
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// CRC32 and size, RFC 1952 section 2.3.
const TRAILER: usize = 8;

impl<R: BufRead> Gunzip<R> {
    fn new(inner: R, recorder: Option<Recorder>, at: (u64, u64), phase: MemberPhase) -> Self {
        let (unpacked, packed) = at;
        Self { inner, phase, last_byte: 0, packed, unpacked, recorder, has_stray_byte: false }
    }

    /// Reads from the start and takes checkpoints at least `spacing` bytes apart. The caller sets
    /// `current_file` at the start of each archive member.
    pub(in crate::source) fn recording(inner: R, current_file: CurrentFile, spacing: u64) -> Self {
        let phase = MemberPhase::Between { first: true };
        Self::new(inner, Some(Recorder::new(current_file, spacing)), (0, 0), phase)
    }

    /// Reads from a checkpoint; `inner` must be at the checkpoint's packed offset.
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

    /// True where nothing but zeros follows the last member; called at the end of the unpacked data.
    pub(in crate::source) fn ends_with_padding(&mut self) -> io::Result<bool> {
        if self.has_stray_byte {
            return Ok(false);
        }
        loop {
            let rest = self.inner.fill_buf()?;
            if rest.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            match rest.len() {
                0 => return Ok(true),
                count => self.inner.consume(count),
            }
        }
    }

    fn consume(&mut self, count: usize, last: Option<u8>) {
        self.last_byte = last.unwrap_or(self.last_byte);
        self.inner.consume(count);
        self.packed += count as u64;
    }

    /// Whether another member begins here; consumes the first magic byte where there is one.
    fn take_member_start(&mut self) -> io::Result<bool> {
        // The two magic bytes may be in two buffers: the first one is consumed to see the second.
        if self.inner.fill_buf()?.first() != Some(&MAGIC[0]) {
            return Ok(false);
        }
        self.consume(1, None);
        let is_member = self.inner.fill_buf()?.first() == Some(&MAGIC[1]);
        self.has_stray_byte = !is_member;
        Ok(is_member)
    }

    fn record(&mut self, bits: u8) {
        let Some(recorder) = &mut self.recorder else { return };
        let MemberPhase::Member { inflate, .. } = &self.phase else { return };
        if recorder.advance_to(self.unpacked) {
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
        if !self.take_member_start()? {
            if first {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "not gzip data"));
            }
            self.phase = MemberPhase::Done;
            return Ok(());
        }
        if let Some(recorder) = &mut self.recorder
            && recorder.advance_to(unpacked)
        {
            recorder.offer(Checkpoint { unpacked, packed, inside: None });
        }
        let mut inflate = Inflate::gzip();
        // zlib gets the byte that `take_member_start` consumed; a header produces no output.
        inflate.step(&MAGIC[..1], &mut [0], false).map_err(invalid)?;
        self.phase = MemberPhase::Member { inflate, resumed: false };
        Ok(())
    }

    /// Calls zlib once, and returns the number of bytes written.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip data is cut");
        let recording = self.recorder.as_mut().is_some_and(|r| r.advance_to(self.unpacked));
        // The recorder is asked once per call, so a call must not unpack far past the next candidate.
        let room = if self.recorder.is_some() { out.len().min(STEP) } else { out.len() };
        let out = &mut out[..room];
        let MemberPhase::Member { inflate, resumed } = &mut self.phase else { return Ok(0) };
        let resumed = *resumed;
        // zlib is called without input, too: it may still hold output.
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
                    // The good bytes are given out first; the next call reports the error.
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

    /// Data that compresses a little, so that every kind of block occurs.
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
    fn reading_from_any_offset_gives_the_same_bytes() {
        let plain = data(24 << 20);
        for level in [0, 1, 6, 9] {
            // Several members, one of them empty, then padding.
            let (first, second) = plain.split_at(9_000_001);
            let mut packed = gzip(first, level);
            packed.extend(gzip(b"", 6));
            packed.extend(gzip(second, level));
            packed.extend([0; 700]);
            let current_file = CurrentFile::default();
            let mut reader = Gunzip::recording(packed.as_slice(), current_file.clone(), SPACING);
            let mut all = Vec::new();
            while all.len() < plain.len() {
                current_file.begin_file(all.len() as u64 + FILE);
                reader.by_ref().take(FILE).read_to_end(&mut all).expect("reads");
            }
            assert!(all == plain);
            assert_eq!(reader.read(&mut [0]).ok(), Some(0));
            let (points, size) = reader.finish();
            assert_eq!(size, plain.len() as u64);
            // A checkpoint can only be between two blocks, and level 1 writes just two.
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
        for trailing in [&b""[..], b"\x1f", b"\x1f\x00", b"padding"] {
            let packed = [packed.as_slice(), trailing].concat();
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
