//! The architecture's rules, checked in the code: which modules may use which, what pure modules may not
//! use, that type names are unique, and what the library without its network feature may not depend on.

mod code;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use code::{Source, sources};

/// The modules from the top down: each may use only those before it.
const MODULES: [&str; 21] = [
    "error",
    "limit",
    "run",
    "image",
    "fuse",
    "chart",
    "package",
    "config",
    "header",
    "store",
    "plan",
    "report",
    "source",
    "layout",
    "memory",
    "registry",
    "chartrepo",
    "observe",
    "apply",
    "import",
    "embed",
];
/// Modules whose results depend on their arguments alone, without I/O.
const PURE: [&str; 11] = [
    "error", "limit", "image", "fuse", "chart", "package", "config", "header", "store", "plan",
    "report",
];
/// Paths that reach outside of the process.
const IO: [&str; 6] = ["std::fs", "std::net", "std::env", "std::process", "std::os", "tempfile"];
/// Other paths that make a result depend on more than its arguments.
const IMPURE: [&str; 4] = ["std::thread", "std::time::Instant", "std::time::SystemTime", "tokio"];

fn uses(source: &Source, forbidden: &str) -> bool {
    let forbidden: Vec<&str> = forbidden.split("::").collect();
    source.names.iter().any(|name| {
        name.iter().map(String::as_str).take(forbidden.len()).eq(forbidden.iter().copied())
    })
}

#[test]
fn modules_use_only_those_above_them() {
    for source in sources() {
        let place = |module: &str| MODULES.iter().position(|known| *known == module);
        let own = place(source.module()).unwrap_or_else(|| panic!("{} is new", source.module()));
        for name in source.absolute_names().filter(|name| name[0] == "crate" && name.len() > 1) {
            if let Some(other) = place(&name[1]) {
                assert!(other <= own, "{} uses {}", source.path, name.join("::"));
            }
        }
    }
}

#[test]
fn files_of_a_folder_do_not_use_each_other_in_cycles() {
    let sources = sources();
    let paths: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in &sources {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in source.absolute_names().filter(|name| name[0] == "crate" && name.len() > 2) {
            // The file that defines the name: the longest prefix that is a file.
            let used = (2..=name.len()).rev().map(|end| name[1..end].join("/"));
            let used = used.filter_map(|path| paths.get(path.as_str())).next();
            let sibling = used.filter(|path| {
                path.rsplit_once('/').is_some_and(|(other, _)| other == folder)
                    && **path != source.path
            });
            uses.entry(&source.path).or_default().extend(sibling);
        }
    }
    let mut cycles = Vec::new();
    for start in uses.keys() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
        while let Some(path) = open.pop() {
            for next in uses.get(path).into_iter().flatten() {
                if next == start {
                    cycles.push(format!("{path} uses {start}, and is used by it"));
                } else if seen.insert(*next) {
                    open.push(next);
                }
            }
        }
    }
    assert!(cycles.is_empty(), "{}", cycles.join("\n"));
}

#[test]
fn pure_modules_do_no_io() {
    for source in sources().iter().filter(|source| PURE.contains(&source.module())) {
        for name in IO.iter().chain(&IMPURE) {
            assert!(!uses(source, name), "{} uses {name}", source.path);
        }
        assert!(!source.is_async, "{} is async", source.path);
    }
}

#[test]
fn the_run_module_does_no_io() {
    for source in sources().iter().filter(|source| source.module() == "run") {
        for name in IO {
            assert!(!uses(source, name), "{} uses {name}", source.path);
        }
        assert!(!source.is_async, "{} is async", source.path);
    }
}

#[test]
fn type_names_are_unique() {
    let mut defined: BTreeMap<String, String> = BTreeMap::new();
    for source in sources() {
        for name in source.types {
            let before = defined.insert(name.clone(), source.path.clone());
            assert_eq!(before, None, "{name} is also defined in {}", source.path);
        }
    }
}

#[test]
fn unsafe_code_is_in_one_module() {
    for source in sources() {
        let allowed = source.path == "source/gzip/inflate";
        assert!(!source.is_unsafe || allowed, "{} has unsafe code", source.path);
    }
}

#[test]
fn without_the_network_feature_there_is_no_network() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "multiarch-core",
            "-e",
            "normal",
            "--no-default-features",
        ])
        .args(["--prefix", "none", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("text");
    assert!(tree.contains("serde_json"), "{}", String::from_utf8_lossy(&output.stderr));
    for name in [
        "reqwest",
        "hyper",
        "tokio",
        "rustls",
        "openssl",
        "aws-lc-rs",
        "ring",
        "ureq",
        "native-tls",
    ] {
        let found = tree.lines().any(|line| line.split(' ').next() == Some(name));
        assert!(!found, "multiarch-core without features depends on {name}");
    }
}
