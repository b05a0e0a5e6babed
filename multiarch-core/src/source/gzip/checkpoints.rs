//! Checkpoints: places in a gzip stream where reading can start, and how they are chosen.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use super::inflate::WINDOW;
use crate::limit::decoding;

/// The checkpoints of one stream, in ascending order; the first one is the start of the stream.
///
/// The least distance between them doubles whenever there are more than [`MAX_POINTS`], so that
/// their windows take at most 16 MiB however large the file is.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source) struct Checkpoints {
    spacing: u64,
    #[serde(deserialize_with = "decoding::list")]
    points: Vec<Checkpoint>,
}

/// A place where reading can start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::source) struct Checkpoint {
    /// Offset in the unpacked bytes.
    pub(in crate::source) unpacked: u64,
    /// Offset in the packed bytes: the first byte that zlib has not consumed.
    pub(in crate::source) packed: u64,
    /// `None` at the start of a gzip member: reading goes on with its header.
    pub(super) inside: Option<Inside>,
}

/// What zlib needs to go on between two blocks of a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inside {
    /// How many bits of `byte` belong to the next block.
    pub(super) bits: u8,
    /// The last byte that was consumed.
    pub(super) byte: u8,
    /// The unpacked bytes before the checkpoint, at most 32 KiB: the next block may refer to them.
    #[serde(with = "serde_bytes")]
    pub(super) window: Box<[u8]>,
}

/// The least distance between checkpoints at first, in unpacked bytes.
pub(in crate::source) const SPACING: u64 = 1 << 20;
/// The most checkpoints of one stream, and of all streams of a package once they are read.
pub(in crate::source) const MAX_POINTS: usize = 512;

impl Default for Checkpoints {
    fn default() -> Self {
        let start = Checkpoint { unpacked: 0, packed: 0, inside: None };
        Self { spacing: SPACING, points: vec![start] }
    }
}

impl Checkpoints {
    /// The last checkpoint at or before this offset.
    pub(in crate::source) fn before(&self, unpacked: u64) -> &Checkpoint {
        let after = self.points.partition_point(|point| point.unpacked <= unpacked);
        &self.points[after.saturating_sub(1)]
    }

    /// True for checkpoints of a stream of `packed` bytes. Those of a forged index may be anything.
    pub(in crate::source) fn are_sound(&self, packed: u64) -> bool {
        let fits = |inside: &Inside| inside.bits < 8 && inside.window.len() <= WINDOW;
        let is_inside =
            |point: &Checkpoint| point.packed <= packed && point.inside.as_ref().is_none_or(fits);
        self.points.first().is_some_and(|point| point.unpacked == 0)
            && self.points.is_sorted_by_key(|point| point.unpacked)
            && self.points.iter().all(is_inside)
    }

    /// Made-up checkpoints every `spacing` bytes.
    #[cfg(test)]
    pub(in crate::source) fn every(spacing: u64, end: u64) -> Self {
        let mut this = Self { spacing, ..Self::default() };
        for unpacked in (1..end / spacing).map(|number| number * spacing) {
            let inside = Some(Inside { bits: 0, byte: 0, window: Box::default() });
            this.add(Checkpoint { unpacked, packed: 0, inside });
        }
        this
    }

    fn last(&self) -> u64 {
        self.points.last().map_or(0, |point| point.unpacked)
    }

    fn is_far(&self, unpacked: u64) -> bool {
        unpacked.saturating_sub(self.last()) >= self.spacing
    }

    fn add(&mut self, point: Checkpoint) {
        self.points.push(point);
        if self.points.len() > MAX_POINTS {
            self.thin(self.spacing * 2);
        }
    }

    /// Drops checkpoints until the rest are at least `spacing` apart; the start always stays.
    pub(in crate::source) fn thin(&mut self, spacing: u64) {
        self.spacing = spacing;
        let mut last = None;
        self.points.retain(|point| {
            let keep = last.is_none_or(|last| point.unpacked - last >= spacing);
            if keep {
                last = Some(point.unpacked);
            }
            keep
        });
    }

    /// The number of checkpoints with a window.
    pub(in crate::source) fn windows(&self) -> usize {
        self.points.iter().filter(|point| point.inside.is_some()).count()
    }
}

/// The archive member that is being unpacked: the walk of the archive sets it, and the [`Recorder`]
/// of the same stream chooses checkpoints by it.
#[derive(Clone, Default)]
pub(in crate::source) struct CurrentFile(Arc<(AtomicU64, AtomicBool)>);

impl CurrentFile {
    /// Another file begins; `end` is the unpacked offset at which it ends.
    pub(in crate::source) fn begin_file(&self, end: u64) {
        self.0.0.store(end, Ordering::Relaxed);
        self.0.1.store(false, Ordering::Relaxed);
    }

    /// The current file is packed itself, so reading may start anywhere in it.
    pub(in crate::source) fn mark_packed(&self) {
        self.0.1.store(true, Ordering::Relaxed);
    }

