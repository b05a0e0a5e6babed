//! Secrets are in no output, no plan, no file, and no command line.

use std::{fs, path::Path};

use multiarch_testing::{Answer, Fault};

use crate::{
    account::SOMEONE,
    desk::{Desk, Run, multiarch},
    server::{Kind, Server},
};

const TOKEN: &str = "token-that-is-secret";

/// Everything that a run prints, and every file below its folder but those that the test wrote.
fn traces(run: &Run, folder: &Path, own: &[&str]) -> String {
    let mut text = format!("{}{}", run.out, run.err);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            match path.is_dir() {
                true => folders.push(path),
                false if own.contains(&name.as_str()) => {}
                false => text.push_str(&String::from_utf8_lossy(&fs::read(path).expect("read"))),
            }
        }
    }
    text
}

#[test]
fn nothing_that_is_written_holds_a_secret() {
    // Each fault makes the command print another part of what it knows.
    type Rule = fn(&multiarch_testing::Request) -> Fault;
    let faults: [(&str, Rule); 4] = [
        ("none", |_| Fault::Nothing),
        ("writes", |request| if request.reads() { Fault::Nothing } else { Fault::answer(403) }),
        ("tokens", |request| match request.local_path() {
            "/token" => Fault::Answer(Answer::new(200).body(format!("{{\"token\": {TOKEN}"))),
            _ => Fault::Nothing,
        }),
        ("login", |_| Fault::answer(401)),
    ];
    for (name, fault) in faults {
        for token in [false, true] {
            let setup = multiarch_testing::Setup::default().user(SOMEONE.name, SOMEONE.password);
            let setup = if token { setup.tokens(1000) } else { setup };
            let server = Server::set_up(setup, fault);
            let desk = Desk::new();
            let amd64 = desk.package("amd64");
            for verb in ["plan", "import", "status"] {
                let mut command = multiarch();
                command.args([
                    verb,
                    &amd64,
                    "--to",
                    &server.target(),
                    "--json",
                    "--progress",
                    "json",
                ]);
                command.env("MULTIARCH_USERNAME", SOMEONE.name);
                command.env("MULTIARCH_PASSWORD", SOMEONE.password);
                command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
                if verb == "plan" {
                    command.args(["-o", &desk.path().join("plan.json").display().to_string()]);
                }
                let run = Run::of(&mut command);
                let text = traces(&run, desk.path(), &[]);
                for secret in [SOMEONE.password, TOKEN, "c29tZW9uZTpzM2NyM3Q6d2l0aC9jb2xvbg=="] {
                    assert!(!text.contains(secret), "{name} {verb}: {secret}\n{}", run.err);
                }
            }
        }
    }
}

/// The password of an address is refused, and not repeated.
#[test]
fn addresses_with_passwords() {
    let (desk, server) = (Desk::new(), Server::start(Kind::V3));
    let amd64 = desk.package("amd64");
    for (option, address) in [
        ("--to", format!("docker://me:hunter2@{}", server.address)),
        ("--charts-to", format!("http://me:hunter2@{}", server.address)),
    ] {
        let target = server.target();
        let mut words = vec!["import", amd64.as_str(), option, address.as_str()];
        if option != "--to" {
            words.extend(["--to", target.as_str()]);
        }
        let run = desk.run(&words);
        assert_eq!(run.code, Some(2), "{}", run.err);
        assert!(!format!("{}{}", run.out, run.err).contains("hunter2"), "{}", run.err);
    }
    assert!(server.take().is_empty());
}
