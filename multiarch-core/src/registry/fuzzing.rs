//! What fuzzing asks of the parsers of a registry's headers. A function panics where a law does not hold.

use std::fmt::Write as _;

use reqwest::{
    Url,
    header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE},
};

use super::{auth, catalog};

/// The challenges of a header that is written by the grammar are those that were read; tokens are fetched
/// from addresses alone. `data` is one header a line.
pub(crate) fn challenge(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(8) {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        let read = auth::fuzzing::challenges(&String::from_utf8_lossy(line));
        let mut written = String::new();
        for (scheme, parameters) in &read {
            let _ = write!(written, ", {scheme}");
            for (name, value) in parameters {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = write!(written, ",{name}=\"{value}\"");
            }
        }
        assert_eq!(auth::fuzzing::challenges(&written), read, "{written:?}");
        headers.append(WWW_AUTHENTICATE, value);
    }
    let origin = Url::parse("https://registry.example:5000/v2/").expect("an address");
    if let Some(realm) = auth::fuzzing::realm(&headers, &origin) {
        assert!(["http", "https"].contains(&realm.scheme()) && realm.has_host(), "{realm}");
    }
}

/// The link to the next page is a part of the header, and leads to an address or is an error.
pub(crate) fn link_header(data: &[u8]) {
    let Ok(value) = std::str::from_utf8(data) else { return };
    let Some(next) = catalog::next_link(value) else { return };
    assert!(value.contains(&next), "{next:?} is not in {value:?}");
    assert!(!next.contains([',', ';']), "{next:?} of {value:?} is not one link");
    let page = Url::parse("https://registry.example:5000/v2/_catalog?n=1").expect("an address");
    if let Ok(url) = page.join(&next) {
        assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url), "{next:?}");
    }
}
