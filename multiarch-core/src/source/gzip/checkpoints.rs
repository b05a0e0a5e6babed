//! Places inside a gzip stream to start reading from, and how they are chosen.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

/// Places to start reading from.
///
/// Their distance doubles whenever there are too many of them, so that the windows take at most
/// 16 MiB however large the file is.
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
    pub(super) inside: Option<Inside>,
}

/// What a place between two blocks of a member needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) bits: u8,
    pub(super) byte: u8,
    #[serde(with = "serde_bytes")]
    pub(super) window: Box<[u8]>,
}

/// The distance at first.
pub(in crate::source) const SPACING: u64 = 1 << 20;
/// So many there are of one run, and of all runs of a package once they are read.
pub(in crate::source) const MAX_POINTS: usize = 512;

impl Default for Checkpoints {
    fn default() -> Self {
        let start = Checkpoint { unpacked: 0, packed: 0, inside: None };
        Self { spacing: SPACING, points: vec![start] }
    }
}

impl Checkpoints {
    /// The last checkpoint that is not behind this offset.
    pub(in crate::source) fn before(&self, unpacked: u64) -> &Checkpoint {
        let after = self.points.partition_point(|point| point.unpacked <= unpacked);
        &self.points[after.saturating_sub(1)]
    }

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

    /// Leaves those that are so far apart; the start always stays.
    pub(in crate::source) fn thin(&mut self, spacing: u64) {
        self.spacing = spacing;
        let mut last = None;
        self.points.retain(|point| {
            let stays = last.is_none_or(|last| point.unpacked - last >= spacing);
            if stays {
                last = Some(point.unpacked);
            }
            stays
        });
    }

    /// How many of them have a window.
    pub(in crate::source) fn windows(&self) -> usize {
        self.points.iter().filter(|point| point.inside.is_some()).count()
    }
}

/// The file that is current_file by: told by whoever walks the archive.
#[derive(Clone, Default)]
pub(in crate::source) struct CurrentFile(Arc<(AtomicU64, AtomicBool)>);

impl CurrentFile {
    /// Another file begins, which ends there in the unpacked bytes.
    pub(in crate::source) fn file(&self, end: u64) {
        self.0.0.store(end, Ordering::Relaxed);
        self.0.1.store(false, Ordering::Relaxed);
    }

    /// It is packed itself: reading may begin anywhere in it.
    pub(in crate::source) fn packed(&self) {
        self.0.1.store(true, Ordering::Relaxed);
    }

    fn end(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    fn anywhere(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// Chooses checkpoints while a stream is read for the first time.
///
/// Whoever reads later begins where a file begins, and a checkpoint can only stand between two blocks:
/// so the last such place before the end of a file is taken. Only a file that is packed itself is
/// entered at any place, by the checkpoints in it.
pub(super) struct Recorder {
    points: Checkpoints,
    current_file: CurrentFile,
    /// The end that `latest` is for.
    end: u64,
    /// The last place before it, so far.
    latest: Option<Checkpoint>,
}

/// So near a file's end every place is looked at: several blocks of the usual size.
const NEAR: u64 = 256 << 10;
/// Before that only now and then: some compressors write one block of many megabytes.
const COARSE: u64 = 4 << 20;

impl Recorder {
    pub(super) fn new(current_file: CurrentFile, spacing: u64) -> Self {
        let points = Checkpoints { spacing, ..Checkpoints::default() };
        Self { points, current_file, end: 0, latest: None }
    }

    pub(super) fn finish(mut self) -> Checkpoints {
        self.keep();
        self.points
    }

    /// Whether a place here may become a checkpoint.
    pub(super) fn wants(&mut self, unpacked: u64) -> bool {
        let end = self.current_file.end();
        if end != self.end || self.current_file.anywhere() {
            self.keep();
            self.end = end;
        }
        let latest = self.latest.as_ref().map_or(self.points.last(), |point| point.unpacked);
        let near = unpacked + NEAR >= end || unpacked.saturating_sub(latest) >= COARSE;
        unpacked <= end && near && self.points.is_far(end)
    }

    /// A place that may become one.
    pub(super) fn offer(&mut self, point: Checkpoint) {
        self.latest = Some(point);
    }

    fn keep(&mut self) {
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
    fn points_are_thinned() {
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

    /// Passes files of these sizes, with a place between blocks every so many bytes.
    fn recorded(files: &[u64], block: u64, packed: bool) -> Checkpoints {
        let current_file = CurrentFile::default();
        let mut recorder = Recorder::new(current_file.clone(), SPACING);
        let mut at = 0;
        let mut file_end = 0;
        for size in files {
            file_end += size;
            current_file.file(file_end);
            if packed {
                current_file.packed();
            }
            while at + block <= file_end {
                at += block;
                if recorder.wants(at) {
                    recorder.offer(point(at));
                }
            }
        }
        recorder.finish()
    }

    #[test]
    fn each_large_file_begins_behind_a_point() {
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
            // None inside of large files, where nobody begins to read.
            assert!(points.points.len() <= files.len(), "{:?}", points.points.len());
        }
        // Where blocks are long, the nearest there is.
        let points = recorded(&files, 5 * MIB, false);
        assert_eq!(points.before(51 * MIB + 300).unpacked, 50 * MIB);
        // A package of small files has one now and then.
        let points = recorded(&vec![10_000; 3_000], 7_000, false);
        assert!((20..=29).contains(&points.points.len()), "{}", points.points.len());
        // A packed file is entered anywhere.
        let points = recorded(&[200 * MIB], 20_000, true);
        for offset in (0..200 * MIB).step_by(1_000_000) {
            let skipped = offset - points.before(offset).unpacked;
            assert!(skipped <= COARSE + 40_000, "{skipped} before {offset}");
        }
    }
}
