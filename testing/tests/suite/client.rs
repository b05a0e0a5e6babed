//! A client that sends exactly what a test gives it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use multiarch_testing::Registry;
use serde_json::Value;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// The server's answer.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().expect("a code").to_owned()
    }
}

impl Client {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self(BufReader::new(TcpStream::connect(registry.address()).expect("connected")))
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("sent");
    }

    /// Sends a request with these header lines, and a body with its `Content-Length`.
    pub(crate) fn ask(&mut self, what: &str, headers: &str, body: &[u8]) -> Said {
        self.try_ask(what, headers, body).expect("an answer")
    }

    /// The same; `None` if the connection ends before the whole answer was read.
    pub(crate) fn try_ask(&mut self, what: &str, headers: &str, body: &[u8]) -> Option<Said> {
        let length = body.len();
        let head =
            format!("{what} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {length}\r\n\r\n");
        // A failed write is ignored, because the server may answer and close before it has read
        // everything.
        let _ = self.0.get_mut().write_all(&[head.as_bytes(), body].concat());
        self.read(!what.starts_with("HEAD "))
    }

    /// Reads an answer.
    pub(crate) fn read(&mut self, with_body: bool) -> Option<Said> {
        let mut said = Said::default();
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        said.status = line.split(' ').nth(1)?.parse().ok()?;
        loop {
            line.clear();
            self.0.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            said.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = said.header("Content-Length").parse().unwrap_or(0);
        said.body = vec![0; if with_body { length } else { 0 }];
        self.0.read_exact(&mut said.body).ok()?;
        Some(said)
    }

    /// Begins an upload and returns the path to send to.
    pub(crate) fn begin(&mut self, repository: &str) -> String {
        let said = self.ask(&format!("POST /v2/{repository}/blobs/uploads/"), "", b"");
        assert_eq!(said.status, 202);
        said.header("Location").to_owned()
    }
}
