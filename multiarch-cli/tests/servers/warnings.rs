//! The four warnings of the installer's manual, each from end to end with what the operator sees.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use multiarch_generator::{Bundle, Entry, Image, Layer, gzip, package_name, tar};
use multiarch_testing::{Fault, Harbor, Registry, Setup};

use crate::{
    desk::{Desk, PROGRAM, Run, multiarch},
    server::{Kind, Server},
    tools::{succeed, tool},
};

/// "Keep a lot of disk free": what a directory needs is compared with what is free, before anything is written.
/// Where the disk is full nevertheless, what fits stays, and the same command goes on.
#[test]
fn a_full_disk() {
    let desk = Desk::new();
    // A file system of 256 KiB, which only this process and its children see.
    let archives: Vec<String> = (0..3)
        .map(|number| {
            let text: String = (0..90_000).map(|n| char::from(b'a' + (n * 7 % 23) as u8)).collect();
            let image = Image::of("amd64", "", vec![Layer::plain(&format!("f{number}"), &text)]);
            let name = format!("quay.io/team/app{number}:1");
            desk.write(
                &format!("a{number}.tar"),
                multiarch_generator::images_tar(&[(&name, &image)]),
            )
        })
        .collect();
    let small = desk.path().join("small");
    std::fs::create_dir(&small).expect("created");
    let script = format!(
        "mount -t tmpfs -o size=256k tmpfs {small} && cd {small} || exit 99\n\
         for verb in check import 'import --anyway'; do\n\
         {PROGRAM} $verb {all} --to oci:store --no-cache 2>&1; echo \"$verb exits with $?\"; done\n\
         {PROGRAM} doctor --to oci:store 2>&1; echo doctor exits with $?; ls -A\n\
         mount -o remount,size=2m {small}; {PROGRAM} import {all} --to oci:store --no-cache 2>&1\n\
         echo the retry exits with $?; ls -A store",
        small = small.display(),
        all = archives.join(" "),
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    let run = Run::of(command.env("XDG_STATE_HOME", "none"));
    let out = &run.out;
    assert_eq!(run.code, Some(0), "{out}{}", run.err);
    for part in [
        "its disk has",
        "--anyway begins nevertheless",
        "check exits with 1",
        "import exits with 1",
        "import --anyway exits with 1",
        "No space left on device",
        "doctor exits with 0",
        "the retry exits with 0",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let left = out.split("the retry exits with 0").nth(1).expect("a list");
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["blobs", "index.json", "oci-layout"]);
}

/// "Delete what is left before a retry": a run that is killed leaves nothing to delete, and the same command goes on.
#[test]
fn killed_and_tried_again() {
    let desk = Desk::new();
    // The second tag has no answer when the run is killed; its rerun is answered at once.
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let server = Server::start_with(Kind::Debian, move |request| {
        let is_tag = request.method == "PUT" && request.path.contains("/manifests/v1");
        match is_tag && counted.fetch_add(1, Ordering::SeqCst) == 1 {
            true => Fault::Delay(Duration::from_secs(60)),
            false => Fault::Nothing,
        }
    });
    let (amd64, arm64, target) = (desk.package("amd64"), desk.package("arm64"), server.target());
    let words = ["import", &amd64, &arm64, "--to", &target];
    let before: Vec<_> =
        std::fs::read_dir(desk.path()).expect("a folder").flatten().map(|f| f.path()).collect();
    let mut child = multiarch().args(words).current_dir(desk.path()).spawn().expect("started");
    let begun = std::time::Instant::now();
    while seen.load(Ordering::SeqCst) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no second tag is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("waited for");
    let after: Vec<_> =
        std::fs::read_dir(desk.path()).expect("a folder").flatten().map(|f| f.path()).collect();
    assert_eq!(before, after, "nothing is left");
    let run = desk.run(&words);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.contains("unchanged") || run.out.contains("written"), "{}", run.out);
    assert_eq!(desk.run(&["doctor", &amd64, &arm64, "--to", &target]).code, Some(0));
}

