//! The command with other people's servers and programs, which `ci/test` installs.

// The tests in `common` also run with a registry in memory: see `suite`.
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

mod certificates;
mod files;
mod helm;
mod other_writers;
mod packed;
mod proxy;
mod readers;
mod server;
mod tools;
