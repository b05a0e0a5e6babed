//! SIGINT, SIGTERM and SIGHUP: what is under way is finished or given up, and reported.

use std::io;

use multiarch_core::Cancel;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// Stops the run at a signal, unless whoever started it wants that signal ignored, as `nohup` does.
pub(crate) fn stop(cancel: &Cancel) -> io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !ignored(*signal));
    let (mut signals, cancel) = (Signals::new(heeded)?, cancel.clone());
    let wait = move || signals.forever().for_each(|_| cancel.cancel());
    std::thread::Builder::new().name("multiarch-signals".into()).spawn(wait)?;
    Ok(())
}

/// Which signals are ignored, by the `SigIgn` of `/proc/self/status`: a bit each, the first one's is 1.
fn ignored(status: &str) -> impl Fn(i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        let is_ignored = ignored(status);
        assert!(is_ignored(SIGHUP) && !is_ignored(SIGINT) && !is_ignored(SIGTERM));
        assert!(!ignored("")(SIGHUP));
    }
}
