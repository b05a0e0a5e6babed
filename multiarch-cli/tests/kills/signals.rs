//! A signal ends the command within a second, whatever it is doing, and it says what was done.

use std::{
    any::Any,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{phases::PHASES, place::Place};

const LIMIT: Duration = Duration::from_secs(1);

/// A command in the middle of something.
pub(crate) struct Phase {
    place: Place,
    command: Command,
    /// Returns when it is there.
    begun: Box<dyn FnOnce()>,
    /// What it waits for.
    kept: Vec<Box<dyn Any>>,
}

impl Phase {
    pub(crate) fn new(place: Place, command: Command, begun: impl FnOnce() + 'static) -> Self {
        Self { place, command, begun: Box::new(begun), kept: Vec::new() }
    }

    pub(crate) fn with(mut self, kept: impl Any) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    /// Sends a signal once the phase has begun. Returns the time until the end, and what is wrong.
    fn end(mut self, name: &str, signal: Signal) -> (Duration, Vec<String>) {
        self.command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("runs");
        (self.begun)();
        assert!(child.try_wait().expect("waits").is_none(), "{name}: it has ended before");
        let at = Instant::now();
        kill_process(Pid::from_child(&child), signal).expect("it has not been waited for");
        while at.elapsed() < 3 * LIMIT && child.try_wait().expect("waits").is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let took = at.elapsed();
        let _ = child.kill();
        let output = child.wait_with_output().expect("ends");
        if took > LIMIT {
            return (took, vec![format!("{name}: it has not ended {took:.1?} after {signal:?}")]);
        }
        let err = String::from_utf8_lossy(&output.stderr);
        let mut wrong = Vec::new();
        if output.status.code() != Some(1) {
            wrong.push(format!("{name}: it ends with {:?}: {err}", output.status));
        } else if !err.contains("the same command") {
            wrong.push(format!("{name}: it does not say what continues: {err:?}"));
        }
        // Before anything is done there is no report, but the error that says so.
        let says =
            |report: Value| report["cancelled"] == true || report["error"]["kind"] == "cancelled";
        if !serde_json::from_slice(&output.stdout).is_ok_and(says) {
            wrong.push(format!("{name}: the output does not say that it was stopped"));
        }
        let rubbish = self.place.rubbish();
        if !rubbish.is_empty() {
            wrong.push(format!("{name}: left over: {rubbish:?}"));
        }
        (took, wrong)
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what the test is run for")]
fn a_signal_ends_every_phase_within_a_second() {
    let signals = [Signal::INT, Signal::TERM, Signal::HUP];
    let (mut took, mut wrong) = (Vec::new(), Vec::new());
    for (number, (name, begin)) in PHASES.into_iter().enumerate() {
        for signal in signals.into_iter().cycle().skip(number % 3).take(3).step_by(crate::step(3)) {
            // On a machine that is busy with other things a second may pass without anything done.
            let mut ended = begin().end(name, signal);
            for _ in 1..3 {
                if !ended.1.is_empty() {
                    ended = begin().end(name, signal);
                }
            }
            wrong.extend(ended.1);
            took.push((ended.0, name));
        }
    }
    took.sort();
    println!(
        "\nsignals: {} sent in {} phases; the slowest end: {:.1?}; {} wrong",
        took.len(),
        PHASES.len(),
        took.last().expect("there are phases"),
        wrong.len(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
