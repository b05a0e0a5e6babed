//! The front door: what a user of the library meets.

mod own_address;
mod run;
mod target;

pub use own_address::own_address;
pub use run::Import;
pub use target::Target;
