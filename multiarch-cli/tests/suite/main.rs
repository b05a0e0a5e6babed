//! The command as a whole: arguments, exit codes, signals, files, and a registry in memory. It
//! needs only a Rust toolchain.

// The tests in `common` also run with real servers: see `servers`.
#[path = "../common/mod.rs"]
mod common;
use common::*;

mod base_package;
mod commands;
mod files;
mod harbor;
mod logins;
mod lying_servers;
mod museums;
mod operator;
mod packed;
mod refusals;
mod resources;
mod rollback;
mod secrets;
mod selection;
mod server;
mod signals;
mod unnamed;
mod untrusted_names;
mod ways;
