//! Which files are opened for writing, told by strace.

use crate::desk::{Desk, succeed};

#[test]
fn only_the_target_is_written() {
    let desk = Desk::new();
    let trace = desk.path().join("trace");
    for verb in ["inspect", "plan", "import", "status"] {
        let mut command = std::process::Command::new("strace");
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
                assert!(own || line.contains("\"/dev/"), "{verb}: {line}");
                written += usize::from(own);
            }
        }
        assert_eq!(written > 0, verb == "import", "{verb}: {trace}");
    }
}
