//! The command as a whole: words, exit codes, other readers, signals, files.

mod commands;
mod desk;
mod files;
mod readers;
mod signals;
