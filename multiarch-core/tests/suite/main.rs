//! The integration tests: one binary, so that it is linked once. `images` makes documents,
//! everything else is a subject.

mod fuse_algebra;
mod fuse_table;
mod images;
