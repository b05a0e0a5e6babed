//! Requests.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

/// One request, without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query as received. They begin with the scheme and the host if the client sent the
    /// request as to a proxy.
    pub path: String,
    /// The headers, with lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The value of `Content-Length`; 0 without it.
    pub length: u64,
    /// How many requests came before this one.
    pub number: usize,
    /// How many requests are under way, including this one.
    pub at_once: usize,
    /// The status of the answer; `None` if no answer was sent, or not yet.
    pub status: Option<u16>,
}

/// A head that is longer than this is not accepted.
const LONGEST_HEAD: usize = 64 << 10;

impl Request {
    /// True if it has this method, and this part in its path.
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    /// True if it reads, and changes nothing.
    pub fn reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// A header's value. The name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// True if it has credentials of any kind.
    pub fn is_authorized(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    /// The path on this server: without a scheme, a host and the query.
    pub fn local_path(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        match path.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => path,
        }
    }

    /// The decoded values of a query parameter, in their order.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// Reads a head; `None` if the connection ends, or the client does not speak HTTP.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        // A client that tries TLS first waits for an answer, while this server would wait for the
        // rest of a head. So the first byte is checked before anything else is read.
        match reader.fill_buf()?.first() {
            Some(byte) if byte.is_ascii_uppercase() => {}
            _ => return Ok(None),
        }
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 || head.len() > LONGEST_HEAD {
                return Ok(None);
            }
        }
        let head = String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        Ok(Some(Self { method, path, headers, length, ..Self::default() }))
    }

    pub(crate) fn says(&self, header: &str, value: &str) -> bool {
        self.header(header).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}

/// Decodes percent signs and pluses (application/x-www-form-urlencoded).
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                match after.split_at_checked(2).map(|(digits, after)| (hex::decode(digits), after))
                {
                    Some((Ok(byte), after)) => {
                        bytes.extend(byte);
                        rest = after;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Request> {
        Request::read(&mut text.as_bytes()).expect("read")
    }

    #[test]
    fn heads() {
        let text = "PUT /v2/a/blobs/uploads/1?_state=x%2By&digest=sha256%3Aab HTTP/1.1\r\nHost: h\r\ncontent-LENGTH:  7\r\n\r\n1234567";
        let request = read(text).expect("a request");
        assert_eq!((request.method.as_str(), request.length), ("PUT", 7));
        assert_eq!(request.local_path(), "/v2/a/blobs/uploads/1");
        assert_eq!(request.parameter("digest").as_deref(), Some("sha256:ab"));
        assert_eq!(request.parameter("_state").as_deref(), Some("x+y"));
        assert_eq!(request.header("host"), Some("h"));
        assert_eq!(
            read("GET http://h.io/v2/?n=1 HTTP/1.1\r\n\r\n").expect("one").local_path(),
            "/v2/"
        );
        for none in ["", "\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\nHost"] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
