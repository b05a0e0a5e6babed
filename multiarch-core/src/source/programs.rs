//! Finds out for which architecture the programs in an image are, where package and config disagree.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::input::{Input, read_up_to};
use crate::{
    error::Result,
    image::{Compression, Digest, layer_is_rootfs},
    limit,
    package::{Blob, BlobPlace, BlobSource, StoredDocument},
    run::{BufferPermit, BufferReader, Cancel},
};

/// The part of an ELF file that is read: the identification, the type and the machine.
const ELF_HEAD: usize = 20;

/// How much of a layer may be read, however small it is in the package.
const ALWAYS: u64 = 16 << 20;

/// How many programs there are for each architecture.
type Count = BTreeMap<&'static str, usize>;

/// Looks for programs in the layers of a package, in each layer once.
pub(super) struct Programs<'a> {
    source: &'a dyn BlobSource,
    cancel: &'a Cancel,
    layers: BTreeMap<Digest, Count>,
    /// How many bytes may still be read.
    left: u64,
}

impl<'a> Programs<'a> {
    pub(super) fn new(source: &'a dyn BlobSource, cancel: &'a Cancel) -> Self {
        Self { source, cancel, layers: BTreeMap::new(), left: limit::LAYERS_FOR_PROGRAMS.max }
    }

    /// How much may be read of a layer of this size in the package.
    fn allowed(&self, packed: u64) -> u64 {
        let of_size = ALWAYS.saturating_add(packed.saturating_mul(limit::PROGRAMS_RATIO.max));
        limit::LAYER_FOR_PROGRAMS.max.min(self.left).min(of_size)
    }

    /// The architecture, as Go names it, of most of the programs in the layers of a manifest; `None` where
    /// there are no programs, or none has a majority.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub(super) fn architecture(
        &mut self,
        manifest: &StoredDocument,
    ) -> Result<Option<&'static str>> {
        let mut all = Count::new();
        let layers = manifest.blobs.iter();
        for blob in layers.filter(|blob| layer_is_rootfs(&blob.descriptor.media_type)) {
            if all.values().sum::<usize>() >= limit::PROGRAMS.length() {
                break;
            }
            for (architecture, count) in self.layer(blob)? {
                *all.entry(architecture).or_default() += count;
            }
        }
        Ok(majority(all))
    }

    /// Counts the programs of one layer. A layer that cannot be read is reported when it is sent; here it is
    /// no evidence.
    fn layer(&mut self, blob: &Blob) -> Result<Count> {
        let digest = &blob.descriptor.digest;
        if let Some(known) = self.layers.get(digest) {
            return Ok(known.clone());
        }
        let BlobPlace::Package(locator) = &blob.place else { return Ok(Count::new()) };
        let mut count = Count::new();
        if let Ok(buffers) = self.source.open(locator, BufferPermit::new(self.cancel)) {
            let allowed = self.allowed(blob.descriptor.size);
            let mut left = allowed;
            let _ = count_layer(BufferReader::new(buffers), &mut left, &mut count);
            self.left -= allowed - left;
        }
        self.cancel.check()?;
        self.layers.insert(digest.clone(), count.clone());
        Ok(count)
    }
}

/// The architecture of most programs; `None` without programs, and without a majority.
fn majority(all: Count) -> Option<&'static str> {
    let total: usize = all.values().sum();
    let most = all.into_iter().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| count * 2 > total).map(|(architecture, _)| architecture)
}

/// The architecture, as Go names it, of most of the programs in a layer; `None` without programs,
/// without a majority, and where the layer cannot be read.
pub(crate) fn layer_architecture(layer: &[u8]) -> Option<&'static str> {
    let (mut left, mut count) = (limit::LAYER_FOR_PROGRAMS.max, Count::new());
    let _ = count_layer(layer, &mut left, &mut count);
    majority(count)
}

