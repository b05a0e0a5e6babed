//! Looks up names of hosts, each on a thread of its own.
//!
//! The runtime's own way panics where the system allows no more threads; this one fails.

use std::{io, net::ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use crate::run::Cancel;

pub(super) struct Resolver(pub(super) Cancel);

/// The name of a host is not known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoSuchHost(io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let run = self.0.clone();
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let host = name.as_str().to_owned();
            run.spawn("multiarch-dns", move || {
                // The port is set by the caller.
                let addresses = (host.as_str(), 0).to_socket_addrs();
                let _ = sender.send(addresses.map(Iterator::collect::<Vec<_>>));
            })?;
            let addresses: Addrs = Box::new(receiver.await?.map_err(NoSuchHost)?.into_iter());
            Ok(addresses)
        })
    }
}
