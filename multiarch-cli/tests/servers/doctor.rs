//! `multiarch doctor`: damages that other tools, a registry's clean-up and hands have made are found, and mended
//! where packages hold what is missing. A healthy target has none.

use std::{collections::BTreeSet, fs, path::PathBuf};

use multiarch_generator::{Bundle, Entry, Image, Layer, gzip, images_tar, package_name, tar};
use serde_json::{Value, json};

use crate::{
    desk::Desk,
    server::{Kind, Server},
    tools::{succeed, tool},
};

/// The imported demo packages in a registry, under a path of their own.
struct Patient<'a> {
    server: &'a Server,
    path: String,
}

impl Patient<'_> {
    fn target(&self) -> String {
        format!("{}/{}", self.server.target(), self.path)
    }

    fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn at(&self, name: &str) -> String {
        self.server.at(&self.name(name))
    }

    fn index(&self) -> Value {
        serde_json::from_str(&self.server.manifest(&self.name("demo/web:v1.2.0"))).expect("JSON")
    }

    /// The manifest of the web image for an architecture.
    fn child(&self, architecture: &str) -> String {
        let index = self.index();
        let children = index["manifests"].as_array().expect("an index").iter();
        let mut of = children.filter(|child| child["platform"]["architecture"] == architecture);
        of.next().expect("a child")["digest"].as_str().expect("a digest").to_owned()
    }

    fn manifest(&self, architecture: &str) -> Value {
        let name = format!("{}@{}", self.name("demo/web"), self.child(architecture));
        serde_json::from_str(&self.server.manifest(&name)).expect("JSON")
    }

    fn repository(&self, path: &str) -> PathBuf {
        self.server.storage().join("repositories").join(self.name(path))
    }

    fn regctl(&self, words: &[&str]) -> String {
        let host = self.server.at("").trim_end_matches('/').to_owned();
        succeed(tool("regctl").args(["--host", &format!("reg={host},tls=disabled")]).args(words))
    }

    /// Puts an index in place of the web image's.
    fn put(&self, index: &Value) {
        self.server.put(&self.name("demo/web"), "v1.2.0", "", &index.to_string());
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The kinds of damages that are found.
fn kinds(diagnosis: &Value) -> BTreeSet<String> {
    let damages = diagnosis["damages"].as_array().expect("damages").iter();
    damages.map(|damage| text(&damage["kind"])).collect()
}

type Harm = fn(&Patient<'_>);

/// What is done to the web image, what the doctor calls it, and whether the packages mend it.
const HARMS: [(&str, &str, bool, Harm); 17] = [
    ("crane writes one architecture over the tag", "collapsed", true, |p| {
        let child = format!("{}@{}", p.at("demo/web"), p.child("amd64"));
        succeed(tool("crane").args(["copy", &child, &p.at("demo/web:v1.2.0")]));
    }),
    ("skopeo copies one architecture", "collapsed", true, |p| {
        let child = format!("docker://{}@{}", p.at("demo/web"), p.child("arm64"));
        let to = format!("docker://{}", p.at("demo/web:v1.2.0"));
        let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        succeed(tool("skopeo").arg("copy").args(plain).args([child, to]));
    }),
    ("regctl takes an architecture out of the index", "collapsed", true, |p| {
        let name = p.at("demo/web:v1.2.0");
        p.regctl(&["index", "delete", "--platform", "linux/arm64/v8", &name]);
    }),
    ("regctl deletes a manifest", "missing-manifest", true, |p| {
        let name = format!("{}@{}", p.at("demo/web"), p.child("arm64"));
        p.regctl(&["manifest", "delete", &name]);
    }),
    ("crane deletes a manifest", "missing-manifest", true, |p| {
        let name = format!("{}@{}", p.at("demo/web"), p.child("amd64"));
        succeed(tool("crane").args(["delete", &name]));
    }),
    ("a tag is removed", "collapsed", true, |p| {
        fs::remove_dir_all(p.repository("demo/web").join("_manifests/tags/v1.2.0")).expect("there");
    }),
    ("a whole repository is removed", "collapsed", true, |p| {
        fs::remove_dir_all(p.repository("demo/web")).expect("there");
    }),
    ("a layer is unlinked", "missing-blob", true, |p| {
        let layer = text(&p.manifest("amd64")["layers"][0]["digest"]).replace(':', "/");
        fs::remove_dir_all(p.repository("demo/web").join("_layers").join(layer)).expect("there");
    }),
    ("a config is unlinked", "missing-blob", true, |p| {
        let config = text(&p.manifest("arm64")["config"]["digest"]).replace(':', "/");
        fs::remove_dir_all(p.repository("demo/web").join("_layers").join(config)).expect("there");
    }),
    ("a revision is unlinked", "missing-manifest", true, |p| {
        let child = p.child("arm64").replace(':', "/");
        let revisions = p.repository("demo/web").join("_manifests/revisions");
        fs::remove_dir_all(revisions.join(child)).expect("there");
    }),
    ("oras writes an index with the platforms exchanged", "other-platform", false, |p| {
        let mut index = p.index();
        let [a, b] = [0, 1].map(|n| index["manifests"][n]["platform"].clone());
        (index["manifests"][0]["platform"], index["manifests"][1]["platform"]) = (b, a);
        p.put(&index);
    }),
    ("oras writes an index that lists an image twice", "listed-twice", false, |p| {
        let mut index = p.index();
        let first = index["manifests"][0].clone();
        index["manifests"].as_array_mut().expect("a list").push(first);
        p.put(&index);
    }),
    ("oras writes a manifest that lacks a layer", "misfit", true, |p| {
        let mut manifest = p.manifest("amd64");
        manifest["layers"].as_array_mut().expect("a list").pop();
        p.put(&manifest);
    }),
    (
        "crane gives an image an architecture that nobody knows",
        "unknown-architecture",
        false,
        |p| {
            let child = format!("{}@{}", p.at("demo/web"), p.child("amd64"));
            let words =
                ["mutate", &child, "--set-platform", "linux/x64", "-t", &p.at("demo/web:odd")];
            succeed(tool("crane").args(words));
        },
    ),
    ("an older tool leaves tags for single architectures", "helper-tag", false, |p| {
        let child = format!("{}@{}", p.at("demo/web"), p.child("amd64"));
        succeed(tool("crane").args(["copy", &child, &p.at("demo/web:v1.2.0-amd64")]));
    }),
    ("an image has the programs of another architecture", "other-programs", false, |p| {
        let mut program = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0];
        program.extend([183, 0, 1, 0, 0, 0]);
        let program = String::from_utf8_lossy(&program).into_owned();
        // 183 is no UTF-8 by itself: a program for 32-bit ARM (40) stands in.
        let program = program.replace('\u{fffd}', "\u{28}");
        let image = Image::of("amd64", "", vec![Layer::gzip("bin/app", &program)]);
        p.server.push(&image, &p.name("demo/web:wrong"));
    }),
    ("a tag is written with the image of another tag", "other-image", false, |p| {
        let other = p.at("library/cache:7-alpine");
        let to = p.at("demo/web:v1.2.0");
        succeed(tool("crane").args(["copy", "--platform", "linux/amd64", &other, &to]));
    }),
];

#[test]
fn damages_are_found_and_mended() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    for (number, (what, kind, mends, harm)) in HARMS.into_iter().enumerate() {
        let patient = Patient { server: &server, path: format!("p{number}") };
        let target = patient.target();
        let run = desk.run(&["import", &amd64, &arm64, "--to", &target]);
        assert_eq!(run.code, Some(0), "{what}: {}", run.err);
        let doctor = |more: &[&str]| {
            let words = ["doctor", &amd64, &arm64, "--to", &target, "--json", "--elf"];
            desk.run(&[&words, more].concat())
        };
        assert_eq!(kinds(&doctor(&[]).json()), BTreeSet::new(), "{what}: healthy before");
        harm(&patient);
        let found = doctor(&[]);
        let diagnosis = found.json();
        assert!(kinds(&diagnosis).contains(kind), "{what}: {diagnosis:#}");
        let is_error = diagnosis["damages"][0]["severity"] == "error";
        assert_eq!(found.code, Some(i32::from(is_error)), "{what}");
        let mended = doctor(&["--repair"]);
        if mends {
            assert_eq!(mended.code, Some(0), "{what}: {}{}", mended.out, mended.err);
            assert_eq!(kinds(&mended.json()), BTreeSet::new(), "{what}");
            server.validate(&patient.name("demo/web:v1.2.0"));
        }
    }
}

