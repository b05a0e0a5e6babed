//! A proxy in front of a real server, or on the way to one. It uses the HTTP server of the registry
//! in memory, which logs requests, makes them fail as the rule says, and passes on the rest.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use multiarch_testing::{Answer, Body, Fault, HttpServer, Request, Service};

/// Starts a proxy for one server.
pub(crate) fn proxy(
    upstream: &str,
    rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
) -> HttpServer {
    HttpServer::start(Upstream(upstream.to_owned()), rule)
}

/// Host and port of the server.
struct Upstream(String);

impl Service for Upstream {
    fn answer(&self, request: &Request, body: &mut Body<'_>) -> io::Result<Answer> {
        let mut server = TcpStream::connect(&self.0)?;
        // HTTP/1.0 is used because its answers have no chunks, and end with their connection.
        let mut head = format!("{} {} HTTP/1.0\r\n", request.method, request.path);
        let own = ["connection", "content-length", "expect", "transfer-encoding"];
        for (name, value) in request.headers.iter().filter(|(name, _)| !own.contains(&&***name)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if request.header("transfer-encoding").is_some() {
            let content = body.whole()?;
            head.push_str(&format!("Content-Length: {}\r\n\r\n", content.len()));
            server.write_all(head.as_bytes())?;
            server.write_all(&content)?;
        } else {
            head.push_str(&format!("Content-Length: {}\r\n\r\n", request.length));
            server.write_all(head.as_bytes())?;
            pass_on(body, &mut server)?;
        }
        read(&mut BufReader::new(server))
    }

    fn tunnel(&self, _request: &Request, mut client: TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(&self.0)?;
        client.write_all(b"HTTP/1.1 200 -\r\n\r\n")?;
        let (mut back, mut answers) = (client.try_clone()?, server.try_clone()?);
        std::thread::spawn(move || io::copy(&mut answers, &mut back));
        io::copy(&mut client, &mut server).map(drop)
    }
}

/// Passes a body on. It fails if the body breaks off, but not if the server stops reading, because
/// the server has then already answered.
fn pass_on(body: &mut Body<'_>, server: &mut TcpStream) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = body.read(&mut piece)?;
        if count == 0 || server.write_all(&piece[..count]).is_err() {
            return Ok(());
        }
    }
}

fn read(server: &mut impl BufRead) -> io::Result<Answer> {
    let mut line = String::new();
    server.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut answer = Answer::new(status.ok_or(io::ErrorKind::UnexpectedEof)?);
    loop {
        line.clear();
        server.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if !name.eq_ignore_ascii_case("connection") {
            answer = answer.header(name, value);
        }
    }
    server.read_to_end(&mut answer.body)?;
    Ok(answer)
}
