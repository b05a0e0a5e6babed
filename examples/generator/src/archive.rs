//! Archives as Go's `archive/tar` writes them.

use std::io::Write;

use sha2::{Digest, Sha256};

/// Hex digits of the SHA-256 digest.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// One entry of a tar archive.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A regular file.
    File(String, Vec<u8>),
    /// A symbolic link and its target.
    Link(String, String),
    /// A file whose header gives a larger size than the content that follows.
    Short(String, Vec<u8>, u64),
}

impl Entry {
    /// A regular file.
    pub fn file(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self::File(path.into(), content.into())
    }
}

/// A tar archive: USTAR, PAX headers where a name does not fit or is not ASCII, times and owners
/// zero, two zero blocks at the end.
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        match entry {
            Entry::File(path, content) => {
                header(&mut out, path, content.len() as u64, tar::EntryType::Regular, "");
                body(&mut out, content);
            }
            Entry::Link(path, target) => {
                header(&mut out, path, 0, tar::EntryType::Symlink, target);
            }
            Entry::Short(path, content, size) => {
                header(&mut out, path, *size, tar::EntryType::Regular, "");
                body(&mut out, content);
            }
        }
    }
    out.extend([0; 1024]);
    out
}

pub(crate) fn header(out: &mut Vec<u8>, path: &str, size: u64, kind: tar::EntryType, link: &str) {
    let mut name = path.to_owned();
    if path.len() > 99 || !path.is_ascii() {
        let record = pax_record("path", path);
        raw_header(out, "PaxHeaders.0/x", record.len() as u64, tar::EntryType::XHeader, "");
        body(out, &record);
        name = path.chars().filter(char::is_ascii).take(99).collect();
    }
    raw_header(out, &name, size, kind, link);
}

/// `length key=value\n`, the length counting itself.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length = length.to_string().len() + rest.len();
    }
    format!("{length}{rest}").into_bytes()
}

fn raw_header(out: &mut Vec<u8>, name: &str, size: u64, kind: tar::EntryType, link: &str) {
    let mut header = tar::Header::new_ustar();
    // Set as bytes, because `set_path` refuses unsafe names, which tests need.
    let fields = header.as_ustar_mut().expect("a ustar header");
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    out.extend(header.as_bytes());
}

fn body(out: &mut Vec<u8>, content: &[u8]) {
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// gzip, without a time stamp.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// Zstandard.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).expect("writing to memory")
}
