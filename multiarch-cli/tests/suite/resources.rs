//! The limits of a container: threads, open files, the size of files.

use std::process::Command;

use crate::{
    desk::{Desk, PROGRAM, Run},
    server::{Kind, Server},
};

/// Runs the command with a limit of `ulimit`.
fn limited(limit: &str, words: &[&str]) -> Run {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    limited.arg(PROGRAM).args(words).env("XDG_CACHE_HOME", "/dev/null");
    Run::of(&mut limited)
}

#[test]
fn few_open_files() {
    for files in [32, 24] {
        let (desk, server) = (Desk::new(), Server::start(Kind::V3));
        let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
        let limit = format!("-n {files}");
        let run = limited(&limit, &["import", "-q", &amd64, &arm64, "--to", &server.target()]);
        assert_eq!(run.code, Some(0), "{files}: {}", run.err);
        server.validate("demo/web:v1.2.0");
    }
}

/// A file that grows beyond the limit is an error, and the target holds what it held.
#[test]
fn small_files() {
    let desk = Desk::new();
    let large = desk.large_archive(1);
    // Blocks of 512 bytes, so that 1 MiB is allowed.
    let run = limited("-f 2048", &["import", "-q", &large, "--to", &desk.target()]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("File too large"), "{}", run.err);
    let run = desk.run(&["import", "-q", &large, "--to", &desk.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
}
