//! The table of limits in the design, and a test for each.

use std::{fmt::Write as _, path::Path};

use crate::limit::LIMITS;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

/// All Rust files below a folder, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an entry").path();
        match path.extension() {
            _ if path.is_dir() => text.push_str(&sources(&path)),
            Some(extension) if extension == "rs" => text.push_str(&read(&path)),
            _ => {}
        }
    }
    text
}

#[test]
fn the_design_lists_every_limit() {
    let mut table = String::from("| limit | refused, or not looked at |\n|---|---|\n");
    for (name, limit) in LIMITS {
        writeln!(table, "| `{name}` | {limit} |").expect("written");
    }
    let design = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/design.md"));
    assert!(design.contains(&table), "docs/design.md should have this table:\n\n{table}");
}

#[test]
fn every_limit_has_a_test() {
    let crates = ["src", "tests", "../multiarch-cli/tests"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text: String = crates.iter().map(|folder| sources(&root.join(folder))).collect();
    for (name, _) in LIMITS {
        let test = format!("fn limit_of_{}(", name.to_lowercase());
        assert_eq!(text.matches(&test).count(), 1, "{test})");
    }
}
