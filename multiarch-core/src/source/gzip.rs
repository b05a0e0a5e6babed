//! gzip with random access: checkpoints are taken while a stream is read for the first time.
//!
//! flate2 can neither stop at a block boundary nor start inside a stream, and both are needed here.
//! So [`inflate`] calls zlib-rs directly; it is the only unsafe code.

mod checkpoints;
mod inflate;
mod reader;

pub(super) use checkpoints::{Checkpoints, CurrentFile, MAX_POINTS, SPACING};
pub(super) use reader::Gunzip;
