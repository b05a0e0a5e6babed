//! Bytes out of files: nothing is unpacked to disk, and nothing is held whole in memory.
//!
//! One pass over a package ([`walk`]) lists what is inside; after that, any bytes of it can be read
//! again from the nearest checkpoint ([`streams`]).

mod blob_buffers;
mod cursor;
mod decoder_queue;
mod gzip;
mod index_cache;
mod input;
mod open;
mod options;
mod read;
mod read_ahead;
mod sniff;
mod streams;
mod walk;

pub use options::OpenOptions;
