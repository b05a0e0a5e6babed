//! The library's documents are the command's, to the byte. `MULTIARCH_COMMAND` names the command.

use std::process::Command;

use serde_json::{Value, json};

use crate::common::{program::Program, stage::Stage};

/// A document without how much room the disk has, which other programs use too while the test runs.
fn without_space(document: &str) -> String {
    let line = |line| if str::contains(line, "B needed, ") { "\"says\": \"\"" } else { line };
    document.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What the command prints, and its exit code.
fn printed(words: &[&str]) -> (Option<i32>, String) {
    let command = std::env::var("MULTIARCH_COMMAND").expect("MULTIARCH_COMMAND names the command");
    let mut command = Command::new(command);
    // A snapshot, which the library keeps nowhere, would be in the report.
    let words = command.args(words).args(["--json", "-q"]);
    let ran = words.env("HOME", "/nonexistent").env("XDG_STATE_HOME", "none").output();
    let ran = ran.expect("the command runs");
    (ran.status.code(), without_space(&String::from_utf8(ran.stdout).expect("UTF-8")))
}

/// What the library gives, with the command's exit code.
fn given(function: &str, options: &Value, more: &[&str]) -> (Option<i32>, String) {
    let options = options.to_string();
    let ran = Program::new("call").run(&[&[function, &options], more].concat());
    assert_eq!(ran.stderr, "");
    (ran.code, without_space(&ran.stdout))
}

#[test]
fn results_and_errors_are_those_of_the_command() {
    let stage = Stage::new();
    let options = stage.layout_options();
    let text = |member: &str| options[member].as_str().expect("a text").to_owned();
    let (target, charts, packages) = (text("target"), text("charts_to"), stage.packages());
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let work =
        ["--to", &target, "--charts-to", &charts, "--registry", "registry.example.com/platform"];
    let words = |verb: &'static str, more: &[&'static str]| {
        let all = [&[verb][..], &packages, &work, &["--no-cache"], more].concat();
        printed(&all)
    };
    let inspected = printed(&[&["inspect"][..], &packages, &["--no-cache"]].concat());
    assert_eq!(given("inspect", &options, &[]), inspected);

    let planned = words("plan", &[]);
    assert_eq!(given("plan", &options, &[]), planned);
    let saved = stage.path("plan.json");
    std::fs::write(&saved, &planned.1).expect("written");

    // One target each, since the second import would find what the first one wrote.
    let applied = printed(&["apply", saved.to_str().expect("UTF-8"), "--no-cache"]);
    assert_eq!(applied.0, Some(0));
    std::fs::remove_dir_all(stage.path("store")).expect("removed");
    std::fs::remove_dir_all(stage.path("charts")).expect("removed");
    assert_eq!(given("apply", &json!({}), &[&planned.1]), applied);
    std::fs::remove_dir_all(stage.path("store")).expect("removed");
    std::fs::remove_dir_all(stage.path("charts")).expect("removed");
    assert_eq!(given("import", &options, &[]), applied);
    assert_eq!(given("import", &options, &[]), words("import", &[]));
    assert_eq!(given("plan", &options, &[]), words("plan", &[]));
    assert_eq!(given("verify", &options, &[]), words("plan", &["--verify"]));
    assert_eq!(given("status", &options, &[]), words("status", &[]));

    // A part that cannot be read: a result that is not complete.
    std::fs::write(packages[1], &std::fs::read(packages[1]).expect("read")[..1000]).expect("cut");
    let incomplete = words("plan", &[]);
    assert_eq!(incomplete.0, Some(1));
    assert_eq!(given("plan", &options, &[]), incomplete);

    // Errors: the same document, with the code of its kind.
    for (target, code) in [("ftp://a", 10), ("http://127.0.0.1:1", 33)] {
        let mut options = options.clone();
        (options["target"], options["charts_to"]) = (json!(target), json!([]));
        let (_, error) = printed(&["status", "--to", target]);
        options["packages"] = json!([]);
        options["options"] = json!({});
        assert_eq!(given("status", &options, &[]), (Some(code), error));
    }
}
