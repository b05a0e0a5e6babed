//! A package declares one architecture, and the config of an image in it says another one: the programs in
//! the image decide.

use multiarch_core::{Finding, OpenOptions};
use multiarch_generator::{Image, Layer, Layout, gzip, images_tar, named};

use crate::runs::{Folder, import_paths, platforms, store};

const TAG: &str = "team/app:1";
/// Heads of ELF files: `e_ident`, `ET_DYN`, and the machines EM_X86_64 (62) and EM_S390 (22) of the System V
/// ABI's registry.
const AMD64: &str = "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0";
const S390X: &str = "\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x03\0\x16\0\0\0\x01";

fn image(config: &str, program: &str) -> Image {
    let layers = vec![Layer::gzip("etc/os-release", "x"), Layer::gzip("bin/app", program)];
    let mut image = Image::of(config, "", layers);
    if config.is_empty() {
        let text = String::from_utf8(image.config).expect("JSON");
        image.config = text.replace(r#""os":"linux","#, r#""os":"","#).into_bytes();
    }
    image
}

/// The file of an image in a package for s390x.
fn package(folder: &Folder, image: &Image) -> std::path::PathBuf {
    let name = "addon-offline-full-package-v1.0.0-s390x.tar.gz";
    folder.write(name, gzip(&images_tar(&[("quay.io/team/app:1", image)])))
}

/// k3s-io/k3s#1285: a cross build that left the config as it was, and an image that really is amd64.
#[test]
fn the_programs_decide() {
    let folder = Folder::new();
    let amd64 =
        folder.write("a.tar", images_tar(&[("quay.io/team/app:1", &image("amd64", AMD64))]));
    for (config, program, alone, beside) in [
        ("amd64", S390X, "linux/s390x", &["linux/amd64", "linux/s390x"][..]),
        ("amd64", AMD64, "linux/amd64", &["linux/amd64"]),
        ("amd64", "#!/bin/sh", "linux/amd64", &["linux/amd64"]),
        ("", S390X, "linux/s390x", &["linux/amd64", "linux/s390x"]),
        ("", "#!/bin/sh", "linux/s390x", &["linux/amd64", "linux/s390x"]),
    ] {
        let path = package(&folder, &image(config, program));
        let (target, memory) = store();
        let report = import_paths(&[&path], &target);
        assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
        let found = report.findings.iter().find_map(|finding| match finding {
            Finding::Mislabelled { imported_as, .. } => Some(imported_as.clone()),
            _ => None,
        });
        assert_eq!(found.as_deref(), Some(alone), "{config:?}");
        assert_eq!(platforms(&*memory, TAG), [alone], "{config:?} alone");
        for order in [[&*path, &*amd64], [&*amd64, &*path]] {
            let (target, memory) = store();
            for path in order {
                assert!(import_paths(&[path], &target).complete);
            }
            assert_eq!(platforms(&*memory, TAG), beside, "{config:?}");
        }
    }
}

/// What an index states counts, whatever the package declares and the programs are for.
#[test]
fn an_index_of_one_image_states_its_platform() {
    let folder = Folder::new();
    let mut layout = Layout::new();
    let entry = layout.image(&image("amd64", S390X));
    let index = layout.index(&[entry]);
    let layout = layout.top(named(index, "quay.io/team/app:1"));
    let path = folder.write("addon-offline-full-package-v1.0.0-s390x.tar.gz", gzip(&layout.tar()));
    let (target, memory) = store();
    let report = import_paths(&[&path], &target);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(platforms(&*memory, TAG), ["linux/amd64"]);
    let is_about_package = |finding: &Finding| matches!(finding, Finding::Mislabelled { .. });
    assert!(!report.findings.iter().any(is_about_package), "{:?}", report.findings);
}

/// One whose programs do not speak for it replaces no image that is there.
#[test]
fn a_doubtful_image_replaces_nothing() {
    let folder = Folder::new();
    let held =
        folder.write("a.tar", images_tar(&[("quay.io/team/app:1", &image("amd64", "held"))]));
    let (target, memory) = store();
    assert!(import_paths(&[&held], &target).complete);
    let name = TAG.parse().expect("a name");
    let before = multiarch_core::ImageStore::get_tag(&*memory, &name).expect("read");
    assert!(import_paths(&[&package(&folder, &image("amd64", "other"))], &target).complete);
    assert_eq!(multiarch_core::ImageStore::get_tag(&*memory, &name).expect("read"), before);
}

#[test]
fn all_programs_are_looked_at_where_that_is_asked_for() {
    let folder = Folder::new();
    let path = folder.write("x.tar", images_tar(&[("quay.io/team/app:1", &image("amd64", S390X))]));
    let quiet = OpenOptions::new().open(&path).expect("a package");
    assert!(quiet.findings().is_empty());
    let package = OpenOptions::new().read_programs().open(&path).expect("a package");
    let [Finding::OtherPrograms { platform, programs, .. }] = package.findings() else {
        panic!("{:?}", package.findings());
    };
    assert_eq!((platform.as_str(), programs.as_str()), ("linux/amd64", "s390x"));
    assert!(package.inspect().to_string().contains("(programs: s390x)"));
}
