//! Unpacks charts with libraries alone, because the tested code must not make its own expectations.

use std::{collections::BTreeMap, io::Read};

use flate2::read::GzDecoder;

/// The files of a packed chart, by their paths below the chart's folder; `None` if it cannot be
/// read.
pub(crate) fn unpack(content: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(content)).entries().ok()? {
        let mut entry = entry.ok()?;
        let path = entry.path().ok()?.to_str()?.split_once('/')?.1.to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        files.insert(path, content);
    }
    Some(files)
}

/// A top-level value of `Chart.yaml`.
pub(crate) fn metadata(files: &BTreeMap<String, Vec<u8>>, key: &str) -> Option<String> {
    let text = std::str::from_utf8(files.get("Chart.yaml")?).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}
