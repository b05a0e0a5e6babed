//! Other programs read the output, for both architectures.

use std::process::Command;

use multiarch_generator::{Entry, Image, Layer, images_tar, tar};

use crate::{
    desk::{Desk, tags},
    server::{Kind, Server},
    tools::{succeed, tool},
};

fn filled() -> Desk {
    let desk = Desk::new();
    let words = ["import", &desk.package("amd64"), &desk.package("arm64"), "--to", &desk.target()];
    assert_eq!(desk.run(&words).code, Some(0));
    desk
}

const BOTH: [&str; 2] = ["amd64", "arm64"];
const NAME: &str = "mesh/pilot:v1";

/// containers/image, the library that podman, skopeo and buildah use.
#[test]
fn containers_image_by_name() {
    let desk = filled();
    for architecture in BOTH {
        let mut command = tool("readlayout");
        let out = succeed(command.arg(desk.store()).args([NAME, architecture]));
        assert_eq!(out.trim(), format!("linux/{architecture}"));
    }
}

#[test]
fn oras_and_regctl_by_digest() {
    let desk = filled();
    let layout = format!("{}@{}", desk.store().display(), tags(&desk.store())[NAME]);
    for architecture in BOTH {
        let platform = format!("linux/{architecture}");
        let copy = desk.path().join(format!("oras-{architecture}"));
        let to = format!("{}:x", copy.display());
        succeed(tool("oras").args([
            "copy",
            "--from-oci-layout",
            &layout,
            "--to-oci-layout",
            &to,
            "--platform",
            &platform,
        ]));
        let read = succeed(tool("readlayout").arg(&copy).args(["x", architecture]));
        assert_eq!(read.trim(), platform);

        let reference = format!("ocidir://{layout}");
        let config =
            succeed(tool("regctl").args(["image", "inspect", "--platform", &platform, &reference]));
        assert!(config.contains(&format!("\"architecture\": \"{architecture}\"")), "{config}");
        let archive = desk.path().join(format!("regctl-{architecture}.tar"));
        let words = ["image", "export", "--platform", &platform, &reference];
        succeed(tool("regctl").args(words).arg(&archive));
    }
}

/// Debian's skopeo 1.9.3 reads OCI images by name, but not docker ones. The image has a Zstandard
/// layer, so that its manifest is OCI.
#[test]
fn skopeo_by_name() {
    let desk = Desk::new();
    let image = Image::of("amd64", "", vec![Layer::zstd("x", "content")]);
    let package =
        desk.write("x.tar", tar(&[Entry::file("i.tar", images_tar(&[("q.io/a/z:1", &image)]))]));
    assert_eq!(desk.run(&["import", &package, "--to", &desk.target()]).code, Some(0));
    let reference = format!("oci:{}:a/z:1", desk.store().display());
    let out = succeed(tool("skopeo").args(["inspect", "--config", &reference]));
    assert!(out.contains(&image.layers[0].diff_id), "{out}");
    let copy = format!("dir:{}", desk.path().join("copy").display());
    succeed(tool("skopeo").args(["copy", "--insecure-policy", &reference, &copy]));
}

#[test]
fn crane_pushes_and_validates_all_of_it() {
    let desk = filled();
    let server = Server::start(Kind::Crane);
    let all = format!("{}/all:x", server.address);
    succeed(tool("crane").args(["push", "--index"]).arg(desk.store()).arg(&all));
    for (name, digest) in tags(&desk.store()) {
        let reference = format!("{}/all@{digest}", server.address);
        let validate: &mut Command = &mut tool("crane");
        let out = succeed(validate.args(["validate", "--remote", &reference]));
        assert!(out.contains("PASS"), "{name}: {out}");
    }
}

#[test]
fn other_tools_copy_the_result() {
    let desk = Desk::new();
    let server = Server::start(Kind::V3);
    let (amd64, arm64) = (desk.package("amd64"), desk.package("arm64"));
    assert_eq!(desk.run(&["import", &amd64, &arm64, "--to", &server.target()]).code, Some(0));
    let source = format!("{}/mesh/pilot:v1", server.address);
    let digest = succeed(tool("crane").args(["digest", &source]));
    let copies =
        ["skopeo", "regctl", "oras"].map(|name| format!("{}/copy/{name}:v1", server.address));
    succeed(
        tool("skopeo")
            .args([
                "copy",
                "--all",
                "--insecure-policy",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
            ])
            .args([&format!("docker://{source}"), &format!("docker://{}", copies[0])]),
    );
    let plain = format!("reg={},tls=disabled", server.address);
    succeed(tool("regctl").args(["image", "copy", "--host", &plain, &source, &copies[1]]));
    succeed(tool("oras").args(["cp", "--from-plain-http", "--to-plain-http", &source, &copies[2]]));
    for copy in &copies {
        assert_eq!(succeed(tool("crane").args(["digest", copy])), digest, "{copy}");
    }
    for architecture in ["amd64", "arm64"] {
        let platform = format!("linux/{architecture}");
        let archive = desk.path().join(format!("{architecture}.tar"));
        succeed(tool("crane").args(["pull", "--platform", &platform, &source]).arg(&archive));
        let config = succeed(tool("crane").args(["config", "--platform", &platform, &source]));
        assert!(config.contains(&format!("\"architecture\":\"{architecture}\"")), "{config}");
    }
}
