//! Sparse files in tar archives: their holes are left out, and a map says where the data belongs.
//!
//! Formats: [GNU tar, "Storing Sparse Files"].
//!
//! [GNU tar, "Storing Sparse Files"]: https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html

use std::{
    io::{self, Read},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    error::{Error, ErrorKind, Result},
    limit::{SPARSE_HOLES, SPARSE_PIECES, decoding},
};

/// The block of a tar archive.
const BLOCK: usize = 512;

/// Where the data of a sparse file belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SparseMap {
    /// Size of the file with its holes.
    pub(super) size: u64,
    /// Offset and length of each piece of data, in their order in the archive.
    #[serde(deserialize_with = "pieces")]
    pieces: Arc<[(u64, u64)]>,
}

fn pieces<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Arc<[(u64, u64)]>, D::Error> {
    decoding::list(deserializer).map(Vec::into)
}

impl SparseMap {
    /// The map of a file of this size whose data takes `stored` bytes in the archive.
    fn new(size: u64, stored: u64, pieces: Vec<(u64, u64)>) -> Result<Self> {
        let mut end = 0;
        for (offset, length) in &pieces {
            let next = offset.checked_add(*length).filter(|next| *offset >= end && *next <= size);
            end = next.ok_or_else(malformed)?;
        }
        let pieces = pieces.into_iter().filter(|(_, length)| *length > 0).collect();
        let map = Self { size, pieces };
        if map.stored() > stored {
            return Err(malformed());
        }
        SPARSE_HOLES.check(map.size - map.stored())?;
        Ok(map)
    }

    /// True for a map that could come from an archive.
    pub(super) fn is_sound(&self) -> bool {
        Self::new(self.size, u64::MAX, self.pieces.to_vec()).is_ok()
    }

    /// How many pieces of data it has.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of data in the archive.
    pub(super) fn stored(&self) -> u64 {
        self.pieces.iter().map(|(_, length)| length).sum()
    }

    /// The map of an entry of GNU's old format. `header` is all that was read before its data: the blocks
    /// after the entry's own header continue the map. Also returns how many of these there are.
    pub(super) fn of_old_gnu(header: &tar::Header, read: &[u8]) -> Result<(Self, u64)> {
        let gnu = header.as_gnu().ok_or_else(malformed)?;
        let mut more = 0;
        let own = |blocks: usize| {
            let start = read.len().checked_sub(BLOCK * (blocks + 1))?;
            Some(read[start..start + BLOCK] == *header.as_bytes())
        };
        while !own(more).ok_or_else(malformed)? {
            more += 1;
        }
        let mut pieces = Vec::new();
        let mut add = |block: &tar::GnuSparseHeader| -> Result<()> {
            if !block.is_empty() {
                let numbers = (block.offset(), block.length());
                let (Ok(offset), Ok(length)) = numbers else { return Err(malformed()) };
                push(&mut pieces, (offset, length))?;
            }
            Ok(())
        };
        gnu.sparse.iter().try_for_each(&mut add)?;
        for block in read[read.len() - BLOCK * more..].chunks_exact(BLOCK) {
            let mut next = tar::GnuExtSparseHeader::new();
            next.as_mut_bytes().copy_from_slice(block);
            next.sparse().iter().try_for_each(&mut add)?;
        }
        let size = gnu.real_size().map_err(|_| malformed())?;
        // The tar crate has compared the pieces with what the archive stores.
        Ok((Self::new(size, u64::MAX, pieces)?, more as u64))
    }

    /// The map of an entry in PAX format, by its extensions; `None` where the file is not sparse. Format
    /// 1.0 begins the content with the map: then it is read from there, and the second value is its size.
    /// `stored` is the size of the content in the archive.
    pub(super) fn of_pax(
        pax: &PaxSparse,
        content: impl Read,
        stored: u64,
    ) -> Result<Option<(Self, u64)>> {
        let Some(size) = pax.size else { return Ok(None) };
        if !pax.map_in_content {
            return Ok(Some((Self::new(size, stored, pax.pieces.clone())?, 0)));
        }
        let mut lines = Lines { content, read: 0 };
        let count = usize::try_from(lines.number()?).map_err(|_| malformed())?;
        SPARSE_PIECES.check(count)?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            pieces.push((lines.number()?, lines.number()?));
        }
        let read = lines.finish_block()?;
        Ok(Some((Self::new(size, stored.saturating_sub(read), pieces)?, read)))
    }
}

fn push(pieces: &mut Vec<(u64, u64)>, piece: (u64, u64)) -> Result<()> {
    pieces.push(piece);
    SPARSE_PIECES.check(pieces.len())
}

fn malformed() -> Error {
    Error::new(ErrorKind::Malformed, "the map of a sparse file is malformed")
}

/// What the PAX extensions of an entry say of a sparse file, in any of the formats 0.0, 0.1 and 1.0.
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    /// The true name, where the header has a made-up one.
    pub(super) name: Option<String>,
    size: Option<u64>,
    map_in_content: bool,
    pieces: Vec<(u64, u64)>,
}

