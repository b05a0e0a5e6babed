//! Tests that run with a registry in memory (`suite`) and with real servers (`servers`), and what they
//! need. Each binary brings its own `server` and `packed`.

pub(crate) mod account;
pub(crate) mod charts;
pub(crate) mod desk;
pub(crate) mod faults;
pub(crate) mod held_indexes;
pub(crate) mod installer;
pub(crate) mod load;
pub(crate) mod museum;
pub(crate) mod outbound;
pub(crate) mod registry;
pub(crate) mod stage;
pub(crate) mod states;
pub(crate) mod unpacked;
