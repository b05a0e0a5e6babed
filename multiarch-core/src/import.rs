//! The entry point of the library: an import and its target.

mod own_address;
mod run;
mod target;

pub use own_address::own_address;
pub use run::Import;
pub use target::Target;
