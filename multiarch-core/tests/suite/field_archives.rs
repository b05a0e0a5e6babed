//! Archives as people have them: every entry is used, foreign by its content, or reported.

use multiarch_core::{ErrorKind, Finding, OpenOptions, Package};
use multiarch_generator::{Bundle, Entry, Image, Layer, gzip, images_tar, tar};

use crate::runs::{Folder, import_paths, kinds, platforms, store};

fn bundle(name: &str) -> Bundle {
    let image = Image::new("amd64", name);
    Bundle::simple(name, "1.0.0", &[("app", "quay.io", &format!("team/{name}"), "1", &image)])
}

/// A package with these bundles.
fn package(names: &[&str]) -> Vec<u8> {
    let entries = names
        .iter()
        .map(|name| Entry::file(format!("addon/{name}_1.0.0.bundle.tar"), bundle(name).tar()));
    tar(&entries.collect::<Vec<_>>())
}

/// libarchive/libarchive#457: data after the end mark is reported, at every depth and in every form.
#[test]
fn data_after_an_end_mark_is_reported() {
    let folder = Folder::new();
    let (first, second) = (package(&["a"]), package(&["b"]));
    let joined = [bundle("a").tar(), second.clone()].concat();
    let images = bundle("c").images.expect("images");
    let in_images = Bundle { images: Some([images.clone(), images].concat()), ..bundle("c") };
    for (name, content) in [
        ("joined.tar", [first.clone(), second.clone()].concat()),
        ("joined.tar.gz", [gzip(&first), gzip(&second)].concat()),
        ("a_1.0.0.bundle.tar", joined.clone()),
        ("outer.tar", tar(&[Entry::file("addon/a_1.0.0.bundle.tar", joined.clone())])),
        ("outer.tar.gz", gzip(&tar(&[Entry::file("addon/a_1.0.0.bundle.tar", joined)]))),
        ("c_1.0.0.bundle.tar", in_images.tar()),
    ] {
        let report = import_paths(&[&folder.write(name, content)], &store().0);
        assert!(!report.complete && kinds(&report).contains(&ErrorKind::Malformed), "{name}");
    }
    // Zeros are padding.
    let padded = [first, vec![0; 10 << 10]].concat();
    assert!(import_paths(&[&folder.write("padded.tar", padded)], &store().0).complete);
}

/// alexcrichton/tar-rs#440: GNU tar's volume label has an empty size.
#[test]
fn a_volume_label_is_skipped() {
    let folder = Folder::new();
    let mut label = tar::Header::new_gnu();
    label.set_path("a label").expect("short");
    label.set_entry_type(tar::EntryType::new(b'V'));
    label.set_cksum();
    let mut header = *label.as_bytes();
    header[124..136].fill(0);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let path = folder.write("label.tar", [header.to_vec(), package(&["a"])].concat());
    let (target, memory) = store();
    assert!(import_paths(&[&path], &target).complete);
    assert_eq!(platforms(&*memory, "team/a:1"), ["linux/amd64"]);
}

/// A damaged header is damage of that file: the package beside it is imported.
#[test]
fn a_damaged_file_stops_no_other() {
    let folder = Folder::new();
    let mut damaged = package(&["a", "b"]);
    let name = b"addon/b_1.0.0.bundle.tar";
    let at = damaged.windows(name.len()).rposition(|w| w == name).expect("there");
    damaged[at + 130] = 0xff;
    let damaged = folder.write("damaged.tar", damaged);
    let good = folder.write("good.tar", package(&["good"]));
    let (target, memory) = store();
    let report = import_paths(&[&good, &damaged], &target);
    assert!(kinds(&report).contains(&ErrorKind::Malformed), "{:?}", kinds(&report));
    assert_eq!(platforms(&*memory, "team/good:1"), ["linux/amd64"]);
}

