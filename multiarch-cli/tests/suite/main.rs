//! The command as a whole: words, exit codes, other readers, signals, files, registries.

mod charts;
mod commands;
mod desk;
mod faults;
mod files;
mod held_indexes;
mod installer;
mod load;
mod museum;
mod outbound;
mod proxy;
mod readers;
mod registry;
mod servers;
mod signals;
mod stage;
mod states;
