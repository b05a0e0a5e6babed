//! What a file is, by its first bytes, since names can be wrong.

use std::io::{ErrorKind, Read};

use crate::image::Compression;

/// How many of a file's first bytes are looked at.
pub(super) const HEAD: usize = 4 << 10;
const BLOCK: usize = 512;

/// What the first bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A tar archive.
    Tar,
    /// A tar archive in gzip or Zstandard.
    Packed(Compression),
    /// Anything else.
    Other,
}

/// Looks at the first bytes of a file, at most [`HEAD`] of them. `name` is its path in the package.
pub(super) fn kind(head: &[u8], name: &str) -> FileKind {
    if is_tar(head) {
        return FileKind::Tar;
    }
    let compression = Compression::sniff(head);
    let mut block = Vec::with_capacity(BLOCK);
    // The head usually ends in the middle of a compressed block.
    let unpacked = match compression {
        Compression::None => return FileKind::Other,
        Compression::Gzip => {
            flate2::read::MultiGzDecoder::new(head).take(BLOCK as u64).read_to_end(&mut block)
        }
        Compression::Zstd => match zstd::stream::read::Decoder::with_buffer(head) {
            Ok(decoder) => decoder.take(BLOCK as u64).read_to_end(&mut block),
            Err(error) => Err(error),
        },
    };
    // The head may hold a long gzip header and nothing else (RFC 1952, section 2.3.1), empty members, or not
    // even one Zstandard block, of which the decoder gives out only whole ones. Such a file fails later, when
    // its tar headers are read, if it is no archive. Zstandard is common for other files, so its name decides.
    let is_cut =
        head.len() == HEAD && unpacked.is_err_and(|e| e.kind() == ErrorKind::UnexpectedEof);
    let named = name.contains(".tar") || name.ends_with(".tgz") || !name.contains('/');
    let unclear = match compression {
        Compression::Zstd => block.is_empty() && head.len() == HEAD && named,
        _ => block.len() < BLOCK && is_cut,
    };
    if is_tar(&block) || unclear { FileKind::Packed(compression) } else { FileKind::Other }
}

/// A tar header is recognised by its checksum, because old archives have no magic.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK) else { return false };
    let header = tar::Header::from_byte_slice(block);
    let Ok(expected) = header.cksum() else { return false };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) })
        .sum();
    block[0] != 0 && sum == expected
}
