//! Archives that GNU tar, Go or gzip read in one way and other readers in another: nothing in them disappears
//! without a word. Judged by GNU tar 1.34 and Go's `archive/tar`.

use std::os::unix::{ffi::OsStrExt as _, fs::symlink};

use multiarch_core::{ErrorKind, Finding, Package};
use multiarch_generator::{Bundle, Entry, Image, gzip, tar};

use crate::runs::Folder;

fn bundle(name: &str) -> Bundle {
    let repository = format!("team/{name}");
    Bundle::simple(name, "1.0.0", &[("a", "q.io", &repository, "1.0", &Image::new("amd64", name))])
}

/// The charts of a package and the kinds of its problems.
fn read(content: &[u8]) -> (Vec<String>, Vec<ErrorKind>) {
    let folder = Folder::new();
    seen(Package::open(folder.write("p.tar", content)).expect("a package"))
}

fn seen(package: Package) -> (Vec<String>, Vec<ErrorKind>) {
    let mut charts: Vec<String> = package.bundles().iter().map(|bundle| bundle.chart()).collect();
    charts.sort();
    (charts, package.problems().iter().map(|error| error.kind()).collect())
}

fn header(name: &[u8], size: usize, kind: u8) -> Vec<u8> {
    let mut header = tar_header(name, size, kind);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn tar_header(name: &[u8], size: usize, kind: u8) -> ::tar::Header {
    let mut header = ::tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(size as u64);
    header.set_entry_type(::tar::EntryType::new(kind));
    header
}

fn entry(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut entry = header(name, content.len(), b'0');
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

const END: [u8; 1024] = [0; 1024];

/// RFC 1952: a header may have a field of 64 KiB, a name and a comment without end, and a file any number of
/// members.
#[test]
fn gzip_headers_of_any_length_and_empty_members() {
    let plain = gzip(&tar(&[Entry::file("x_1.0.0.bundle.tar", bundle("x").tar())]));
    let with = |flag: u8, field: Vec<u8>| {
        let header = [0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 0xff];
        [header.to_vec(), field, plain[10..].to_vec()].concat()
    };
    let extra = [9000_u16.to_le_bytes().to_vec(), vec![b'n'; 9000]].concat();
    let name = [vec![b'n'; 70_000], vec![0]].concat();
    for packed in [
        with(4, extra),
        with(8, name.clone()),
        with(16, name),
        [gzip(b"").repeat(500), plain.clone()].concat(),
    ] {
        let good = Entry::file("good_1.0.0.bundle.tar", bundle("good").tar());
        let inside = tar(&[Entry::file("more.tar.gz", packed.clone()), good]);
        assert_eq!(read(&inside), (vec!["good-1.0.0".into(), "x-1.0.0".into()], vec![]));
        assert_eq!(read(&packed).0, ["x-1.0.0"]);
    }
}

#[test]
fn names_that_are_not_utf_8_stay_different() {
    let (first, second) = (bundle("first").tar(), bundle("second").tar());
    let package = [entry(b"a\xff.tar", &first), entry(b"a\xfe.tar", &second), END.into()].concat();
    assert_eq!(read(&package), (vec!["first-1.0.0".into(), "second-1.0.0".into()], vec![]));
    let folder = Folder::new();
    for (name, content) in [(b"\xff_1.0.0.bundle.tar", &first), (b"\xfe_1.0.0.bundle.tar", &second)]
    {
        std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), content)
            .expect("written");
    }
    let package = Package::open(folder.path()).expect("a package");
    assert_eq!(seen(package).0.len(), 2);
}

/// Equal ones say the same thing twice; of different ones readers take one, and not the same.
#[test]
fn one_path_with_two_archives() {
    let (first, second) = (bundle("first").tar(), bundle("secnd").tar());
    assert_eq!(first.len(), second.len());
    let twice =
        |a: &[u8], b: &[u8]| read(&[entry(b"a.tar", a), entry(b"a.tar", b), END.into()].concat());
    assert_eq!(twice(&first, &first), (vec!["first-1.0.0".into()], vec![]));
    assert_eq!(twice(&first, &second), (vec!["first-1.0.0".into()], vec![ErrorKind::Malformed]));
}

/// Folders, links and devices have no content whatever size they state: the next header follows.
#[test]
fn entries_without_content_that_state_a_size() {
    let good = entry(b"good.tar", &bundle("good").tar());
    for kind in *b"123456" {
        let size = good.len();
        let package = [header(b"other", size, kind), good.clone(), END.into()].concat();
        assert_eq!(read(&package).0, ["good-1.0.0"], "type {}", char::from(kind));
    }
}

/// GNU tar and Go take the last of two sizes, the tar crate the first.
#[test]
fn a_size_that_is_given_twice_is_refused() {
    let good = bundle("good").tar();
    let record = |size: usize| {
        let text = format!("size={size}\n");
        (text.len() + 3..)
            .map(|n| format!("{n} {text}"))
            .find(|r| r.split(' ').next() == Some(&r.len().to_string()))
            .expect("ends")
    };
    for (first, second, whole) in [(good.len(), good.len(), true), (good.len(), 512, false)] {
        let records = format!("{}{}", record(first), record(second));
        let mut extended = header(b"pax", records.len(), b'x');
        extended.extend(records.as_bytes());
        extended.resize(extended.len().next_multiple_of(512), 0);
        let package = [extended, entry(b"good.tar", &good), END.into()].concat();
        let folder = Folder::new();
        match Package::open(folder.write("p.tar", package)) {
            Ok(package) => assert!(whole && seen(package).1.is_empty()),
            Err(error) => assert!(!whole && error.to_string().contains("twice"), "{error}"),
        }
    }
}

/// What is named like an archive and cannot be read is reported.
#[test]
fn links_and_pipes_that_are_named_like_archives() {
    let folder = Folder::new();
    folder.write("good_1.0.0.bundle.tar", bundle("good").tar());
    let path = |name: &str| folder.path().join(name);
    symlink("nowhere.tar", path("lost_1.0.0.bundle.tar")).expect("linked");
    symlink("self_1.0.0.bundle.tar", path("self_1.0.0.bundle.tar")).expect("linked");
    let made = std::process::Command::new("mkfifo").arg(path("pipe_1.0.0.bundle.tar")).status();
    assert!(made.expect("mkfifo runs").success());
    let package = Package::open(folder.path()).expect("a package");
    let is_named = package.findings().iter().any(|finding| {
        matches!(finding, Finding::NotUsed { what, .. } if what == "pipe_1.0.0.bundle.tar")
    });
    assert!(is_named, "{:?}", package.findings());
    assert_eq!(
        seen(package),
        (vec!["good-1.0.0".into()], vec![ErrorKind::Missing, ErrorKind::UnsafePath])
    );

    let links =
        ["nowhere.tar", "../../etc/passwd"].map(|to| Entry::Link("lost.tar".into(), to.into()));
    for link in links {
        let good = Entry::file("good.tar", bundle("good").tar());
        assert_eq!(read(&tar(&[link, good])).1.len(), 1);
    }
}
