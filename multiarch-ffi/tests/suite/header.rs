//! The header is made of the code, and committed.

use std::{fs, path::Path};

#[test]
fn the_header_is_as_committed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("a configuration");
    let made = cbindgen::Builder::new().with_crate(root).with_config(config).generate();
    let mut text = Vec::new();
    made.expect("a header").write(&mut text);
    let text = String::from_utf8(text).expect("UTF-8");
    let path = root.join("include/multiarch.h");
    if std::env::var_os("MULTIARCH_WRITE").is_some() {
        fs::write(&path, &text).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "write it with MULTIARCH_WRITE=1, and look at the difference:\n{text}"
    );
}

#[test]
fn the_header_names_the_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = fs::read_to_string(root.join("include/multiarch.h")).expect("a header");
    let line = format!("#define MULTIARCH_VERSION \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(header.contains(&line), "cbindgen.toml names another version than Cargo.toml");
    // The function whose name has the version of the interface in it.
    assert!(header.contains("#define MULTIARCH_ABI_VERSION 1\n"));
    assert!(header.contains("multiarch_abi_1("));
}