/// `images.tar` may be packed, or stand in a folder as an archive for each image; bundles may lie in the
/// folder of another one, or beside a stray file of hints.
#[test]
fn nothing_in_a_claimed_folder_is_dropped() {
    let folder = Folder::new();
    let images = bundle("a").images.expect("images");
    let without = Bundle { images: None, ..bundle("a") };
    let with = |path: &str, content: Vec<u8>| {
        let mut entries = without.entries();
        entries.push(Entry::file(path, content));
        tar(&entries)
    };
    let mut nested: Vec<Entry> = bundle("a")
        .entries()
        .into_iter()
        .map(|entry| match entry {
            Entry::File(path, content) => Entry::File(format!("a/{path}"), content),
            other => other,
        })
        .collect();
    nested.push(Entry::file("a/more/b_1.0.0.bundle.tar", bundle("b").tar()));
    let stray = [
        Entry::file("hints.yaml", "- x\n"),
        Entry::file("a_1.0.0.bundle.tar", bundle("a").tar()),
        Entry::file("b_1.0.0.bundle.tar", bundle("b").tar()),
    ];
    for (name, content, tags) in [
        ("packed.tar", with("images.tar.gz", gzip(&images)), &["team/a:1"][..]),
        ("folder.tar", with("images/app.tar", images), &["team/a:1"]),
        ("nested.tar", tar(&nested), &["team/a:1", "team/b:1"]),
        ("stray.tar", tar(&stray), &["team/a:1", "team/b:1"]),
    ] {
        let (target, memory) = store();
        let report = import_paths(&[&folder.write(name, content)], &target);
        assert!(report.complete, "{name}: {:?}", report.errors().collect::<Vec<_>>());
        for tag in tags {
            assert_eq!(platforms(&*memory, tag), ["linux/amd64"], "{name}");
        }
        let unused = report.findings.iter().any(|f| matches!(f, Finding::NotUsed { .. }));
        assert_eq!(unused, name == "stray.tar");
    }
}

/// The archives of both architectures may lie in one bundle under one name.
#[test]
fn a_bundle_with_an_archive_for_each_architecture() {
    let folder = Folder::new();
    let mut entries = Bundle { images: None, ..bundle("a") }.entries();
    for architecture in ["amd64", "arm64"] {
        let tar = images_tar(&[("quay.io/team/a:1", &Image::new(architecture, "a"))]);
        entries.push(Entry::file(format!("images/a-{architecture}.tar"), tar));
    }
    let (target, memory) = store();
    assert!(import_paths(&[&folder.write("a_1.0.0.bundle.tar", tar(&entries))], &target).complete);
    assert_eq!(platforms(&*memory, "team/a:1"), ["linux/amd64", "linux/arm64"]);
}

