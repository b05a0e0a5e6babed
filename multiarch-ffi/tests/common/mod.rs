//! What both test programs need: with the library that cargo has built, and with the installed one.

pub(crate) mod program;
pub(crate) mod stage;
