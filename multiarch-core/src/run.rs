//! What every module may use during a run: cancel, progress, workers, buffers. No I/O.

pub(crate) mod backoff;
pub(crate) mod buffers;
mod cancel;
mod context;
mod meter;
mod progress;
pub(crate) mod workers;

pub(crate) use buffers::BufferPermit;
pub(crate) use buffers::{BUFFER_SIZE, Buffer, BufferPool, BufferReader, BufferSource};
pub(crate) use cancel::CHECK_INTERVAL;
pub use cancel::Cancel;
pub(crate) use context::Context;
pub use meter::Meter;
pub use progress::{Phase, Progress};
