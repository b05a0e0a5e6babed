//! A registry in memory, for tests that have a Rust toolchain and nothing else.
//!
//! [`Registry`] speaks the [OCI distribution specification] v1.1.1 over HTTP/1.1 on a free loopback
//! port. It holds real bytes, so a test can put content into it directly, and check what a run has
//! stored. A rule decides for each request whether it fails: see [`Fault`].
//!
//! - [`Registry`] and its [`Setup`]: what it demands, and what it can do
//! - [`Manifest`]: a manifest as it is held
//! - [`Fault`]: what happens to a request
//! - [`Request`] and [`Answer`]: what a client sends, and what the server sends back
//! - [`HttpServer`] and [`Service`]: the HTTP server underneath, for doubles of other services
//!
//! ```
//! use multiarch_testing::{Fault, Registry, Setup};
//!
//! // The third request gets 429, the answer of an overloaded server.
//! let registry = Registry::start(Setup::default(), |request| match request.number {
//!     2 => Fault::answer(429),
//!     _ => Fault::Nothing,
//! });
//! let digest = registry.put_blob("demo/app", b"a blob");
//! assert_eq!(registry.blob("demo/app", &digest).as_deref(), Some(&b"a blob"[..]));
//! assert!(registry.take().is_empty());
//! ```
//!
//! [OCI distribution specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md

mod answer;
mod body;
mod connection;
mod fault;
mod log;
mod registry;
mod request;
mod server;

pub use answer::Answer;
pub use body::Body;
pub use fault::{Change, Fault, Rule};
pub use registry::{Demand, Harbor, Manifest, Project, Registry, Setup, sha256};
pub use request::Request;
pub use server::{HttpServer, Service};
