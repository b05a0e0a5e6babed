//! A reader that can go on where the last one stopped.

use std::io::Read;

/// A reader of one stream, and its offset `at` in the stream.
pub(super) struct Decoder {
    pub(super) at: u64,
    pub(super) reader: Box<dyn Read + Send>,
}
