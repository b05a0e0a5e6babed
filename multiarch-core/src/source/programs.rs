//! Finds out for which architecture the programs in an image are, where package and config disagree.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::input::{Input, read_up_to};
use crate::{
    error::Result,
    image::{Compression, layer_is_rootfs},
    package::{BlobPlace, BlobSource, StoredDocument, reading},
    run::{Buffer, BufferPermit, BufferSource, Cancel},
};

/// How many programs are looked at: those of the lowest layers, which hold the system's own.
const MAX_PROGRAMS: usize = 64;
/// How many unpacked bytes of an image are read for that.
const MAX_BYTES: u64 = 512 << 20;
/// The part of an ELF file that is read: the identification, the type and the machine.
const ELF_HEAD: usize = 20;

/// The architecture, as Go names it, of most of the programs in the layers of a manifest; `None` where
/// there is none, or no majority.
pub(super) fn architecture(
    manifest: &StoredDocument,
    source: &dyn BlobSource,
    cancel: &Cancel,
) -> Result<Option<&'static str>> {
    let mut programs = Programs { left: MAX_BYTES, ..Programs::default() };
    let layers = manifest.blobs.iter();
    for blob in layers.filter(|blob| layer_is_rootfs(&blob.descriptor.media_type)) {
        let BlobPlace::Package(locator) = &blob.place else { continue };
        if programs.is_enough() {
            break;
        }
        let buffers = source.open(locator, BufferPermit::new(cancel)).map_err(reading)?;
        let layer = LayerBytes { buffers, now: None, at: 0 };
        match programs.count_layer(layer) {
            // A damaged layer is reported when it is sent; it is no evidence.
            Ok(()) | Err(_) if !cancel.is_cancelled() => {}
            _ => cancel.check()?,
        }
    }
    Ok(programs.majority())
}

#[derive(Default)]
struct Programs {
    found: BTreeMap<&'static str, usize>,
    left: u64,
}

impl Programs {
    fn total(&self) -> usize {
        self.found.values().sum()
    }

    fn is_enough(&self) -> bool {
        self.left == 0 || self.total() >= MAX_PROGRAMS
    }

    fn majority(&self) -> Option<&'static str> {
        let (architecture, count) = self.found.iter().max_by_key(|(_, count)| **count)?;
        (count * 2 > self.total()).then_some(*architecture)
    }

    /// Counts the programs of one layer, a tar archive that may be compressed.
    fn count_layer(&mut self, mut layer: impl Read) -> io::Result<()> {
        let head = read_up_to(&mut layer, 8)?;
        let compression = Compression::sniff(&head);
        let packed = io::Cursor::new(head).chain(layer);
        match compression {
            Compression::None => self.count(packed),
            Compression::Gzip => self.count(flate2::read::MultiGzDecoder::new(packed)),
            Compression::Zstd => self.count(zstd::stream::read::Decoder::new(packed)?),
        }
    }

    fn count(&mut self, unpacked: impl Read) -> io::Result<()> {
        let mut counted = CountedBytes { reader: unpacked, left: &mut self.left };
        let input = Input::stream(&mut counted);
        let allowance = input.allowance();
        let mut archive = tar::Archive::new(input);
        let mut entries = archive.entries()?;
        let mut total: usize = self.found.values().sum();
        loop {
            allowance.for_header();
            let Some(entry) = entries.next().filter(|_| total < MAX_PROGRAMS) else {
                return Ok(());
            };
            let mut entry = entry?;
            allowance.for_content();
            if entry.header().entry_type().is_file()
                && let Some(architecture) = machine(&read_up_to(&mut entry, ELF_HEAD)?)
            {
                *self.found.entry(architecture).or_default() += 1;
                total += 1;
            }
        }
    }
}

/// The architecture of a program or a shared library, by the first bytes of its file: `e_ident`, `e_type`
/// and `e_machine` of the ELF header (System V ABI, "ELF Header").
fn machine(head: &[u8]) -> Option<&'static str> {
    let [0x7f, b'E', b'L', b'F', class, data, ..] = head else { return None };
    let number = |at: usize| -> Option<u16> {
        let bytes = [*head.get(at)?, *head.get(at + 1)?];
        Some(if *data == 1 { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    // Executables and shared objects; objects that are linked or loaded elsewhere are none.
    if !matches!(number(16)?, 2 | 3) {
        return None;
    }
    Some(match (number(18)?, class, data) {
        (3, ..) => "386",
        (62, ..) => "amd64",
        (40, ..) => "arm",
        (183, ..) => "arm64",
        (22, ..) => "s390x",
        (21, _, 1) => "ppc64le",
        (21, ..) => "ppc64",
        (243, 2, _) => "riscv64",
        (258, 2, _) => "loong64",
        (8, 2, 1) => "mips64le",
        (8, 2, _) => "mips64",
        (8, _, 1) => "mipsle",
        (8, ..) => "mips",
        _ => return None,
    })
}

/// Stops after a number of bytes, which several layers share.
struct CountedBytes<'a, R> {
    reader: R,
    left: &'a mut u64,
}

impl<R: Read> Read for CountedBytes<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = out.len().min(usize::try_from(*self.left).unwrap_or(usize::MAX));
        let count = self.reader.read(&mut out[..length])?;
        *self.left -= count as u64;
        Ok(count)
    }
}

/// A blob's bytes as they are stored.
struct LayerBytes<'a> {
    buffers: Box<dyn BufferSource + 'a>,
    now: Option<Buffer>,
    at: usize,
}

impl Read for LayerBytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.now.as_ref().is_none_or(|buffer| self.at == buffer.as_ref().len()) {
            self.now = None;
            (self.now, self.at) = (self.buffers.next()?, 0);
        }
        let Some(buffer) = &self.now else { return Ok(0) };
        let rest = &buffer.as_ref()[self.at..];
        let count = out.len().min(rest.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The numbers are those of the System V ABI's registry of machines.
    #[test]
    fn machines_are_told_by_the_elf_header() {
        let head = |class: u8, data: u8, kind: u16, machine: u16| {
            let bytes = |n: u16| if data == 1 { n.to_le_bytes() } else { n.to_be_bytes() };
            let mut head = vec![0x7f, b'E', b'L', b'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            head.extend(bytes(kind));
            head.extend(bytes(machine));
            head
        };
        for (class, data, number, expected) in [
            (2, 1, 62, Some("amd64")),
            (2, 1, 183, Some("arm64")),
            (1, 1, 40, Some("arm")),
            (2, 2, 22, Some("s390x")),
            (2, 1, 21, Some("ppc64le")),
            (2, 1, 258, Some("loong64")),
            (2, 1, 247, None),
        ] {
            assert_eq!(machine(&head(class, data, 3, number)), expected, "{number}");
            assert_eq!(machine(&head(class, data, 1, number)), None, "an object file");
        }
        assert_eq!(machine(b"#!/bin/sh"), None);
        assert_eq!(machine(&head(2, 1, 3, 62)[..19]), None, "cut");
    }
}
