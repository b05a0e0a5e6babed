//! Several processes write the same tags at once, each with another architecture, while crane and skopeo
//! write beside them. No platform is lost.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Child, Stdio},
};

use multiarch_generator::images_tar;
use serde_json::Value;

use crate::{
    desk::{Desk, multiarch, tags},
    server::{Kind, Server},
    stage::image,
    tools::{succeed, tool},
};

const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "s390x", "ppc64le"];

fn rounds() -> usize {
    if std::env::var_os("MULTIARCH_ENDURANCE").is_some() { 200 } else { 10 }
}

/// Two images of this architecture under names of this round. One of them is in every round the same.
fn archive(desk: &Desk, architecture: &str, round: usize) -> String {
    let (app, web) = (image(architecture, &format!("app {round}")), image(architecture, "web"));
    let names = [format!("quay.io/demo/app:r{round}"), format!("quay.io/demo/web:r{round}")];
    let content = images_tar(&[(&names[0], &app), (&names[1], &web)]);
    desk.write(&format!("{architecture}-{round}.tar"), content)
}

/// Starts imports of some architectures, runs something beside them, and waits for their end.
fn race(desk: &Desk, round: usize, target: &str, beside: impl FnOnce()) -> BTreeSet<&'static str> {
    let taking_part = &ARCHITECTURES[..2 + round % 3];
    let start = |architecture: &&str| -> Child {
        let package = archive(desk, architecture, round);
        let mut command = multiarch();
        command.args(["import", "-q", &package, "--to", target]).stdout(Stdio::null());
        command.stderr(Stdio::piped()).spawn().expect("runs")
    };
    let children: Vec<Child> = taking_part.iter().map(start).collect();
    beside();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "round {round}: {err}");
    }
    for architecture in taking_part {
        let _ = std::fs::remove_file(desk.path().join(format!("{architecture}-{round}.tar")));
    }
    taking_part.iter().copied().collect()
}

/// The architectures that an index lists.
fn listed(index: &str) -> BTreeSet<String> {
    let index: Value = serde_json::from_str(index).expect("JSON");
    let entries = index["manifests"].as_array().into_iter().flatten();
    let text = |entry: &Value| entry["platform"]["architecture"].as_str().map(str::to_owned);
    entries.filter_map(text).collect()
}

/// Which of the expected architectures a tag has lost.
fn lost(held: &BTreeSet<String>, expected: &BTreeSet<&str>) -> Vec<String> {
    let lost = expected.iter().filter(|architecture| !held.contains(**architecture));
    lost.map(|architecture| (*architecture).to_owned()).collect()
}

#[expect(clippy::print_stdout, reason = "the counts are what the test is run for")]
fn conclude(what: &str, lost: &[String]) {
    println!("\nraces: {} rounds on {what}, {} platforms lost", rounds(), lost.len());
    assert!(lost.is_empty(), "{lost:#?}");
}

fn registry(kind: Kind) {
    let (desk, server) = (Desk::new(), Server::start(kind));
    let other = image("riscv64", "other");
    let content = images_tar(&[("quay.io/demo/app:v1", &other)]);
    let file = desk.write("other.tar", content);
    let mut gone = Vec::new();
    for round in 0..rounds() {
        // Another tool has written another platform to one of the tags before.
        let name = format!("demo/app:r{round}");
        succeed(tool("crane").args(["push", "--insecure", &file, &server.at(&name)]));
        let mut expected = race(&desk, round, &server.target(), || {
            let beside = server.at(&format!("demo/app:crane-{round}"));
            succeed(tool("crane").args(["push", "--insecure", &file, &beside]));
            let beside = format!("docker://{}", server.at(&format!("demo/web:skopeo-{round}")));
            succeed(
                tool("skopeo")
                    .args(["copy", "--insecure-policy", "--dest-tls-verify=false"])
                    .args([&format!("docker-archive:{file}"), &beside]),
            );
        });
        let web = format!("demo/web:r{round}");
        for architecture in lost(&listed(&server.manifest(&web)), &expected) {
            gone.push(format!("{kind:?}, {web}: {architecture}"));
        }
        expected.insert("riscv64");
        for architecture in lost(&listed(&server.manifest(&name)), &expected) {
            gone.push(format!("{kind:?}, {name}: {architecture}"));
        }
        for beside in [format!("demo/app:crane-{round}"), format!("demo/web:skopeo-{round}")] {
            server.digest(&beside);
        }
    }
    server.validate("demo/app:r0");
    conclude(&format!("{kind:?}"), &gone);
}

#[test]
fn on_docker_registry() {
    registry(Kind::Debian);
}

#[test]
fn on_distribution_3() {
    registry(Kind::V3);
}

/// In a directory skopeo comes between the rounds: it takes no lock, so that what it does at the same time
/// as another writer is lost with any of them.
#[test]
fn in_a_directory() {
    let desk = Desk::new();
    let other = images_tar(&[("quay.io/demo/app:v1", &image("riscv64", "other"))]);
    let file = desk.write("other.tar", other);
    let mut gone = Vec::new();
    for round in 0..rounds() {
        let beside = format!("skopeo-{round}");
        succeed(tool("skopeo").args(["copy", "--insecure-policy"]).args([
            &format!("docker-archive:{file}"),
            &format!("oci:{}:{beside}", desk.store().display()),
        ]));
        let expected = race(&desk, round, &desk.target(), || {});
        let tags = tags(&desk.store());
        if !tags.contains_key(&beside) {
            gone.push(format!("{beside} is gone"));
        }
        for name in [format!("demo/app:r{round}"), format!("demo/web:r{round}")] {
            let index = tags.get(&name).map(|digest| blob(&desk.store(), digest));
            for architecture in lost(&listed(&index.unwrap_or_else(|| "{}".into())), &expected) {
                gone.push(format!("{name}: {architecture}"));
            }
        }
    }
    conclude("a directory", &gone);
}

fn blob(store: &Path, digest: &str) -> String {
    let path = store.join("blobs").join(digest.replace(':', "/"));
    std::fs::read_to_string(path).expect("what a tag lists is there")
}
