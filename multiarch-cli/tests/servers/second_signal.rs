//! A second signal ends the command at once, also where a file operation does not come back. `strace` makes
//! it hang.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::desk::{Desk, PROGRAM};

/// The process that strace has started.
fn traced(strace: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).ok()?;
    let pid = children.split_whitespace().next()?.parse().ok()?;
    Pid::from_raw(pid)
}

/// Sends signals to an import whose every flush takes a minute. Returns the time until the last one ended it;
/// `None` if it did not.
fn ended_by(signals: &[Signal]) -> Option<Duration> {
    let desk = Desk::new();
    let trace = desk.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=60000000", "-o"]);
    // What runs the tests may ignore signals.
    command.arg(&trace).args(["/usr/bin/env", "--default-signal=INT,TERM,HUP", PROGRAM]);
    command.args([
        "import",
        "-q",
        "--no-cache",
        "--no-snapshot",
        &desk.package("amd64"),
        "--to",
        &desk.target(),
    ]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut strace = command.spawn().expect("strace runs; `ci/test` installs it");
    // It has written a blob's content once it flushes it.
    let blobs = desk.store().join("blobs");
    let begun = Instant::now();
    let hangs = || {
        let trace = fs::read_to_string(&trace).unwrap_or_default();
        blobs.exists() && trace.contains("fsync(")
    };
    while !hangs() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never flushes");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = traced(strace.id()).expect("it runs");
    for (number, signal) in signals.iter().enumerate() {
        if number > 0 {
            std::thread::sleep(Duration::from_millis(300));
        }
        kill_process(pid, *signal).expect("it runs");
    }
    let at = Instant::now();
    let is_there = || fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    let ended = loop {
        match is_there() {
            Ok(status) if !status.contains("State:\tZ") => {}
            _ => break Some(at.elapsed()),
        }
        if at.elapsed() > Duration::from_secs(3) {
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let _ = kill_process(pid, Signal::KILL);
    let _ = strace.kill();
    let _ = strace.wait();
    ended
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for second in [Signal::INT, Signal::TERM] {
        let ended = ended_by(&[Signal::INT, second]).expect("it ends");
        assert!(ended < Duration::from_secs(1), "{ended:?}");
    }
    assert_eq!(ended_by(&[Signal::INT]), None, "the first one lets it write its report");
}