#[test]
fn garbage_collection_is_found_and_mended() {
    let desk = Desk::new();
    let mut server = Server::start(Kind::Debian);
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let run = desk.run(&["import", &amd64, &arm64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    server.collect_garbage();
    let run = desk.run(&["doctor", "--to", &target, "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(kinds(&run.json()).contains("missing-manifest"), "{}", run.out);
    assert!(run.err.contains("--repair"), "{}", run.err);
    let run = desk.run(&["doctor", &amd64, &arm64, "--to", &target, "--repair"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.out.contains("0 errors, 0 warnings"), "{}", run.out);
    server.validate("demo/web:v1.2.0");
}

/// Charts that name what is gone, and values that hold digests that are gone.
#[test]
fn charts_that_name_what_is_not_there() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let (amd64, target) = (desk.package("amd64"), server.target());
    let charts = format!("dir:{}", desk.path().join("charts").display());
    let to = ["--to", &target, "--charts-to", &charts];
    let run = desk.run(&[&["import", &amd64], &to[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = desk.run(&[&["doctor", "--json"], &to[..]].concat());
    assert_eq!((run.code, kinds(&run.json())), (Some(0), BTreeSet::new()), "{}", run.out);
    fs::remove_dir_all(server.storage().join("repositories/demo/web")).expect("there");
    let values = format!("image:\n  digest: sha256:{}\n", "ab".repeat(32));
    let (chart, version) = ("pinned".into(), "1.0.0".into());
    let pinned = Bundle { chart, version, values, ..Bundle::default() };
    let pinned = desk.write(&pinned.file_name(), pinned.tar());
    let run = desk.run(&[&["import", &pinned], &to[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = desk.run(&[&["doctor", "--json"], &to[..]].concat());
    assert_eq!(run.code, Some(1), "{}", run.err);
    let found = kinds(&run.json());
    assert!(found.contains("dangling-name") && found.contains("dangling-pin"), "{}", run.out);
    let run = desk.run(&[&["doctor", &amd64, "--repair", "--json"], &to[..]].concat());
    let found = kinds(&run.json());
    assert!(!found.contains("dangling-name"), "{}", run.out);
}

/// A file that a hand has changed in a layout.
#[test]
fn layouts_that_hands_have_changed() {
    let desk = Desk::new();
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), desk.target());
    let blobs = || {
        let blobs = fs::read_dir(desk.store().join("blobs/sha256")).expect("a folder");
        let mut blobs: Vec<PathBuf> = blobs.map(|blob| blob.expect("a file").path()).collect();
        blobs.sort();
        blobs
    };
    let run = desk.run(&["import", &amd64, &arm64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for number in 0..blobs().len() {
        let blob = &blobs()[number];
        match number % 3 {
            0 => fs::remove_file(blob).expect("removed"),
            1 => fs::write(blob, "").expect("cut"),
            _ => fs::write(blob, fs::read(blob).expect("read").repeat(2)).expect("changed"),
        }
        let run = desk.run(&["doctor", "--to", &target]);
        assert_eq!(run.code, Some(1), "{number} {}: {}", blob.display(), run.out);
        let run = desk.run(&["doctor", &amd64, &arm64, "--to", &target, "--repair"]);
        assert_eq!(run.code, Some(0), "{number} {}: {}{}", blob.display(), run.out, run.err);
    }
}

/// What a look at 300 images costs, and that nothing is found where nothing is wrong.
#[test]
fn a_healthy_target() {
    let desk = Desk::new();
    let server = Server::start_with(Kind::Debian, |_| multiarch_testing::Fault::Nothing);
    let mut packages = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let bundles = (0..60).map(|chart| {
            let name = format!("chart{chart}");
            let images: Vec<(String, String, Image)> = (0..5)
                .map(|image| {
                    let repository = format!("demo/c{chart}-{image}");
                    (format!("i{image}"), repository.clone(), Image::new(architecture, &repository))
                })
                .collect();
            let images: Vec<_> = images
                .iter()
                .map(|(key, repository, image)| {
                    (key.as_str(), "quay.io", repository.as_str(), "1", image)
                })
                .collect();
            let bundle = Bundle::simple(&name, "1.0.0", &images);
            Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar())
        });
        let package = gzip(&tar(&bundles.collect::<Vec<_>>()));
        packages.push(desk.write(&package_name("v2.0.0", architecture), package));
    }
    let charts = format!("dir:{}", desk.path().join("charts").display());
    let to = ["--to", &server.target(), "--charts-to", &charts];
    let run = desk.run(&[&["import", &packages[0], &packages[1]], &to[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    server.take();
    let run = desk.run(&[&["doctor", "--json"], &to[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let diagnosis = run.json();
    assert_eq!(diagnosis["damages"], json!([]), "{}", run.out);
    assert_eq!((&diagnosis["tags"], &diagnosis["images"]), (&json!(300), &json!(600)));
    let requests = server.take();
    let requests = requests.len();
    // A tag and its list, and of each of two images the manifest, the config and two layers.
    assert!(requests <= 300 * 10 + 10, "{requests} requests");
    let archive = images_tar(&[("quay.io/demo/c0-0:1", &Image::new("s390x", "demo/c0-0"))]);
    let other = desk.write("other.tar", archive);
    let run = desk.run(&["doctor", &other, "--to", &server.target(), "--json"]);
    assert_eq!(kinds(&run.json()), BTreeSet::from(["collapsed".to_owned()]), "{}", run.out);
}
