//! The entry point of the library: an import and its target.

#[cfg(feature = "async")]
mod background;
mod builder;
mod doctor;
mod own_address;
mod preflight;
mod rollback;
mod run;
mod target;

pub use builder::Import;
pub use own_address::own_address;
pub use target::Target;
