//! A reader, and where it stands.

use std::io::Read;

/// A reader of one stream, standing at an offset in it.
pub(super) struct Cursor {
    pub(super) at: u64,
    pub(super) reader: Box<dyn Read + Send>,
}
