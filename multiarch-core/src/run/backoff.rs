//! How long to wait after a failure before the next attempt.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The pause after failure number `round`, counted from 1. It doubles each time, up to 8 s. A jitter
/// of up to 255 ms, which depends on the process number, keeps processes from retrying in step.
pub(crate) fn pause(round: u32, process: u32) -> Duration {
    let base = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(round - 1)).min(LONGEST_PAUSE);
    let jitter = u64::from(process).wrapping_mul(2_654_435_761) % 256;
    base + Duration::from_millis(jitter)
}
