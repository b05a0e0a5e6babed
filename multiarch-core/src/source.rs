//! Bytes out of files: nothing is unpacked to disk, and nothing is held whole in memory.
//!
//! One pass over a package (`walk`) lists what is inside; after that, any run of bytes can be
//! read again from the nearest checkpoint (`space`).

mod ahead;
mod gzip;
mod input;
mod kept;
mod open;
mod pieces;
mod room;
mod sniff;
mod space;
mod walk;

pub use open::OpenOptions;
#[cfg(feature = "registry")]
pub(crate) use room::{PIECE, Room};
