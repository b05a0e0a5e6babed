//! The command with other people's servers and programs, which `ci/test` installs.

// The tests in `common` also run with a registry in memory: see `suite`.
#[path = "../common/mod.rs"]
mod common;
use common::*;

mod certificates;
mod collected;
mod doctor;
mod file_kills;
mod files;
mod folders;
mod helm;
mod operations;
mod other_writers;
mod packed;
mod proxy;
mod races;
mod readers;
mod rendering;
mod second_signal;
mod server;
mod tools;
mod warnings;
