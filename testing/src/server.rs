//! An HTTP/1.1 server that can misbehave.
//!
//! It is written by hand on `std::net`, because faults need control over the bytes on the wire and
//! the end of a connection, which HTTP libraries hide.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use crate::{
    Answer, Body, Fault, Request, Rule, connection,
    log::{Log, lock},
};

/// Answers requests. Several threads call it at once, because each connection has its own thread.
pub trait Service: Send + Sync + 'static {
    /// Answers a request.
    ///
    /// # Errors
    /// If the body ends too early, or there is no answer. The connection is then dropped.
    fn answer(&self, request: &Request, body: &mut Body<'_>) -> io::Result<Answer>;

    /// Takes over the connection of a CONNECT request. The default refuses it.
    ///
    /// # Errors
    /// If the connection fails. The error is not reported.
    fn tunnel(&self, _request: &Request, mut client: TcpStream) -> io::Result<()> {
        Answer::new(405).write(&mut client, true, true)
    }
}

/// A server on a free loopback port. It stops when it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) service: Box<dyn Service>,
    pub(crate) rule: Box<Rule>,
    pub(crate) log: Log,
    ended: Mutex<bool>,
    ending: Condvar,
    connections: Mutex<BTreeMap<u64, TcpStream>>,
    numbers: AtomicU64,
    /// A rule, or a service, has panicked.
    panicked: AtomicBool,
}

impl HttpServer {
    /// Starts a server.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(
        service: impl Service,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let shared = Arc::new(Shared {
            service: Box::new(service),
            rule: Box::new(rule),
            log: Log::default(),
            ended: Mutex::default(),
            ending: Condvar::new(),
            connections: Mutex::default(),
            numbers: AtomicU64::default(),
            panicked: AtomicBool::default(),
        });
        let own = shared.clone();
        let listening = std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *lock(&own.ended) {
                    return;
                }
                let Ok(connection) = Connected::new(&own, &client) else { continue };
                std::thread::spawn(move || {
                    // The error is ignored, because the client sees that its connection failed.
                    let _ = connection::serve(client, &connection.shared);
                });
            }
        });
        Self { address, shared, listening: Some(listening) }
    }

    /// Starts a server without content: it answers 404 unless the rule gives another answer.
    pub fn empty(rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        Self::start(Empty, rule)
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests received since the last call.
    pub fn take(&self) -> Vec<Request> {
        self.shared.log.take()
    }
}

struct Empty;

impl Service for Empty {
    fn answer(&self, _request: &Request, _body: &mut Body<'_>) -> io::Result<Answer> {
        Ok(Answer::new(404))
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        *lock(&self.shared.ended) = true;
        self.shared.ending.notify_all();
        // The listener checks whether it must stop only when a connection arrives, so this makes
        // one.
        if TcpStream::connect(self.address).is_ok()
            && let Some(listening) = self.listening.take()
        {
            let _ = listening.join();
        }
        for connection in lock(&self.shared.connections).values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        let panicked = self.shared.panicked.load(Ordering::SeqCst);
        // A second panic would abort the process, and hide the first.
        assert!(
            !panicked || std::thread::panicking(),
            "a rule or a service has panicked: see above"
        );
    }
}

impl Shared {
    /// Waits until the server ends.
    pub(crate) fn wait_for_the_end(&self) {
        let mut ended = lock(&self.ended);
        while !*ended {
            ended = self.ending.wait(ended).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

/// A connection that the server keeps a handle of, so that it can end it.
struct Connected {
    shared: Arc<Shared>,
    number: u64,
}

impl Connected {
    fn new(shared: &Arc<Shared>, client: &TcpStream) -> io::Result<Self> {
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        // Small answers are sent immediately.
        client.set_nodelay(true)?;
        lock(&shared.connections).insert(number, client.try_clone()?);
        Ok(Self { shared: shared.clone(), number })
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // The panic is noted before the client can see that the connection has ended.
        if std::thread::panicking() {
            self.shared.panicked.store(true, Ordering::SeqCst);
        }
        // Without this the other handle would keep the connection open, and a client would wait
        // forever.
        if let Some(connection) = lock(&self.shared.connections).remove(&self.number) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpServer({})", self.address)
    }
}