/// A sparse file in PAX format, version 0.0, 0.1 or 1.0, as GNU tar and bsdtar write them.
fn sparse_pax(version: &str, name: &str, pieces: &[(usize, &[u8])], size: usize) -> Vec<u8> {
    let record = |key: &str, value: &str| {
        let rest = format!(" GNU.sparse.{key}={value}\n");
        let mut length = rest.len() + 1;
        while length.to_string().len() + rest.len() != length {
            length = length.to_string().len() + rest.len();
        }
        format!("{length}{rest}")
    };
    let numbers: Vec<String> =
        pieces.iter().map(|(at, data)| format!("{at},{}", data.len())).collect();
    let mut records = String::new();
    let mut content = Vec::new();
    match version {
        "0.0" => {
            records += &record("size", &size.to_string());
            records += &record("numblocks", &pieces.len().to_string());
            for (at, data) in pieces {
                records += &record("offset", &at.to_string());
                records += &record("numbytes", &data.len().to_string());
            }
        }
        "0.1" => {
            records += &record("size", &size.to_string());
            records += &record("name", name);
            records += &record("map", &numbers.join(","));
        }
        _ => {
            records += &record("major", "1");
            records += &record("minor", "0");
            records += &record("name", name);
            records += &record("realsize", &size.to_string());
            content = format!("{}\n", pieces.len()).into_bytes();
            for (at, data) in pieces {
                content.extend(format!("{at}\n{}\n", data.len()).bytes());
            }
            content.resize(content.len().next_multiple_of(512), 0);
        }
    }
    pieces.iter().for_each(|(_, data)| content.extend(*data));
    let mut out = Vec::new();
    let stored = if version == "0.0" { name.to_owned() } else { format!("GNUSparseFile.1/{name}") };
    for (path, kind, content) in
        [("PaxHeaders/x", b'x', records.as_bytes()), (stored.as_str(), b'0', &content)]
    {
        let mut header = tar::Header::new_ustar();
        header.set_path(path).expect("short");
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.extend(header.as_bytes());
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend([0; 1024]);
    out
}

/// docker/cli#6153: runs of zeros are left out of the archive, and the file is the same. Read in full, also
/// where the archive is compressed, and where it is nested.
#[test]
fn sparse_files_are_read() {
    let folder = Folder::new();
    let zeros = "\0".repeat(60 << 10);
    let image = Image::of("amd64", "", vec![Layer::plain("zero", &zeros)]);
    let bundle = Bundle::simple("z", "1.0.0", &[("app", "quay.io", "team/z", "1", &image)]);
    let content = bundle.tar();
    // Cut at the long run of zeros.
    let hole = content.windows(40 << 10).position(|w| w.iter().all(|b| *b == 0)).expect("zeros");
    let hole = hole.next_multiple_of(512);
    let after = (hole + (40 << 10)) / 512 * 512 - 512;
    let pieces = [(0, &content[..hole]), (after, &content[after..])];
    for version in ["0.0", "0.1", "1.0"] {
        let sparse = sparse_pax(version, "addon/z_1.0.0.bundle.tar", &pieces, content.len());
        for (name, content) in [("package.tar", sparse.clone()), ("package.tar.gz", gzip(&sparse))]
        {
            let (target, memory) = store();
            let report = import_paths(&[&folder.write(name, content)], &target);
            assert!(report.complete, "{version}: {:?}", report.errors().collect::<Vec<_>>());
            assert_eq!(platforms(&*memory, "team/z:1"), ["linux/amd64"], "{version}");
        }
    }
    // A map that does not fit is an error, and nothing is made up.
    let wrong = sparse_pax("0.1", "addon/z_1.0.0.bundle.tar", &[(9, b"x"), (3, b"y")], 12);
    let error = Package::open(folder.write("wrong.tar", wrong)).expect_err("malformed");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

/// JuliaLang/julia#42251: another file of the same size and time is not taken for the one that the index
/// cache knows, whether it was written in place or put there by renaming.
#[test]
fn another_file_of_the_same_size_and_time_is_read_anew() {
    let folder = Folder::new();
    let write = |name: &str, tag: &str| {
        let image = Image::new("amd64", "a");
        let bundle = Bundle::simple("a", "1.0.0", &[("app", "quay.io", "team/a", tag, &image)]);
        // A long file before it, so that samples of the bytes are equal in both.
        let noise: Vec<u8> =
            (0..6_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let entries =
            [Entry::file("noise", noise), Entry::file("a_1.0.0.bundle.tar", bundle.tar())];
        let path = folder.write(name, tar(&entries));
        let file = std::fs::File::options().write(true).open(&path).expect("open");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("set");
        path
    };
    let options = OpenOptions::new().cache(folder.path().join("cache"));
    let names = |path: &std::path::Path| {
        let package = options.open(path).expect("a package");
        let text = serde_json::to_value(package.inspect()).expect("JSON");
        text["bundles"][0]["images"][0]["references"][0].as_str().expect("text").to_owned()
    };
    let path = write("p.tar", "1.0");
    assert_eq!(names(&path), "quay.io/team/a:1.0");
    write("p.tar", "1.1");
    assert_eq!(names(&path), "quay.io/team/a:1.1", "written in place");
    let other = write("q.tar", "1.2");
    std::fs::rename(other, &path).expect("renamed");
    assert_eq!(names(&path), "quay.io/team/a:1.2", "put in its place");
}
