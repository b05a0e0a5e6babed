//! Reads packages: nothing is unpacked to disk, and no large file is held whole in memory.
//!
//! One pass over a package ([`walk`]) makes its listing; after that, any bytes of it can be read
//! again from the nearest checkpoint ([`streams`]).

mod blob_buffers;
mod decoder;
mod decoder_queue;
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gzip;
mod image_check;
mod index_cache;
mod input;
mod lock;
mod open;
mod options;
mod programs;
mod read;
mod read_ahead;
mod regular;
mod section;
mod sniff;
mod sparse;
mod streams;
pub(crate) mod temporary;
mod walk;

pub(crate) use lock::wait_for_lock;
pub use options::OpenOptions;
pub(crate) use programs::layer_architecture;
#[cfg(feature = "registry")]
pub(crate) use regular::read_within;
pub(crate) use regular::{open_regular, read_regular};
