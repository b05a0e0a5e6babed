//! A registry that stops to listen in the middle of each upload, and closes the connection without a reset.
//! The client's next write but one then fails with EPIPE, and raises SIGPIPE where nothing prevents it; a
//! connection that is reset is an error of another kind.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Starts it, and gives its address. It goes on as long as the test program.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut head, mut line) = (String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            (reader.read_line(&mut line).ok()? > 0).then_some(())?;
            head.push_str(&line);
        }
        let method = head.split(' ').next()?;
        let (status, more) = match method {
            "PUT" | "PATCH" => {
                let mut some = [0; 1000];
                reader.read_exact(&mut some).ok()?;
                stream.shutdown(Shutdown::Both).ok()?;
                // Closed later: what is unread now would make it a reset.
                thread::sleep(Duration::from_millis(300));
                return None;
            }
            "POST" => ("202 Accepted", "Location: /v2/x/blobs/uploads/1\r\n"),
            _ if head.starts_with("GET /v2/ ") => ("200 OK", ""),
            _ => ("404 Not Found", ""),
        };
        let version = "Docker-Distribution-Api-Version: registry/2.0\r\n";
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{version}{more}\r\n");
        (&stream).write_all(answer.as_bytes()).ok()?;
    }
}
