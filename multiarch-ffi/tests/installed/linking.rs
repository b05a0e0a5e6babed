//! The ways in which a program is linked with the installed library.

use std::{path::Path, process::Command};

use super::symbols::prefix;
use crate::common::{
    program::{root, succeeded},
    stage::Stage,
};

const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];
const CONFIG: &str = "spec: {addonPackage: {path: /a}}";

fn run(program: &str, words: &[&str], folder: &Path) {
    succeeded(&Command::new(program).args(words).current_dir(folder).output().expect(program));
}

/// What `pkg-config` says.
fn flags(words: &[&str]) -> Vec<String> {
    let asked = Command::new("pkg-config")
        .args(words)
        .arg("multiarch")
        .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"))
        .output()
        .expect("pkg-config runs");
    succeeded(&asked);
    let said = String::from_utf8(asked.stdout).expect("UTF-8");
    said.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Compiles a program in `folder`.
fn compile(compiler: &str, words: &[&str], flags: &[String], folder: &Path) {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    run(compiler, &[&STRICT[..], words, &flags].concat(), folder);
}

/// Runs the program `a.out` of a folder as `smoke.c`.
fn smoke(folder: &Path, library_path: Option<&Path>) {
    let stage = Stage::new();
    let mut program = Command::new(folder.join("a.out"));
    program.args([&stage.layout_options().to_string(), CONFIG]).env_remove("LD_LIBRARY_PATH");
    if let Some(path) = library_path {
        program.env("LD_LIBRARY_PATH", path);
    }
    succeeded(&program.output().expect("the program runs"));
}

fn source(name: &str) -> String {
    root().join("tests/c").join(name).display().to_string()
}

/// The static library instead of the shared one.
fn statically() -> Vec<String> {
    let flags = flags(&["--cflags", "--libs", "--static"]);
    let archive = prefix().join("lib/libmultiarch.a").display().to_string();
    flags.into_iter().map(|f| if f == "-lmultiarch" { archive.clone() } else { f }).collect()
}

#[test]
fn with_nothing_but_pkg_config() {
    let folder = tempfile::tempdir().expect("a folder");
    compile(
        "cc",
        &["-std=c11", &source("smoke.c")],
        &flags(&["--cflags", "--libs"]),
        folder.path(),
    );
    smoke(folder.path(), Some(&prefix().join("lib")));
    let version = flags(&["--modversion"]);
    assert_eq!(version, [env!("CARGO_PKG_VERSION")]);
}

#[test]
fn the_program_of_the_readme() {
    let readme = std::fs::read_to_string(root().join("../README.md")).expect("a README");
    let (_, section) = readme.split_once("## Embed it\n").expect("the section");
    let (_, code) = section.split_once("```c\n").expect("a program");
    let (code, _) = code.split_once("```").expect("its end");
    let (stage, folder) = (Stage::new(), tempfile::tempdir().expect("a folder"));
    for (package, architecture) in stage.packages().iter().zip(["amd64", "arm64"]) {
        let name = format!("addon-{architecture}.tar.gz");
        std::fs::copy(package, folder.path().join(name)).expect("a copy");
    }
    std::fs::write(folder.path().join("embed.c"), code).expect("written");
    compile("cc", &["-std=c11", "embed.c"], &flags(&["--cflags", "--libs"]), folder.path());
    let mut program = Command::new(folder.path().join("a.out"));
    program.current_dir(folder.path()).env("LD_LIBRARY_PATH", prefix().join("lib"));
    let ran = program.output().expect("the program runs");
    succeeded(&ran);
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!(report["complete"], true);
}

#[test]
fn the_header_is_c_11_and_c_plus_plus_17() {
    let folder = tempfile::tempdir().expect("a folder");
    let cflags = flags(&["--cflags"]);
    let both = ["-pedantic-errors", "-Wshadow", "-Wundef", "-Wcast-qual", "-fsyntax-only"];
    let c = ["-std=c11", "-Wstrict-prototypes", "-Wold-style-definition", "-Wmissing-prototypes"];
    let plus =
        ["-std=c++17", "-Wold-style-cast", "-Wuseless-cast", "-Wzero-as-null-pointer-constant"];
    std::fs::write(folder.path().join("a.c"), "#include <multiarch.h>\n").expect("written");
    std::fs::write(folder.path().join("a.cc"), "#include <multiarch.h>\n").expect("written");
    compile("cc", &[&both[..], &c, &["a.c"]].concat(), &cflags, folder.path());
    compile("c++", &[&both[..], &plus, &["a.cc"]].concat(), &cflags, folder.path());
}

#[test]
fn from_c_plus_plus() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "#include <multiarch.h>\n#include <cstring>\nint main() {\n    return std::strcmp(multiarch_version(), MULTIARCH_VERSION);\n}\n";
    std::fs::write(folder.path().join("a.cc"), text).expect("written");
    compile("c++", &["-std=c++17", "a.cc"], &flags(&["--cflags", "--libs"]), folder.path());
    let mut program = Command::new(folder.path().join("a.out"));
    let ran = program.env("LD_LIBRARY_PATH", prefix().join("lib")).output();
    succeeded(&ran.expect("the program runs"));
}

