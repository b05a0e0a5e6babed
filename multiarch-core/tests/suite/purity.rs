//! The rules of the house: which module may use which, what pure modules may not touch, and what
//! the library without its network feature must not pull in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// From the bottom up: a module may use those before it.
const MODULES: [&str; 11] = [
    "error", "image", "fuse", "chart", "config", "package", "plan", "source", "target", "report",
    "apply",
];
/// Everything before `source` is pure.
const PURE: &[&str] = &["error", "image", "fuse", "chart", "config", "package", "plan"];
/// Uses that point down, each for a reason.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("plan", "target"),  // a plan names its target
    ("plan", "apply"),   // and is applied by the module that owns Plan::apply
    ("source", "apply"), // cancel and progress are the run's
    ("target", "apply"), // cancel is the run's
    ("report", "apply"), // cancel is the run's
];

fn sources(module: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join(format!("{module}.rs"))];
    let mut folders = vec![root.join(module)];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).into_iter().flatten() {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// The code of a file, without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn pure_modules_touch_nothing() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "std::time",
        "SystemTime",
        "Instant",
        "tokio",
        "reqwest",
        "async fn",
        "fs::File",
        "tempfile",
    ];
    for module in PURE {
        for path in sources(module) {
            let code = code(&path);
            for word in forbidden {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn arrows_point_up() {
    for (place, module) in MODULES.iter().enumerate() {
        for path in sources(module) {
            let code = code(&path);
            // Paths are written `crate::module::…` or grouped in `use crate::{module::…}`.
            for other in &MODULES[place + 1..] {
                let used = code.contains(&format!("crate::{other}"))
                    || code.lines().any(|line| {
                        line.starts_with(&format!("    {other}::")) && !line.contains('(')
                    });
                let allowed = EXCEPTIONS.contains(&(module, other));
                assert!(!used || allowed, "{} uses {other}", path.display());
            }
        }
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

#[test]
fn unsafe_code_is_in_one_module() {
    for module in MODULES {
        for path in sources(module) {
            let unsafe_code = code(&path).contains("unsafe ");
            let allowed = path.ends_with("source/gzip/inflate.rs");
            assert!(!unsafe_code || allowed, "{} has unsafe code", path.display());
        }
    }
}
