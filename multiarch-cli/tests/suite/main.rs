//! The command as a whole: arguments, exit codes, signals, files, and a registry in memory. It
//! needs only a Rust toolchain.

// The tests in `common` also run with real servers: see `servers`.
#[path = "../common/account.rs"]
mod account;
#[path = "../common/charts.rs"]
mod charts;
#[path = "../common/desk.rs"]
mod desk;
#[path = "../common/faults.rs"]
mod faults;
#[path = "../common/held_indexes.rs"]
mod held_indexes;
#[path = "../common/installer.rs"]
mod installer;
#[path = "../common/load.rs"]
mod load;
#[path = "../common/museum.rs"]
mod museum;
#[path = "../common/outbound.rs"]
mod outbound;
#[path = "../common/registry.rs"]
mod registry;
#[path = "../common/stage.rs"]
mod stage;
#[path = "../common/states.rs"]
mod states;
#[path = "../common/unpacked.rs"]
mod unpacked;

mod commands;
mod files;
mod packed;
mod server;
mod signals;
mod ways;