/// Counts the programs of one layer, a tar archive that may be compressed.
fn count_layer(mut layer: impl Read, left: &mut u64, count: &mut Count) -> io::Result<()> {
    let head = read_up_to(&mut layer, 8)?;
    let compression = Compression::sniff(&head);
    let packed = io::Cursor::new(head).chain(layer);
    match compression {
        Compression::None => count_programs(packed, left, count),
        Compression::Gzip => count_programs(flate2::read::MultiGzDecoder::new(packed), left, count),
        Compression::Zstd => count_programs(zstd::stream::read::Decoder::new(packed)?, left, count),
    }
}

fn count_programs(unpacked: impl Read, left: &mut u64, count: &mut Count) -> io::Result<()> {
    let mut counted = CountedBytes { reader: unpacked, left };
    let input = Input::stream(&mut counted);
    let allowance = input.allowance();
    let mut archive = tar::Archive::new(input);
    let mut entries = archive.entries_with_seek()?;
    let mut total = 0;
    loop {
        allowance.for_header();
        let Some(entry) = entries.next().filter(|_| total < limit::PROGRAMS.length()) else {
            return Ok(());
        };
        allowance.for_content();
        allowance.forget_header();
        let mut entry = entry?;
        if entry.header().entry_type().is_file()
            && let Some(architecture) = machine(&read_up_to(&mut entry, ELF_HEAD)?)
        {
            *count.entry(architecture).or_default() += 1;
            total += 1;
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
    // Executables and shared objects; other objects are linked, or loaded into something else.
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

#[cfg(test)]
mod tests {
    use super::*;

    // The numbers are those of the System V ABI's registry of machines.
    /// Programs are found after files that are larger than the limit of a header.
    #[test]
    fn programs_after_a_large_file_count() {
        let mut elf =
            vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 183, 0];
        elf.resize(100, 0);
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in [("data", vec![1; 3 << 20]), ("bin/app", elf)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content.as_slice()).expect("written");
        }
        let layer = archive.into_inner().expect("written");
        let (mut left, mut count) = (limit::LAYER_FOR_PROGRAMS.max, Count::new());
        count_layer(layer.as_slice(), &mut left, &mut count).expect("read");
        assert_eq!(count, Count::from([("arm64", 1)]));
    }

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

    #[test]
    fn limit_of_programs() {
        let mut elf =
            vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 183, 0];
        elf.resize(100, 0);
        let mut archive = tar::Builder::new(Vec::new());
        for number in 0..70 {
            let mut header = tar::Header::new_gnu();
            header.set_size(100);
            archive.append_data(&mut header, format!("bin/{number}"), &*elf).expect("written");
        }
        let layer = archive.into_inner().expect("written");
        let (mut left, mut count) = (u64::MAX, Count::new());
        count_layer(layer.as_slice(), &mut left, &mut count).expect("read");
        assert_eq!(count, Count::from([("arm64", 64)]));
    }

    struct NoSource;

    impl BlobSource for NoSource {
        fn open(
            &self,
            _: &crate::package::Locator,
            _: BufferPermit,
        ) -> io::Result<Box<dyn crate::run::BufferSource + '_>> {
            unreachable!("nothing is read")
        }
    }

    #[test]
    fn limit_of_layer_for_programs() {
        assert_eq!(Programs::new(&NoSource, &Cancel::new()).allowed(1 << 30), 512 << 20);
    }

    #[test]
    fn limit_of_programs_ratio() {
        assert_eq!(
            Programs::new(&NoSource, &Cancel::new()).allowed(20 << 10),
            (16 << 20) + (2000 << 10)
        );
    }

    #[test]
    fn limit_of_layers_for_programs() {
        let cancel = Cancel::new();
        let mut programs = Programs::new(&NoSource, &cancel);
        assert_eq!(programs.left, 64 << 30);
        programs.left = 10;
        assert_eq!(programs.allowed(1 << 30), 10);
    }
}
