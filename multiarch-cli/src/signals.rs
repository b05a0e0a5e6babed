//! SIGINT, SIGTERM and SIGHUP cancel the run, which then still prints its report. A second one ends it at
//! once, whatever it is doing.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use multiarch_core::Cancel;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    iterator::Signals,
    low_level::emulate_default_handler,
};

/// How long a run that has not written anything may take to notice that it is cancelled. It may compute, or
/// wait for a file system that does not answer, and there is nothing that it would have to report.
const GRACE: Duration = Duration::from_millis(700);

/// How far apart two signals are that mean the same.
const TOGETHER: Duration = Duration::from_secs(3);

/// Set before the target is written for the first time.
static WRITES: AtomicBool = AtomicBool::new(false);

/// From here on a run that is cancelled has something to report.
pub(crate) fn writing_begins() {
    WRITES.store(true, Ordering::Relaxed);
}

/// What the run did is known; what is left is to print it.
pub(crate) fn writing_ends() {
    WRITES.store(false, Ordering::Relaxed);
}

/// Who sends signals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A second signal is impatience.
    Person,
    /// A program that called the command. Where a whole unit is stopped, the command gets the signal that its
    /// caller gets, and the caller's; together they are one.
    Program,
}

/// Cancels the run at a signal; `give_up` ends one that has written nothing and does not notice. A signal
/// that was ignored at the start stays ignored, as under `nohup`.
pub(crate) fn stop(
    cancel: &Cancel,
    asks: Asks,
    give_up: impl Fn() + Send + 'static,
) -> io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !ignored(*signal));
    let (heeded, cancel): (Vec<i32>, _) = (heeded.collect(), cancel.clone());
    // The signals are taken over only once there is a thread that answers them.
    let (taken, is_taken) = mpsc::channel();
    let wait = move || match Signals::new(heeded) {
        Ok(mut signals) => {
            let _ = taken.send(Ok(()));
            let mut signals = signals.forever();
            let _ = signals.next();
            let first = Instant::now();
            cancel.cancel();
            let _ = std::thread::Builder::new().spawn(move || {
                std::thread::sleep(GRACE);
                if !WRITES.load(Ordering::Relaxed) {
                    give_up();
                }
            });
            for signal in signals {
                if asks == Asks::Person || first.elapsed() > TOGETHER {
                    let _ = emulate_default_handler(signal);
                }
            }
        }
        Err(error) => {
            let _ = taken.send(Err(error));
        }
    };
    std::thread::Builder::new().name("multiarch-signals".into()).spawn(wait)?;
    is_taken.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended")))
}

/// Makes a file that grows beyond the limit of `ulimit -f` an error of the write, and not the end of the
/// process. (A closed pipe is one already.)
pub(crate) fn survive_file_limit() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}

/// Which signals are ignored, from `SigIgn` in `/proc/self/status`: a hex mask, bit n - 1 for signal n.
fn ignored(status: &str) -> impl Fn(i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    move |signal| mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        let is_ignored = ignored(status);
        assert!(is_ignored(SIGHUP) && !is_ignored(SIGINT) && !is_ignored(SIGTERM));
        assert!(!ignored("")(SIGHUP));
    }
}
