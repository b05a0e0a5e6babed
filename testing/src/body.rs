//! A request's body.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use crate::Request;

/// A request's body, read from the connection. Reading fails if the body ends too early.
pub struct Body<'c> {
    reader: &'c mut dyn BufRead,
    /// Bytes left in the body, or in the current chunk.
    left: u64,
    chunked: bool,
    /// The connection counts as broken after this many more bytes.
    cut: Option<u64>,
    /// Where to ask for the body, because a client may wait until it is asked.
    invitation: Option<&'c mut dyn io::Write>,
}

impl<'c> Body<'c> {
    pub(crate) fn of(
        request: &Request,
        reader: &'c mut dyn BufRead,
        writer: &'c mut dyn io::Write,
        cut: Option<u64>,
    ) -> Self {
        let chunked = request.says("transfer-encoding", "chunked");
        let left = if chunked { 0 } else { request.length };
        let invitation = request.says("expect", "100-continue").then_some(writer);
        Self { reader, left, chunked, cut, invitation }
    }

    /// Reads the rest of the body and discards it.
    pub(crate) fn pass_over(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// If it ends too early.
    pub fn whole(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        self.read_to_end(&mut whole)?;
        Ok(whole)
    }

    /// Reads the line that begins the next chunk: its size in hex (RFC 9112, section 7.1).
    fn next_chunk(&mut self) -> io::Result<()> {
        let size = self.line()?;
        let size = size.split(';').next().unwrap_or_default().trim();
        self.left = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if self.left == 0 {
            self.chunked = false;
            while !self.line()?.is_empty() {}
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.reader.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(writer) = self.invitation.take() {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if self.cut == Some(0) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.left == 0 && self.chunked {
            self.next_chunk()?;
        }
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = self.cut.map_or(self.left, |cut| cut.min(self.left));
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.cut = self.cut.map(|cut| cut - count as u64);
        if self.left == 0 && self.chunked {
            self.line()?;
        }
        Ok(count)
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes left)", self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str, wire: &str, cut: Option<u64>) -> (Vec<u8>, Option<io::ErrorKind>) {
        let request = Request::read(&mut format!("PUT / HTTP/1.1\r\n{head}\r\n\r\n").as_bytes())
            .expect("read")
            .expect("a request");
        let (mut wire, mut out) = (wire.as_bytes(), Vec::new());
        let mut body = Body::of(&request, &mut wire, &mut out, cut);
        let mut content = Vec::new();
        let ended = body.read_to_end(&mut content);
        (content, ended.err().map(|error| error.kind()))
    }

    #[test]
    fn lengths_and_chunks() {
        let chunked = "Transfer-Encoding: chunked";
        assert_eq!(read("Content-Length: 3", "abcdef", None), (b"abc".to_vec(), None));
        assert_eq!(
            read(chunked, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET", None),
            (b"abcde".to_vec(), None)
        );
        assert_eq!(read("Content-Length: 0", "GET", None), (Vec::new(), None));
        let early = Some(io::ErrorKind::UnexpectedEof);
        assert_eq!(read("Content-Length: 3", "ab", None), (b"ab".to_vec(), early));
        assert_eq!(read(chunked, "3\r\nab", None), (b"ab".to_vec(), early));
        let cut = Some(io::ErrorKind::ConnectionReset);
        assert_eq!(read("Content-Length: 6", "abcdef", Some(2)), (b"ab".to_vec(), cut));
        assert_eq!(read(chunked, "3\r\nabc\r\n0\r\n\r\n", Some(2)), (b"ab".to_vec(), cut));
    }
}
