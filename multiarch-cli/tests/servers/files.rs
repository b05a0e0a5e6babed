//! Which files are read and written, as strace shows.

use std::{fs, process::Command};

use crate::{desk::Desk, tools::succeed};

#[test]
fn only_the_target_is_written() {
    let desk = Desk::new();
    let trace = desk.path().join("trace");
    for verb in ["inspect", "plan", "import", "status"] {
        let mut command = Command::new("strace");
        command.env("XDG_CACHE_HOME", desk.path().join("cache"));
        command.env("XDG_STATE_HOME", desk.path().join("state"));
        command.args(["-f", "-e", "trace=open,openat,creat,rename,renameat2,mkdir,unlink"]);
        command.arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_multiarch")).arg(verb);
        if verb != "status" {
            command.args([desk.package("amd64"), desk.package("arm64")]);
        }
        if verb != "inspect" {
            command.args(["--to", &desk.target()]);
        }
        succeed(&mut command);
        let trace = std::fs::read_to_string(&trace).expect("a trace");
        let mut written = 0;
        for line in trace.lines().filter(|line| !line.contains("ENOENT")) {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "creat(", "rename", "mkdir(", "unlink("];
            if writes.iter().any(|word| line.contains(word)) {
                let own = line.contains(&desk.store().display().to_string());
                let cache = line.contains(&desk.path().join("cache").display().to_string());
                let state = line.contains(&desk.path().join("state").display().to_string());
                let is_known = own || cache || (state && verb == "import");
                assert!(is_known || line.contains("\"/dev/"), "{verb}: {line}");
                written += usize::from(own);
            }
        }
        assert_eq!(written > 0, verb == "import", "{verb}: {trace}");
    }
}

#[test]
fn a_kept_index_saves_reading_the_package() {
    let desk = Desk::new();
    let (package, cache) = (desk.large_archive(1), desk.path().join("cache"));
    let bytes_read = || -> u64 {
        let trace = desk.path().join("reads");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-e", "trace=pread64", "-o"]).arg(&trace);
        command.arg(env!("CARGO_BIN_EXE_multiarch")).args(["inspect", &package, "-q"]);
        succeed(command.env("XDG_CACHE_HOME", &cache));
        let trace = fs::read_to_string(&trace).expect("a trace");
        let reads = trace.lines().filter(|line| line.contains("large.tar.gz"));
        reads.filter_map(|line| line.rsplit_once("= ")?.1.parse::<u64>().ok()).sum()
    };
    let size = fs::metadata(&package).expect("there").len();
    assert!(bytes_read() >= size, "the first run reads all of it");
    assert!(bytes_read() < size / 4, "the second looks at parts");
}
