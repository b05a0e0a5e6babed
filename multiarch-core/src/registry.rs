//! A registry as a target ([OCI distribution]).
//!
//! The store is blocking code, and callers may be async programs. Its requests therefore run on a
//! small runtime of its own, which it reaches through channels.
//!
//! [OCI distribution]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md

mod address;
mod administration;
mod auth;
mod blob;
mod catalog;
mod client;
mod concurrency;
mod connection;
mod connector;
mod credentials;
mod greeting;
mod harbor;
mod manifest;
mod pace;
mod presence;
mod proxy;
mod rate;
mod redirect;
mod refusal;
mod resolver;
mod response;
mod retry;
mod runtime;
mod session;
mod store;
mod throttle;
mod tls;
mod transport;
mod upload;
mod upload_body;
mod upload_failure;
mod upload_state;
mod user_file;

pub(crate) use address::Address;
pub(crate) use connection::{Web, WebAnswer};
pub(crate) use connector::Connector;
pub(crate) use store::Registry;
