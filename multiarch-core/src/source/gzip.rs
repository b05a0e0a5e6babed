//! gzip with random access: checkpoints taken while it is read for the first time.
//!
//! flate2 cannot stop at a block boundary nor start inside a stream, and both are needed here, so
//! this speaks to zlib-rs itself; the layer that does so is [`inflate`], and nothing else is unsafe.

mod checkpoints;
mod inflate;
mod reader;

pub(super) use checkpoints::{Checkpoints, CurrentFile, MAX_POINTS, SPACING};
pub(super) use reader::Gunzip;
