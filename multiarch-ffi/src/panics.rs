//! Panics become errors, and print nothing.
//!
//! The standard library prints a panic to standard error, which belongs to the program. What it would
//! print is kept here until the call that panicked reports it; no caller ever sees this state. The hook
//! is that of the library's own copy of the standard library, and not a Rust program's.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, Once, PoisonError},
};

use crate::failure::Failure;

/// What panicked last, and where. Two calls that panic at one time may report each other's text.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs `body`; a panic in it, or in a thread that it joined, is a failure.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    quieten();
    // What a panic leaves half done is dropped, or stays with the target, which plans are made from anew.
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(failure(&*payload)))
}

/// The failure of a panic.
pub(crate) fn failure(payload: &(dyn Any + Send)) -> Failure {
    let said = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let said = said.or_else(|| Some(text?.to_owned()));
    Failure::of_library(&format!(
        "a fault of the library: {}",
        said.as_deref().unwrap_or("it panicked without a message")
    ))
}

/// Keeps what panics say. The unit tests' own panics are printed.
fn quieten() {
    static ONCE: Once = Once::new();
    if cfg!(test) {
        return;
    }
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let said = info.to_string();
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::MULTIARCH_ERROR_PANIC;

    #[test]
    fn a_panic_is_a_failure_with_its_text() {
        for body in [
            || -> Result<(), Failure> { panic!("seven is {}", 7) },
            || -> Result<(), Failure> { panic!("seven is 7") },
        ] {
            let failure = caught(body).expect_err("it panics");
            assert_eq!(failure.code, MULTIARCH_ERROR_PANIC);
            let json: serde_json::Value =
                serde_json::from_slice(failure.json.as_bytes()).expect("JSON");
            assert_eq!(json["error"]["message"], "a fault of the library: seven is 7");
        }
    }
}
