//! What fuzzing asks of the parsers of headers. A function panics where a law does not hold.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{challenge, link};

/// The challenges of a header that is written by the grammar are those that were read. `data` is one header a
/// line.
pub(crate) fn challenge(data: &[u8]) {
    let read = |text: &str| -> Vec<(String, BTreeMap<String, String>)> {
        let challenges = challenge::challenges(text).into_iter();
        challenges.map(|found| (found.scheme, found.parameters.into_iter().collect())).collect()
    };
    for line in data.split(|byte| *byte == b'\n').take(8) {
        let found = read(&String::from_utf8_lossy(line));
        let mut written = String::new();
        for (scheme, parameters) in &found {
            let _ = write!(written, ", {scheme}");
            for (name, value) in parameters {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = write!(written, ",{name}=\"{value}\"");
            }
        }
        assert_eq!(read(&written), found, "{written:?}");
    }
}

/// The link to the next page is a part of the header; written in brackets, it is the one that is read.
pub(crate) fn link_header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(next) = link::next_link(text) else { return };
    assert!(text.contains(&next), "{next:?} is not in {text:?}");
    if !next.contains('>') {
        let written = format!("</previous>; rel=prev, <{next}>; rel=\"next\"");
        assert_eq!(link::next_link(&written).as_ref(), Some(&next), "{text:?}");
    }
}