impl PaxSparse {
    pub(super) fn parse(extensions: tar::PaxExtensions<'_>) -> Result<Self> {
        let mut pax = Self::default();
        let mut offset = None;
        for extension in extensions {
            let extension = extension.map_err(|_| malformed())?;
            let (Ok(key), value) = (extension.key(), extension.value_bytes()) else { continue };
            let text = || std::str::from_utf8(value).map_err(|_| malformed());
            let number = || text()?.parse::<u64>().map_err(|_| malformed());
            match key.strip_prefix("GNU.sparse.") {
                Some("name") => pax.name = Some(String::from_utf8_lossy(value).into_owned()),
                Some("size" | "realsize") => pax.size = Some(number()?),
                Some("major") => pax.map_in_content = number()? >= 1,
                Some("offset") => offset = Some(number()?),
                Some("numbytes") => {
                    push(&mut pax.pieces, (offset.take().ok_or_else(malformed)?, number()?))?;
                }
                Some("map") => {
                    let numbers =
                        text()?.split(',').map(|n| n.parse::<u64>().map_err(|_| malformed()));
                    let numbers = numbers.collect::<Result<Vec<_>>>()?;
                    for pair in numbers.chunks(2) {
                        let [offset, length] = pair else { return Err(malformed()) };
                        push(&mut pax.pieces, (*offset, *length))?;
                    }
                }
                _ => {}
            }
        }
        Ok(pax)
    }
}

/// Decimal numbers, one a line.
struct Lines<R> {
    content: R,
    read: u64,
}

impl<R: Read> Lines<R> {
    fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        let read = self.content.read_exact(&mut byte);
        read.map_err(|e| Error::from_io("reading the map of a sparse file", e))?;
        self.read += 1;
        Ok(byte[0])
    }

    fn number(&mut self) -> Result<u64> {
        let mut number: u64 = 0;
        loop {
            match self.byte()? {
                b'\n' => return Ok(number),
                digit @ b'0'..=b'9' => {
                    let next =
                        number.checked_mul(10).and_then(|n| n.checked_add((digit - b'0').into()));
                    number = next.ok_or_else(malformed)?;
                }
                _ => return Err(malformed()),
            }
        }
    }

    /// Reads to the end of the block; returns how many bytes were read in all.
    fn finish_block(mut self) -> Result<u64> {
        while !self.read.is_multiple_of(BLOCK as u64) {
            self.byte()?;
        }
        Ok(self.read)
    }
}

/// A sparse file with its holes filled in, from the data in the archive.
pub(super) struct FilledHoles<R> {
    map: SparseMap,
    data: R,
    /// The piece at or after `at`, and the offset in the file.
    piece: usize,
    at: u64,
}

impl<R: Read> FilledHoles<R> {
    pub(super) fn new(map: SparseMap, data: R) -> Self {
        Self { map, data, piece: 0, at: 0 }
    }
}

impl<R: Read> Read for FilledHoles<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let within = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX).min(out.len());
        while let Some((offset, length)) = self.map.pieces.get(self.piece).copied() {
            if self.at < offset {
                let count = within(offset - self.at);
                out[..count].fill(0);
                self.at += count as u64;
                return Ok(count);
            }
            if self.at < offset + length {
                let count = within(offset + length - self.at);
                let count = self.data.read(&mut out[..count])?;
                if count == 0 && !out.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut"));
                }
                self.at += count as u64;
                return Ok(count);
            }
            self.piece += 1;
        }
        let count = within(self.map.size - self.at);
        out[..count].fill(0);
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_with_zeros() {
        let map = SparseMap::new(12, 4, vec![(0, 0), (2, 3), (5, 1), (10, 0)]).expect("valid");
        assert_eq!(map.stored(), 4);
        let mut filled = Vec::new();
        FilledHoles::new(map, b"abcd".as_slice()).read_to_end(&mut filled).expect("read");
        assert_eq!(filled, b"\0\0abcd\0\0\0\0\0\0");
    }

    #[test]
    fn maps_that_overlap_or_leave_the_file_are_refused() {
        for pieces in
            [vec![(2, 3), (4, 1)], vec![(2, 3), (0, 1)], vec![(8, 3)], vec![(u64::MAX, 2)]]
        {
            assert!(SparseMap::new(10, 10, pieces.clone()).is_err(), "{pieces:?}");
        }
        assert!(SparseMap::new(10, 3, vec![(0, 4)]).is_err(), "more than is stored");
        assert!(SparseMap::new(1 << 62, 1, vec![(0, 1)]).is_err(), "holes without end");
        let cut = SparseMap::new(4, 4, vec![(0, 4)]).expect("valid");
        let mut filled = Vec::new();
        assert!(FilledHoles::new(cut, b"ab".as_slice()).read_to_end(&mut filled).is_err());
    }

    #[test]
    fn limit_of_sparse_holes() {
        let holes = 64 << 30;
        assert!(SparseMap::new(holes, 0, Vec::new()).is_ok());
        let error = SparseMap::new(holes + 1, 0, Vec::new()).expect_err("too large");
        assert_eq!(error.kind(), crate::ErrorKind::TooLarge);
    }

    /// Both where the pieces are counted in advance and where they come one by one.
    #[test]
    fn limit_of_sparse_pieces() {
        let pax = PaxSparse { size: Some(1 << 40), map_in_content: true, ..PaxSparse::default() };
        let map = |count: usize| format!("{count}\n{}", "0\n0\n".repeat(count));
        let read = |map: String| SparseMap::of_pax(&pax, map.as_bytes(), 1 << 30);
        assert_eq!(read(map(262_145)).expect_err("too many").kind(), crate::ErrorKind::TooLarge);
        let mut pieces = vec![(0, 0); 262_144];
        assert_eq!(
            push(&mut pieces, (0, 0)).expect_err("too many").kind(),
            crate::ErrorKind::TooLarge
        );
    }
}
