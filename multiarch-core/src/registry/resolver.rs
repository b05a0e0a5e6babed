//! Looks up names of hosts, each on a thread of its own.
//!
//! The runtime's own way panics where the system allows no more threads; this one fails.

use std::{io, net::ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

pub(super) struct Resolver;

/// The name of a host is not known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoSuchHost(io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let host = name.as_str().to_owned();
            std::thread::Builder::new().name("multiarch-dns".into()).spawn(move || {
                // The port is set by the caller.
                let addresses = (host.as_str(), 0).to_socket_addrs();
                let _ = sender.send(addresses.map(Iterator::collect::<Vec<_>>));
            })?;
            let addresses: Addrs = Box::new(receiver.await?.map_err(NoSuchHost)?.into_iter());
            Ok(addresses)
        })
    }
}
