//! Faults on demand, for tests: `"fault": "panic"`, or a kind of error.

use multiarch_core::{Error, ErrorKind};
use serde_json::Value;

use crate::failure::Failure;

/// Does what the options' member `fault` says.
pub(crate) fn act(options: &str) -> Result<(), Failure> {
    let options: Value = serde_json::from_str(options).unwrap_or_default();
    match options["fault"].as_str() {
        None => Ok(()),
        Some("panic") => panic!("on purpose"),
        Some("panic-in-a-worker") => std::thread::scope(|scope| {
            let worker = scope.spawn(|| panic!("on purpose, in a worker"));
            worker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload))
        }),
        Some(kind) => {
            let kind: ErrorKind = serde_json::from_value(kind.into()).unwrap_or(ErrorKind::Usage);
            Err(Error::new(kind, "on purpose").into())
        }
    }
}
