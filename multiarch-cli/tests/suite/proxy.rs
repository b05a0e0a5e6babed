//! A proxy in front of a registry, or on the way to one: it counts, and it misbehaves as told.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// One request, as far as tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) length: u64,
    /// How many requests came before.
    pub(crate) number: usize,
    /// How many are under way, with this one.
    pub(crate) at_once: usize,
}

impl Request {
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// What becomes of a request.
pub(crate) enum Action {
    Forward,
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// As [`Action::Forward`], but the end of the answer takes a while.
    Linger,
    /// This status, before the body was read, and nothing else: the connection stays.
    Early(u16),
    /// The connection is dropped: at once, or after the request was read.
    Reset,
    /// The connection is dropped once so much of the body has been passed on.
    Cut(u64),
}

type Rule = dyn Fn(&Request) -> Action + Send + Sync;

/// The proxy. Its threads end with the process.
pub(crate) struct Proxy {
    pub(crate) address: String,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<Request>>,
    under_way: AtomicUsize,
}

impl Proxy {
    pub(crate) fn start(
        upstream: &str,
        rule: impl Fn(&Request) -> Action + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let log = Arc::new(Log::default());
        let (rule, upstream): (Arc<Rule>, _) = (Arc::new(rule), upstream.to_owned());
        let seen = log.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (rule, upstream, seen) = (rule.clone(), upstream.clone(), seen.clone());
                std::thread::spawn(move || {
                    let _ = serve(client, &upstream, &*rule, &seen);
                });
            }
        });
        Self { address, log }
    }

    pub(crate) fn target(&self) -> String {
        format!("docker://{}", self.address)
    }

    /// What came so far; forgotten then.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.log.requests.lock().expect("a log"))
    }
}

/// The text of a request's head, and what it says; `None` where the connection ends.
pub(crate) fn read_head(reader: &mut impl BufRead) -> io::Result<Option<(String, Request)>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        // TLS is not spoken here: the first line is no line then.
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        head.push_str(&String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?);
    }
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let (method, path) = (method.to_owned(), path.to_owned());
    Ok(Some((head, Request { method, path, headers, length, number: 0, at_once: 0 })))
}

/// A request that is not answered yet.
struct UnderWay<'c> {
    counter: &'c AtomicUsize,
    count: usize,
}

impl<'c> UnderWay<'c> {
    fn of(counter: &'c AtomicUsize) -> Self {
        Self { counter, count: counter.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(client: TcpStream, upstream: &str, rule: &Rule, log: &Log) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    let Some((head, mut request)) = read_head(&mut reader)? else { return Ok(()) };
    let length = request.length;
    let under_way = UnderWay::of(&log.under_way);
    {
        let mut log = log.requests.lock().expect("a log");
        (request.number, request.at_once) = (log.len(), under_way.count);
        log.push(request.clone());
    }
    match rule(&request) {
        Action::Reset => Ok(()),
        Action::Cut(length) => {
            let mut server = TcpStream::connect(upstream)?;
            server.write_all(head.as_bytes())?;
            io::copy(&mut reader.take(length), &mut server).map(|_| ())
        }
        Action::Answer(status, headers, body) => {
            io::copy(&mut reader.take(length), &mut io::sink())?;
            drop(under_way);
            let mut answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            for (name, value) in headers {
                answer.push_str(&format!("{name}: {value}\r\n"));
            }
            answer.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
            let body = if request.method == "HEAD" { "" } else { &body };
            client.write_all(format!("{answer}{body}").as_bytes())
        }
        Action::Early(status) => {
            client.write_all(
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            )?;
            loop {
                std::thread::park();
            }
        }
        action @ (Action::Forward | Action::Linger) => {
            let mut server = TcpStream::connect(upstream)?;
            if request.method == "CONNECT" {
                client.write_all(b"HTTP/1.1 200 X\r\n\r\n")?;
                let (mut back, mut answers) = (client, server.try_clone()?);
                std::thread::spawn(move || io::copy(&mut answers, &mut back));
                return io::copy(&mut reader, &mut server).map(|_| ());
            }
            let mut lines: Vec<&str> = head.trim_end().lines().collect();
            lines.retain(|line| !line.to_ascii_lowercase().starts_with("connection:"));
            lines.push("Connection: close");
            server.write_all(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())?;
            // The server may answer before it has read everything.
            let sent = io::copy(&mut reader.take(length), &mut server);
            let mut answer = Vec::new();
            server.read_to_end(&mut answer)?;
            let mut rest = answer.as_slice();
            if let Action::Linger = action {
                let (most, end) = answer.split_at(answer.len().saturating_sub(1));
                client.write_all(most)?;
                std::thread::sleep(Duration::from_millis(20));
                rest = end;
            }
            // Whoever has the answer may ask again.
            drop(under_way);
            client.write_all(rest)?;
            sent.map(|_| ())
        }
    }
}
