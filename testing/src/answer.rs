//! The answer to a request.

use std::io::{self, Write};

use serde_json::json;

/// A status, headers and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names and values. The server adds `Content-Length` if it is missing, and `Connection` if it
    /// closes the connection.
    pub headers: Vec<(String, String)>,
    /// The body. A HEAD request does not get it, but the answer still gives its length.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with a status and nothing else.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status).header("Content-Type", "application/json").body(body.to_string())
    }

    /// An error as the distribution specification writes it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"errors": [{"code": code, "message": message}]}))
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The value of a header, whatever the case of its name.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The same without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The head, which is sent before the body.
    pub(crate) fn head(&self, closes: bool) -> String {
        // Clients ignore the reason after the status (RFC 9112, section 4), so a dash is enough.
        let mut head = format!("HTTP/1.1 {} -\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // An answer with one of these statuses has no body, and must not have a `Content-Length`.
        let told = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !told && !matches!(self.status, 100..200 | 204 | 304) {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        if closes {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// All bytes that are sent.
    pub(crate) fn wire(&self, with_body: bool, closes: bool) -> Vec<u8> {
        let mut wire = self.head(closes).into_bytes();
        if with_body {
            wire.extend_from_slice(&self.body);
        }
        wire
    }

    pub(crate) fn write(
        &self,
        out: &mut impl Write,
        with_body: bool,
        closes: bool,
    ) -> io::Result<()> {
        out.write_all(&self.wire(with_body, closes))
    }
}