    fn end(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    fn is_packed(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// Chooses checkpoints while a stream is read for the first time.
///
/// Later reads start where a file begins, which is where the file before it ends, and a checkpoint can
/// only be between two deflate blocks or members: so the last such place before the end of each file is
/// taken. Only in a file that is packed itself do reads start anywhere, so it gets checkpoints inside.
pub(super) struct Recorder {
    points: Checkpoints,
    current_file: CurrentFile,
    /// The end of the file that `latest` is in.
    end: u64,
    /// The last place seen before `end`; it becomes a checkpoint when the next file begins.
    latest: Option<Checkpoint>,
}

/// This close to a file's end every place is a candidate: several blocks of the usual size.
const NEAR: u64 = 256 << 10;
/// Further away there is one candidate in 4 MiB, because each copies a window of 32 KiB. It is needed
/// where blocks are of many megabytes, so that none ends close to the file's end.
const COARSE: u64 = 4 << 20;

impl Recorder {
    pub(super) fn new(current_file: CurrentFile, spacing: u64) -> Self {
        let points = Checkpoints { spacing, ..Checkpoints::default() };
        Self { points, current_file, end: 0, latest: None }
    }

    pub(super) fn finish(mut self) -> Checkpoints {
        self.commit();
        self.points
    }

    /// Whether a place at this offset should be [offered](Self::offer).
    pub(super) fn advance_to(&mut self, unpacked: u64) -> bool {
        let end = self.current_file.end();
        if end != self.end || self.current_file.is_packed() {
            self.commit();
            self.end = end;
        }
        let latest = self.latest.as_ref().map_or(self.points.last(), |point| point.unpacked);
        let near = unpacked + NEAR >= end || unpacked.saturating_sub(latest) >= COARSE;
        unpacked <= end && near && self.points.is_far(end)
    }

    /// Takes a place that may become a checkpoint.
    pub(super) fn offer(&mut self, point: Checkpoint) {
        self.latest = Some(point);
    }

    /// Makes the latest place a checkpoint, unless the checkpoint before is too close.
    fn commit(&mut self) {
        if let Some(point) = self.latest.take_if(|point| self.points.is_far(point.unpacked)) {
            self.points.add(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(unpacked: u64) -> Checkpoint {
        Checkpoint { unpacked, packed: 0, inside: None }
    }

    #[test]
    fn a_large_stream_has_a_bounded_number_of_checkpoints() {
        let mut points = Checkpoints::default();
        for i in 1..5_000 {
            let unpacked = i * SPACING;
            if points.is_far(unpacked) {
                points.add(point(unpacked));
            }
        }
        assert!(points.points.len() <= MAX_POINTS);
        assert_eq!(points.points[0].unpacked, 0);
        let gaps = points.points.windows(2).map(|w| w[1].unpacked - w[0].unpacked);
        assert!(gaps.max() <= Some(2 * points.spacing));
    }

    /// Records files of these sizes, with blocks of `block` unpacked bytes each.
    fn recorded(files: &[u64], block: u64, packed: bool) -> Checkpoints {
        let current_file = CurrentFile::default();
        let mut recorder = Recorder::new(current_file.clone(), SPACING);
        let mut at = 0;
        let mut file_end = 0;
        for size in files {
            file_end += size;
            current_file.begin_file(file_end);
            if packed {
                current_file.mark_packed();
            }
            while at + block <= file_end {
                at += block;
                if recorder.advance_to(at) {
                    recorder.offer(point(at));
                }
            }
        }
        recorder.finish()
    }

    #[test]
    fn each_large_file_begins_shortly_after_a_checkpoint() {
        const MIB: u64 = 1 << 20;
        let files = [9 * MIB, 2 * MIB, 300, 40 * MIB, 3 * MIB, 100];
        let starts = files.iter().scan(0, |at, size| {
            *at += size;
            Some(*at - size)
        });
        for block in [20_000, 100_000] {
            let points = recorded(&files, block, false);
            for start in starts.clone() {
                let skipped = start - points.before(start).unpacked;
                assert!(skipped <= block + 300, "{block}: {skipped} before {start}");
            }
            // There are no checkpoints inside large files, since no read starts there.
            assert!(points.points.len() <= files.len(), "{:?}", points.points.len());
        }
        // Where blocks are long, the nearest block boundary is taken.
        let points = recorded(&files, 5 * MIB, false);
        assert_eq!(points.before(51 * MIB + 300).unpacked, 50 * MIB);
        // Small files share checkpoints: there is about one per `SPACING`.
        let points = recorded(&vec![10_000; 3_000], 7_000, false);
        assert!((20..=29).contains(&points.points.len()), "{}", points.points.len());
        // In a file that is packed itself no offset is far from a checkpoint.
        let points = recorded(&[200 * MIB], 20_000, true);
        for offset in (0..200 * MIB).step_by(1_000_000) {
            let skipped = offset - points.before(offset).unpacked;
            assert!(skipped <= COARSE + 40_000, "{skipped} before {offset}");
        }
    }
}