#[test]
fn statically_beside_another_rust_library() {
    // It has a standard library of its own, panics and threads.
    let folder = tempfile::tempdir().expect("a folder");
    let other = "
        #[unsafe(no_mangle)]
        pub extern \"C\" fn other_caught() -> i32 {
            std::panic::set_hook(Box::new(|_| ()));
            let caught = std::thread::spawn(|| { panic!(\"{}\", String::from(\"x\")) }).join();
            caught.is_err() as i32
        }
    ";
    std::fs::write(folder.path().join("other.rs"), other).expect("written");
    let words = ["--edition=2024", "--crate-type=staticlib", "-Cpanic=unwind", "other.rs"];
    run("rustc", &words, folder.path());
    let main = "
        int other_caught(void);
        int smoke(int, char **);
        int main(int argc, char **argv)
        {
            int code = smoke(argc, argv);
            return other_caught() == 1 ? code : 99;
        }
    ";
    std::fs::write(folder.path().join("main.c"), main).expect("written");
    let smoke_c = source("smoke.c");
    let words = ["-std=c11", "-c", "-Dmain=smoke", "-o", "smoke.o", &smoke_c];
    compile("cc", &words, &flags(&["--cflags"]), folder.path());
    // In both orders: a linker takes the first of two symbols.
    for order in [0, 1] {
        let mut libraries = statically();
        let at = if order == 0 { 0 } else { libraries.len() };
        libraries.insert(at, "libother.a".into());
        libraries.extend(["-lpthread", "-ldl", "-lgcc_s", "-lc"].map(String::from));
        compile("cc", &["-std=c11", "main.c", "smoke.o"], &libraries, folder.path());
        smoke(folder.path(), None);
    }
}

#[test]
fn statically_beside_libcrypto() {
    let folder = tempfile::tempdir().expect("a folder");
    let main = "
        #include <openssl/evp.h>
        #include <string.h>
        int smoke(int, char **);
        int main(int argc, char **argv)
        {
            unsigned char digest[EVP_MAX_MD_SIZE];
            unsigned int length = 0;
            if (EVP_Digest(\"abc\", 3, digest, &length, EVP_sha256(), NULL) != 1) return 98;
            if (length != 32 || memcmp(digest, \"\\xba\\x78\\x16\\xbf\", 4) != 0) return 99;
            return smoke(argc, argv);
        }
    ";
    std::fs::write(folder.path().join("main.c"), main).expect("written");
    let smoke_c = source("smoke.c");
    let words = ["-std=c11", "-c", "-Dmain=smoke", "-o", "smoke.o", &smoke_c];
    compile("cc", &words, &flags(&["--cflags"]), folder.path());
    let mut libraries = statically();
    libraries.splice(0..0, ["-l:libcrypto.a".into()]);
    libraries.extend(["-l:libcrypto.a", "-lpthread", "-ldl"].map(String::from));
    compile("cc", &["-std=c11", "main.c", "smoke.o"], &libraries, folder.path());
    smoke(folder.path(), None);
}
