//! C programs: compiled once for each test, and run.
//!
//! The environment says how: `MULTIARCH_CAPI_PREFIX`, where the library is installed and found by
//! `pkg-config` alone, instead of the one that cargo has built; `MULTIARCH_CAPI_CFLAGS`, more flags;
//! `MULTIARCH_CAPI_RUNNER`, what runs the program, such as valgrind.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// Every warning that both compilers have in C11, and all of them errors.
const STRICT: [&str; 9] = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Werror",
    "-g",
];

/// A compiled program.
pub(crate) struct Program {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

fn words(variable: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_default();
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

/// True where another program, such as valgrind, runs the programs.
pub(crate) fn is_checked() -> bool {
    !words("MULTIARCH_CAPI_RUNNER").is_empty()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with the shared library, which is built once: cargo itself builds the crate only as a Rust library.
pub(crate) fn built() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let words = ["rustc", "--quiet", "--locked", "--lib", "--features", "faults"];
        let done = Command::new(cargo)
            .args(words)
            .args(["--crate-type", "cdylib"])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        succeeded(&done);
        // Tests are two folders below: target/debug/deps.
        let own = std::env::current_exe().expect("a path");
        own.ancestors().nth(2).expect("a folder").to_owned()
    };
    BUILT.get_or_init(build).clone()
}

/// The shared library: the installed one, or the one that cargo has built.
pub(crate) fn library() -> PathBuf {
    match std::env::var_os("MULTIARCH_CAPI_PREFIX") {
        Some(prefix) => Path::new(&prefix).join("lib/libmultiarch.so"),
        None => built().join("libmultiarch.so"),
    }
}

/// What the compiler needs to use the library.
fn flags() -> Vec<String> {
    let Some(prefix) = std::env::var_os("MULTIARCH_CAPI_PREFIX") else {
        let (include, library) = (root().join("include"), built());
        let library = library.display();
        return vec![
            format!("-I{}", include.display()),
            format!("-L{library}"),
            "-lmultiarch".into(),
            format!("-Wl,-rpath,{library}"),
        ];
    };
    let library = Path::new(&prefix).join("lib");
    let asked = Command::new("pkg-config")
        .args(["--cflags", "--libs", "multiarch"])
        .env("PKG_CONFIG_PATH", library.join("pkgconfig"))
        .output()
        .expect("pkg-config runs");
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let said = String::from_utf8(asked.stdout).expect("UTF-8");
    let mut flags: Vec<_> = said.split_whitespace().map(ToOwned::to_owned).collect();
    flags.push(format!("-Wl,-rpath,{}", library.display()));
    flags
}

impl Program {
    /// Compiles `tests/c/NAME.c`.
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let compiled = Command::new(compiler)
            .args(STRICT)
            .args(words("MULTIARCH_CAPI_CFLAGS"))
            .arg("-o")
            .arg(&path)
            .arg(root().join(format!("tests/c/{name}.c")))
            .args(flags())
            .args(["-pthread", "-ldl"])
            .output()
            .expect("the compiler runs");
        succeeded(&compiled);
        Self { path, _folder: folder }
    }

    /// Runs it with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).finish()
    }

    /// The same, where more of the process is to be set first.
    pub(crate) fn command(&self, arguments: &[&str]) -> Prepared {
        let runner = words("MULTIARCH_CAPI_RUNNER");
        let mut command = match runner.split_first() {
            Some((runner, words)) => {
                let mut command = Command::new(runner);
                command.args(words).arg(&self.path);
                command
            }
            None => Command::new(&self.path),
        };
        // No logins of the user who runs the tests.
        command.args(arguments).env("HOME", "/nonexistent").env_remove("XDG_RUNTIME_DIR");
        // Cargo's path comes before that of the program, and may hold an older library.
        command.env_remove("LD_LIBRARY_PATH");
        Prepared(command)
    }

    /// Runs it; it must succeed, and print nothing.
    pub(crate) fn passes(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert!(ran.code == Some(0) && ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:#?}");
    }
}

/// A program that is about to run.
pub(crate) struct Prepared(pub(crate) Command);

impl Prepared {
    pub(crate) fn finish(mut self) -> Ran {
        let output = self.0.output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code();
        Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

pub(crate) fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}
