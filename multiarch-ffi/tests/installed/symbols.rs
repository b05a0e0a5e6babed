//! What the installed files export, need and say of themselves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::program::root;

pub(crate) fn prefix() -> PathBuf {
    let prefix = std::env::var_os("MULTIARCH_CAPI_PREFIX");
    prefix.expect("MULTIARCH_CAPI_PREFIX names the prefix").into()
}

fn output(program: &str, words: &[&str], file: &Path) -> String {
    let ran = Command::new(program).args(words).arg(file).output().expect(program);
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("UTF-8")
}

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(prefix().join("include/multiarch.h")).expect("a header");
    let declarations = header.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic()));
    let names = declarations.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("multiarch_")).map(ToOwned::to_owned).collect()
}

/// The names of the global symbols that a file defines, without versions.
fn defined(words: &[&str], file: &str) -> BTreeSet<String> {
    let listed = output("nm", words, &prefix().join("lib").join(file));
    let symbols = listed.lines().filter_map(|line| {
        let mut words = line.split_whitespace().rev();
        let (name, kind) = (words.next()?, words.next()?);
        // A is the name of the version itself.
        (kind != "A" && !line.ends_with(':')).then(|| name.split('@').next().unwrap_or(name).into())
    });
    symbols.collect()
}

#[test]
fn the_libraries_export_what_the_header_declares() {
    let declared = declared();
    assert!(declared.len() > 15, "{declared:?}");
    assert_eq!(defined(&["-D", "--defined-only"], "libmultiarch.so"), declared);
    assert_eq!(defined(&["-g", "--defined-only"], "libmultiarch.a"), declared);
    // Each symbol has the version of the interface.
    let listed = output("nm", &["-D", "--defined-only"], &prefix().join("lib/libmultiarch.so"));
    let versioned = listed.lines().filter(|line| line.contains("@@MULTIARCH_")).count();
    assert_eq!(versioned, declared.len());
}

#[test]
fn the_shared_library_has_a_soname_and_stays_loaded() {
    let listed = output("readelf", &["-dW"], &prefix().join("lib/libmultiarch.so"));
    let version = env!("CARGO_PKG_VERSION");
    let (short, _) = version.rsplit_once('.').expect("three numbers");
    assert!(listed.contains(&format!("soname: [libmultiarch.so.{short}]")), "{listed}");
    assert!(listed.contains("NODELETE") && listed.contains("BIND_NOW"), "{listed}");
    // Nothing but the C library and the compiler's.
    for line in listed.lines().filter(|line| line.contains("(NEEDED)")) {
        let known = ["libc.so", "libm.so", "libgcc_s.so", "libpthread.so", "libdl.so", "ld-linux"];
        assert!(known.iter().any(|name| line.contains(name)), "{line}");
    }
    let lib = prefix().join("lib");
    let link = |name: &str| fs::read_link(lib.join(name)).expect("a link").display().to_string();
    assert_eq!(link("libmultiarch.so"), format!("libmultiarch.so.{short}"));
    assert_eq!(link(&format!("libmultiarch.so.{short}")), format!("libmultiarch.so.{version}"));
}

#[test]
fn header_and_schemas_are_the_committed_ones() {
    let read =
        |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let header = read(root().join("include/multiarch.h"));
    assert!(header == read(prefix().join("include/multiarch.h")));
    for file in fs::read_dir(root().join("schemas")).expect("schemas") {
        let name = file.expect("a file").file_name();
        let installed = prefix().join("share/multiarch/schemas").join(&name);
        assert!(read(root().join("schemas").join(&name)) == read(installed), "{name:?}");
    }
}
