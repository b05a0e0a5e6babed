//! The same work through the command, C, Go with cgo, and Go with the command: equal tags, digests and
//! documents, and equal errors. `ci/test-go` builds the programs, and names them.
#![allow(clippy::print_stderr, reason = "the number is quoted")]

#[path = "../common/mod.rs"]
mod common;

use std::{collections::BTreeSet, process::Command};

use common::{program::Program, stage::Stage};
use multiarch_generator::{Entry, Image, gzip, images_tar, tar};
use multiarch_testing::{Fault, Registry, Request, Setup};
use serde_json::{Value, json};

/// A way to call a function: its name, and what gives the document.
type Way<'a> = (&'a str, Box<dyn Fn(&str, &Value, &str) -> Value + 'a>);

fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is set by ci/test-go"))
}

/// The document that a program prints.
fn document(mut command: Command) -> Value {
    // A snapshot, which only the command keeps, would be in its report.
    let command = command.env("HOME", "/nonexistent").env("XDG_STATE_HOME", "none");
    let ran = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?} {said}"))
}

fn ways(c: &Program) -> Vec<Way<'_>> {
    let go = |variable: &'static str| {
        let path = named(variable);
        Box::new(move |function: &str, options: &Value, plan: &str| {
            let mut command = Command::new(&path);
            command.args([function, &options.to_string(), plan]);
            document(command)
        })
    };
    vec![
        ("the command", Box::new(command)),
        (
            "C",
            Box::new(|function, options, plan| {
                let ran = match function {
                    "apply" => c.run(&[function, &options.to_string(), plan]),
                    _ => c.run(&[function, &options.to_string()]),
                };
                serde_json::from_str(&ran.stdout).expect("JSON")
            }),
        ),
        ("Go with cgo", go("MULTIARCH_GO_LIBRARY")),
        ("Go with the command", go("MULTIARCH_GO_COMMAND")),
    ]
}

/// The verbs of the command, with the options as flags and files, as a person gives them.
fn command(function: &str, options: &Value, plan: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(named("MULTIARCH_COMMAND"));
    let verb = if function == "verify" { "plan" } else { function };
    command.arg(verb).args(["--json", "-q", "--no-cache"]);
    let packages = options["packages"].as_array().into_iter().flatten();
    let target = options["target"].as_str().unwrap_or_default();
    match function {
        "inspect" => {}
        "apply" => {
            std::fs::write(folder.path().join("plan.json"), plan).expect("written");
            command.arg(folder.path().join("plan.json"));
        }
        _ => {
            command.args(["--to", target]);
            if function == "verify" {
                command.arg("--verify");
            }
            if let Some(mode) = options["options"]["names"]["mode"].as_str() {
                command.args(["--names", mode]);
            }
        }
    }
    for file in options["options"]["ca-files"].as_array().into_iter().flatten() {
        command.arg("--ca").arg(file.as_str().expect("a path"));
    }
    if function != "apply" {
        command.args(packages.map(|path| path.as_str().expect("a path")));
    }
    if let Some(login) = options["credentials"].as_object() {
        command.env("MULTIARCH_USERNAME", login["username"].as_str().expect("a user"));
        command.env("MULTIARCH_PASSWORD", login["password"].as_str().expect("a password"));
    }
    let mut found = document(command);
    // A plan in a file has a path, and one in memory has none.
    if let Some(Value::Object(error)) = found.get_mut("error").filter(|_| function == "apply") {
        error.remove("path");
    }
    found
}

/// What a document has that differs from run to run is the address; and an error says where a login came from.
fn without_address(document: &Value, address: &str) -> String {
    let login = "of MULTIARCH_USERNAME and MULTIARCH_PASSWORD";
    format!("{document:#}").replace(address, "ADDRESS").replace(login, "of the configuration")
}

/// Every tag and its digest.
fn tags(registry: &Registry) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for repository in registry.repositories() {
        for tag in registry.tags(&repository) {
            let held = registry.manifest(&repository, &tag).expect("a manifest");
            all.push((repository.clone(), tag, multiarch_testing::sha256(&held.bytes)));
        }
    }
    all
}

#[test]
fn four_ways_give_the_same() {
    let (stage, c) = (Stage::new(), Program::new("call"));
    let packages = stage.packages();
    let mut first = None;
    for (name, call) in ways(&c) {
        let registry = Registry::new();
        let address = registry.address();
        let mut options = stage.registry_options(&address);
        options["packages"] = json!([packages[0]]);
        let mut said = vec![call("inspect", &options, ""), call("plan", &options, "")];
        said.push(call("import", &options, ""));
        // The second architecture by way of a saved plan.
        options["packages"] = json!([packages[1]]);
        let plan = call("plan", &options, "");
        let bare = json!({"credentials": "none"});
        said.push(call("apply", &bare, &plan.to_string()));
        said.extend([
            plan,
            call("verify", &options, ""),
            call("status", &json!({"target": format!("http://{address}")}), ""),
        ]);
        let said: Vec<_> = said.iter().map(|one| without_address(one, &address)).collect();
        let found = (said, tags(&registry));
        assert!(!found.1.is_empty());
        let (expected, their) = first.get_or_insert_with(|| found.clone());
        for (one, other) in found.0.iter().zip(expected) {
            assert_eq!(one, other, "{name}");
        }
        assert_eq!(&found.1, their, "{name}");
    }
}

