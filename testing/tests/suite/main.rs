//! The registry in memory, used as a client uses it: with bytes on a connection.

mod access;
mod client;
mod faults;
mod lists;
mod manifests;
mod uploads;
