//! How long a request that failed waits for its next try.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The pause before try `round + 1`, longer each time, and not the same for everybody.
pub(super) fn pause(round: u32) -> Duration {
    let base = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(round - 1)).min(LONGEST_PAUSE);
    let spread = u64::from(std::process::id()).wrapping_mul(2_654_435_761) % 256;
    base + Duration::from_millis(spread)
}
