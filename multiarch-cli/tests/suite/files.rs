//! Which files are read and written, told by strace.

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use multiarch_generator::{Image, Layer, images_tar};

use crate::desk::{Desk, Run, multiarch, succeed};

#[test]
fn only_the_target_is_written() {
    let desk = Desk::new();
    let trace = desk.path().join("trace");
    for verb in ["inspect", "plan", "import", "status"] {
        let mut command = Command::new("strace");
        command.env("XDG_CACHE_HOME", desk.path().join("cache"));
        command.args(["-f", "-e", "trace=open,openat,creat,rename,renameat2,mkdir,unlink"]);
        command.arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_multiarch")).arg(verb);
        if verb != "status" {
            command.args([desk.package("amd64"), desk.package("arm64")]);
        }
        if verb != "inspect" {
            command.args(["--to", &desk.target()]);
        }
        succeed(&mut command);
        let trace = std::fs::read_to_string(&trace).expect("a trace");
        let mut written = 0;
        for line in trace.lines().filter(|line| !line.contains("ENOENT")) {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "creat(", "rename", "mkdir(", "unlink("];
            if writes.iter().any(|word| line.contains(word)) {
                let own = line.contains(&desk.store().display().to_string());
                let cache = line.contains(&desk.path().join("cache").display().to_string());
                assert!(own || cache || line.contains("\"/dev/"), "{verb}: {line}");
                written += usize::from(own);
            }
        }
        assert_eq!(written > 0, verb == "import", "{verb}: {trace}");
    }
}

/// A docker-archive in gzip, of some megabytes that do not compress.
fn large(desk: &Desk, seed: u64) -> String {
    let mut state = seed;
    let content: String = (0..4 << 20)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            char::from(b'0' + u8::try_from((state >> 33) % 75).expect("small"))
        })
        .collect();
    let image = Image::of("amd64", "", vec![Layer::plain("file", &content)]);
    desk.write("large.tar.gz", multiarch_generator::gzip(&images_tar(&[("q.io/a/b:1", &image)])))
}

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
fn a_kept_index_saves_reading_the_package() {
    let desk = Desk::new();
    let (package, cache) = (large(&desk, 1), desk.path().join("cache"));
    let bytes_read = || -> u64 {
        let trace = desk.path().join("reads");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-e", "trace=pread64", "-o"]).arg(&trace);
        command.arg(env!("CARGO_BIN_EXE_multiarch")).args(["inspect", &package, "-q"]);
        succeed(command.env("XDG_CACHE_HOME", &cache));
        let trace = fs::read_to_string(&trace).expect("a trace");
        let reads = trace.lines().filter(|line| line.contains("large.tar.gz"));
        reads.filter_map(|line| line.rsplit_once("= ")?.1.parse::<u64>().ok()).sum()
    };
    let size = fs::metadata(&package).expect("there").len();
    assert!(bytes_read() >= size, "the first run reads all of it");
    assert!(bytes_read() < size / 4, "the second looks at parts");
}

#[test]
fn a_kept_index_is_checked_and_not_needed() {
    let desk = Desk::new();
    let (package, cache) = (large(&desk, 1), desk.path().join("cache"));
    let first = inspect(&package, &cache, &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let [index] = kept(&cache).try_into().expect("one index");
    assert_eq!(fs::metadata(&index).expect("there").mode() & 0o077, 0, "it is the user's own");
    let whole = fs::read(&index).expect("read");
    // Damaged anywhere, cut, empty, foreign: the package is read again.
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
        assert_eq!(fs::read(&index).expect("read"), whole, "a right one takes its place");
    }
    // Another package of the same size and time is another package.
    let time = fs::metadata(&package).expect("there").modified().expect("a time");
    let size = fs::metadata(&package).expect("there").len();
    for seed in 2..50 {
        large(&desk, seed);
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
    // Without a place for it, and without wanting one.
    for place in ["/dev/null", "relative", ""] {
        assert_eq!(inspect(&package, Path::new(place), &[]).out, other.out, "{place}");
    }
    let none = desk.path().join("none");
    assert_eq!(inspect(&package, &none, &["--no-cache"]).out, other.out);
    assert!(!none.exists());
}

/// What is wrong with a package is told every time.
#[test]
fn a_broken_package_is_not_kept() {
    let desk = Desk::new();
    let (package, cache) = (large(&desk, 1), desk.path().join("cache"));
    let content = fs::read(&package).expect("read");
    fs::write(&package, &content[..content.len() - 1000]).expect("written");
    let first = inspect(&package, &cache, &[]);
    assert!(first.err.contains("error"), "{}", first.err);
    assert!(kept(&cache).is_empty());
    assert_eq!(inspect(&package, &cache, &[]).err, first.err);
}
