//! The registry in memory, asked as a client asks it: with bytes on a connection.

mod access;
mod client;
mod faults;
mod lists;
mod manifests;
mod uploads;