#[test]
fn the_installer_in_miniature() {
    let (stage, c) = (Stage::new(), Program::new("call"));
    let (by_call, by_installer) = (Registry::new(), Registry::new());
    let packages = stage.packages();
    let ran = c.run(&["import", &stage.registry_options(&by_call.address()).to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");

    let config = stage.path("clusterConfig.yaml");
    let address = by_installer.address();
    let text = format!(
        "spec:\n  addonPackage: {{path: [{}]}}\n  imagesAndCharts:\n    type: external\n    externalImageRepo: http://{address}\n",
        packages[0]
    );
    std::fs::write(&config, text).expect("written");
    let installer = |words: &[&str]| {
        let ran = Command::new(named("MULTIARCH_GO_INSTALLER"))
            .args(words)
            .arg("-c")
            .arg(&config)
            .env("HOME", stage.path("home"))
            .env_remove("XDG_CACHE_HOME")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned(), said)
    };
    let (code, out, said) = installer(&["cluster-create", "-m", "manifest.yaml", "-d", "-j13"]);
    assert!(code == Some(0) && out.contains("tags written"), "{out}{said}");
    assert!(said.contains(&format!("images go to http://{address}")), "{said}");
    assert_ne!(tags(&by_installer), tags(&by_call));
    let (code, out, said) = installer(&["import-addon", "--addon-path", &packages[1]]);
    assert!(code == Some(0), "{out}{said}");
    assert_eq!(tags(&by_installer), tags(&by_call));

    std::fs::write(&packages[1], b"no package").expect("written");
    let (code, out, said) = installer(&["import-addon", "--addon-path", &packages[1]]);
    assert!(code == Some(1) && said.contains("Error: multiarch: "), "{out}{said}");
}

/// A failure: its function, options on top of the usual ones, and what the registry does.
struct Failure {
    function: &'static str,
    options: Value,
    plan: &'static str,
    setup: fn() -> Setup,
    rule: fn(&Request) -> Fault,
}

impl Failure {
    fn new(function: &'static str, options: Value) -> Self {
        Self { function, options, plan: "", setup: Setup::default, rule: |_| Fault::Nothing }
    }
}

fn kinds(document: &Value, found: &mut BTreeSet<String>) {
    match document {
        Value::Object(members) => {
            if let (Some(Value::String(kind)), true) =
                (members.get("kind"), members.contains_key("message"))
            {
                found.insert(kind.clone());
            }
            members.values().for_each(|value| kinds(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| kinds(item, found)),
        _ => {}
    }
}

#[test]
fn four_ways_fail_the_same() {
    let (stage, c) = (Stage::new(), Program::new("call"));
    let packages = stage.packages();
    let file = |name: &str, bytes: &[u8]| {
        let path = stage.path(name);
        std::fs::write(&path, bytes).expect("written");
        path.display().to_string()
    };
    let bytes = std::fs::read(&packages[0]).expect("a package");
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0x55);
    let text = file("text.tar.gz", b"no package");
    let cut = file("cut.tar.gz", &bytes[..bytes.len() / 2]);
    let damaged = file("damaged.tar.gz", &damaged);
    let outside = gzip(&tar(&[Entry::file("../x", "y")]));
    let outside = file("outside.tar.gz", &outside);
    let unnamed = file("unnamed.tar", &images_tar(&[("", &Image::new("amd64", "app"))]));
    let absent = stage.path("absent").display().to_string();
    let mut failures = vec![
        Failure::new("plan", json!({"target": "ftp://a"})),
        Failure::new("import", json!({"packages": [absent]})),
        Failure::new("import", json!({"packages": [text]})),
        Failure::new("import", json!({"packages": [cut]})),
        Failure::new("inspect", json!({"packages": [damaged]})),
        Failure::new("inspect", json!({"packages": [outside]})),
        Failure::new("import", json!({"packages": [unnamed]})),
        Failure::new("status", json!({"target": "http://127.0.0.1:1", "packages": []})),
        Failure::new("plan", json!({"options": {"ca-files": [absent]}})),
        Failure::new("plan", json!({"options": {"ca-files": [text]}})),
        Failure { plan: "{}", ..Failure::new("apply", json!({})) },
        Failure::new("plan", json!({"target": "http://"})),
    ];
    failures.push(Failure {
        setup: || Setup::default().user("u", "p"),
        ..Failure::new("import", json!({"credentials": {"username": "u", "password": "wrong"}}))
    });
    failures.push(Failure { rule: |_| Fault::answer(403), ..Failure::new("plan", json!({})) });
    let refused = |request: &Request| match request.method.as_str() {
        "PUT" | "POST" | "PATCH" => Fault::answer(403),
        _ => Fault::Nothing,
    };
    failures.push(Failure { rule: refused, ..Failure::new("import", json!({})) });
    let wrong = |request: &Request| match request.method.as_str() {
        "PUT" | "POST" | "PATCH" => Fault::answer(418),
        _ => Fault::Nothing,
    };
    failures.push(Failure { rule: wrong, ..Failure::new("import", json!({})) });
    let mut seen = BTreeSet::new();
    for (at, failure) in failures.iter().enumerate() {
        let mut first = None;
        for (name, call) in ways(&c) {
            let registry = Registry::start((failure.setup)(), failure.rule);
            let address = registry.address();
            let mut options = stage.registry_options(&address);
            if failure.function == "apply" {
                options = json!({});
            }
            for (member, value) in failure.options.as_object().expect("members") {
                options[member] = value.clone();
            }
            let document = call(failure.function, &options, failure.plan);
            kinds(&document, &mut seen);
            let text = without_address(&document, &address);
            let expected = first.get_or_insert_with(|| text.clone());
            assert_eq!(&text, expected, "{at}: {name}");
        }
    }
    eprintln!("{} kinds of errors: {seen:?}", seen.len());
    assert!(seen.len() >= 10, "{seen:?}");
}
