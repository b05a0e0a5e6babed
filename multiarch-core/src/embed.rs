//! What a host that embeds the library gives and gets, as JSON: the form that the C library, the Go package
//! and `multiarch call` share. A Rust program has [`Import`](crate::Import), which says the same in types.
//!
//! ```
//! use multiarch_core::{Cancel, Meter, embed::{CallOutcome, Request}};
//! # fn main() -> multiarch_core::Result<()> {
//! let request = Request::parse(r#"{"target": "oci:/nonexistent/store"}"#)?;
//! let (meter, cancel) = (Meter::new(), Cancel::new());
//! let outcome: CallOutcome = request.status(&meter, &cancel)?;
//! assert!(outcome.complete && outcome.json.contains("multiarch.status/v1"));
//! # Ok(())
//! # }
//! ```

mod calls;
mod capabilities;
mod events;
mod login;
mod outcome;
mod request;

pub use calls::{Planned, config};
pub use capabilities::capabilities;
pub use events::Events;
pub use outcome::{CallOutcome, error_json};
pub use request::Request;
