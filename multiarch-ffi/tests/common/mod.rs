//! What both test programs need: with the library that cargo has built, and with the installed one.

#![allow(dead_code, reason = "each of the two uses its part")]

pub(crate) mod program;
pub(crate) mod stage;
