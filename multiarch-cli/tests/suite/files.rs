//! Packages that are read, and the indexes of them that are kept.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::{
    desk::{Desk, Run, multiarch},
    load::{complete, last_line, package},
};

fn inspect(package: &str, cache: &Path, more: &[&str]) -> Run {
    let mut command = multiarch();
    command.args(["inspect", package, "--json", "-q"]).args(more);
    Run::of(command.env("XDG_CACHE_HOME", cache))
}

fn kept(cache: &Path) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(cache.join("multiarch")).into_iter().flatten();
    folder.map(|item| item.expect("an item").path()).collect()
}

#[test]
fn a_kept_index_is_checked_and_not_needed() {
    let desk = Desk::new();
    let (package, cache) = (desk.large_archive(1), desk.path().join("cache"));
    let first = inspect(&package, &cache, &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let [index] = kept(&cache).try_into().expect("one index");
    assert_eq!(fs::metadata(&index).expect("there").mode() & 0o077, 0, "it is the user's own");
    let whole = fs::read(&index).expect("read");
    // If the index is damaged, cut, empty or foreign, the package is read again.
    let mut broken =
        vec![whole[..whole.len() / 2].to_vec(), Vec::new(), b"something else".to_vec()];
    for place in [0, 20, 60, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        broken.push(damaged);
    }
    for content in broken {
        fs::write(&index, content).expect("written");
        let again = inspect(&package, &cache, &[]);
        assert_eq!((again.code, &again.out), (Some(0), &first.out), "{}", again.err);
        assert_eq!(fs::read(&index).expect("read"), whole, "a valid index replaces it");
    }
    // A package with the same size and time, but other content, is not taken for the first one.
    let time = fs::metadata(&package).expect("there").modified().expect("a time");
    let size = fs::metadata(&package).expect("there").len();
    for seed in 2..50 {
        desk.large_archive(seed);
        if fs::metadata(&package).expect("there").len() == size {
            break;
        }
    }
    fs::File::options()
        .write(true)
        .open(&package)
        .expect("opened")
        .set_modified(time)
        .expect("set");
    let other = inspect(&package, &cache, &[]);
    assert_ne!(other.out, first.out);
    // The command also works without a place for the index, and with `--no-cache`.
    for place in ["/dev/null", "relative", ""] {
        assert_eq!(inspect(&package, Path::new(place), &[]).out, other.out, "{place}");
    }
    let none = desk.path().join("none");
    assert_eq!(inspect(&package, &none, &["--no-cache"]).out, other.out);
    assert!(!none.exists());
}

/// A broken package is reported every time.
#[test]
fn a_broken_package_is_not_kept() {
    let desk = Desk::new();
    let (package, cache) = (desk.large_archive(1), desk.path().join("cache"));
    let content = fs::read(&package).expect("read");
    fs::write(&package, &content[..content.len() - 1000]).expect("written");
    let first = inspect(&package, &cache, &[]);
    assert!(first.err.contains("error"), "{}", first.err);
    assert!(kept(&cache).is_empty());
    assert_eq!(inspect(&package, &cache, &[]).err, first.err);
}

/// Progress also counts the skipped parts of a plain archive as read.
#[test]
fn reading_ends_with_everything_read() {
    let desk = Desk::new();
    let folder = desk.path().join("folder");
    std::fs::create_dir(&folder).expect("created");
    for architecture in ["amd64", "arm64"] {
        let package = desk.package(architecture);
        let name = format!("addon-{architecture}.tar.gz");
        std::fs::copy(&package, folder.join(name)).expect("copied");
    }
    let (folder, plain) = (folder.display().to_string(), package(&desk, 2, 3_000_000));
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    for packages in [&[&plain][..], &[&folder], &[&amd64, &arm64, &plain]] {
        let mut words = vec!["inspect", "--progress", "json"];
        words.extend(packages.iter().map(|package| package.as_str()));
        let run = desk.run(&words);
        complete(&run);
        let last = last_line(&run);
        let size = |path: &&String| -> u64 {
            let path = std::path::Path::new(path.as_str());
            let files = std::fs::read_dir(path).map(|files| {
                files.map(|file| file.expect("a file").metadata().expect("read").len()).sum()
            });
            files.unwrap_or_else(|_| path.metadata().expect("read").len())
        };
        let expected: u64 = packages.iter().map(size).sum();
        assert_eq!(last["phase"], "reading");
        assert_eq!((&last["bytes"], &last["bytes_total"]), (&expected.into(), &expected.into()));
    }
}

/// containers/podman#16192: there is no room for the new plan, and the older one stays as it was.
#[test]
fn a_plan_is_replaced_as_a_whole() {
    let desk = Desk::new();
    let (package, target) = (desk.package("amd64"), desk.target());
    let plan = desk.path().join("plan.json");
    let words = ["plan", &package, "--to", &target, "-o", "plan.json", "--no-cache"];
    assert_eq!(desk.run(&words).code, Some(0));
    let before = std::fs::read(&plan).expect("written");
    // A limit on the size of files ends a write as a full disk does.
    let limited = "trap '' XFSZ; ulimit -f 4; exec \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, "sh", env!("CARGO_BIN_EXE_multiarch")]).args(words);
    let run = Run::of(command.current_dir(desk.path()));
    assert!(run.code.is_some_and(|code| code > 0), "{run:?}");
    assert!(run.err.contains("saving the plan"), "{}", run.err);
    assert_eq!(std::fs::read(&plan).expect("there"), before);
    let left = std::fs::read_dir(desk.path()).expect("read").filter_map(Result::ok);
    assert!(left.map(|item| item.file_name()).all(|name| !name.to_string_lossy().starts_with('.')));
}
