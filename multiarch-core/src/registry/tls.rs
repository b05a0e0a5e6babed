//! TLS: which servers are trusted, which certificate we show them, and why a connection failed.

mod failure;
mod identity;
mod trust;
mod verifier;

pub(super) use failure::explain;
pub(super) use identity::Identity;
pub(super) use trust::{SystemTrust, Trust, folders};
pub(super) use verifier::Verifier;