/// "Create missing projects by hand, one is called `localhost`".
#[test]
fn a_missing_project_called_localhost() {
    let desk = Desk::new();
    let setup = Setup { harbor: Some(Harbor::new(&["quay"], "dev")), ..Setup::default() };
    let harbor = Registry::start(setup.user("dev", "secret"), |_| Fault::Nothing);
    let image = Image::new("amd64", "app");
    let bundle =
        Bundle::simple("app", "1.0.0", &[("app", "localhost", "localhost/app", "1", &image)]);
    let package =
        gzip(&tar(&[Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar())]));
    let package = desk.write(&package_name("v1.0.0", "amd64"), package);
    let target = format!("docker://{}", harbor.address());
    let run = |more: &[&str]| {
        let mut command = multiarch();
        command.env("MULTIARCH_USERNAME", "dev").env("MULTIARCH_PASSWORD", "secret");
        Run::of(command.args([&["import", &package, "--to", &target], more].concat()))
    };
    let first = run(&[]);
    assert_eq!(first.code, Some(1), "{}", first.err);
    assert!(first.err.contains("the project localhost is not there"), "{}", first.err);
    assert!(first.err.contains("next: add --create-projects"), "{}", first.err);
    let second = run(&["--create-projects"]);
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert_eq!(harbor.tags("localhost/app"), ["1"]);
}

/// "Packages before 0.12.0 collapse images on upgrade": v0.10 with two architectures, over which the old way has
/// written one of v0.11.
#[test]
fn an_upgrade_over_a_collapsed_target() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let target = server.target();
    // A floating tag, and one of the version.
    let package = |version: &str, architecture: &str| {
        let cache = Image::of(
            architecture,
            "",
            vec![Layer::gzip("cache", &format!("{version}{architecture}"))],
        );
        let web = Image::of(
            architecture,
            "",
            vec![Layer::gzip("web", &format!("{version}{architecture}"))],
        );
        let images = [
            ("app", "quay.io", "demo/web", version, &web),
            ("cache", "docker.io", "library/cache", "7", &cache),
        ];
        let bundle = Bundle::simple("web", version.trim_start_matches('v'), &images);
        let bundle = Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar());
        desk.write(&package_name(version, architecture), gzip(&tar(&[bundle])))
    };
    let old = ["amd64", "arm64"].map(|architecture| package("v0.10.0", architecture));
    let new = ["amd64", "arm64"].map(|architecture| package("v0.11.0", architecture));
    let run = desk.run(&["import", &old[0], &old[1], "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    // The old way pushes what one package holds, whatever is there.
    let single = Server::start(Kind::Debian);
    let run = desk.run(&["import", &new[0], "--to", &single.target()]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    for name in ["library/cache:7", "demo/web:v0.11.0"] {
        succeed(tool("crane").args(["copy", &single.at(name), &server.at(name)]));
    }
    let run = desk.run(&["doctor", &new[0], &new[1], "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(
        run.out.contains("the packages hold it for linux/arm64, which the tag lacks"),
        "{}",
        run.out
    );
    assert!(run.err.contains("--repair"), "{}", run.err);
    let run = desk.run(&["doctor", &new[0], &new[1], "--to", &target, "--repair"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let run = desk.run(&["status", "--to", &target]);
    assert_eq!(run.out.matches("linux/amd64, linux/arm64").count(), 3, "{}", run.out);
    // And the upgrade by this way, one architecture at a time, loses nothing on the way.
    let newer = package("v0.12.0", "amd64");
    let run = desk.run(&["import", &newer, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let status = desk.run(&["status", "--to", &target]).out;
    let cache = status.lines().find(|line| line.starts_with("library/cache:7")).expect("the tag");
    assert!(cache.contains("linux/amd64, linux/arm64"), "{status}");
}
