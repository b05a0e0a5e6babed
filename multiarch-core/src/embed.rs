//! What a host that embeds the library gives and gets, as JSON: the form that the C library, the Go package
//! and `multiarch call` share. A Rust program has [`Import`](crate::Import), which says the same in types.
//!
//! ```
//! use multiarch_core::{Cancel, Meter, embed::{Answer, Request}};
//! # fn main() -> multiarch_core::Result<()> {
//! let request = Request::parse(r#"{"target": "oci:/nonexistent/store"}"#)?;
//! let (meter, cancel) = (Meter::new(), Cancel::new());
//! let answer: Answer = request.status(&meter, &cancel)?;
//! assert!(answer.complete && answer.json.contains("multiarch.status/v1"));
//! # Ok(())
//! # }
//! ```

mod answer;
mod calls;
mod capabilities;
mod events;
mod login;
mod request;

pub use answer::{Answer, error_json};
pub use calls::{Planned, config};
pub use capabilities::capabilities;
pub use events::Events;
pub use request::Request;
