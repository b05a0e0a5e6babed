//! Manifests that a tag may already hold, put into a live registry by other tools.

use serde_json::{Value, json};

use crate::{
    server::Kind,
    stage::{KINDS, NAME, Stage, image},
    tools::{succeed, tool},
};

#[test]
fn an_index_made_by_crane_and_one_with_annotations_made_by_regctl() {
    for kind in KINDS {
        let (amd64, arm64, s390x) = (image("amd64", "a"), image("arm64", "a"), image("s390x", "a"));
        let stage = Stage::new(kind);
        stage.push(&amd64, "demo/app:one");
        stage.push(&arm64, "demo/app:two");
        let parts = [stage.server.at("demo/app:one"), stage.server.at("demo/app:two")];
        succeed(tool("crane").args([
            "index",
            "append",
            "--docker-empty-base",
            "-m",
            &parts[0],
            "-m",
            &parts[1],
            "-t",
            &stage.server.at(NAME),
        ]));
        assert_eq!(stage.import(&s390x, &[]).0, Some(0), "{kind:?}");
        let names: Vec<String> = stage.entries().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["amd64", "arm64", "s390x"]);
        let first: Value = serde_json::from_str(&stage.manifest()).expect("JSON");
        assert_eq!(first["mediaType"], "application/vnd.docker.distribution.manifest.list.v2+json");

        let plain = format!("reg={},tls=disabled", stage.server.address);
        succeed(tool("regctl").args([
            "index",
            "create",
            "--host",
            &plain,
            "--annotation",
            "who=regctl",
            "--ref",
            &parts[0],
            "--ref",
            &parts[1],
            &stage.server.at(NAME),
        ]));
        assert_eq!(stage.import(&s390x, &[]).0, Some(0), "{kind:?}");
        let names: Vec<String> = stage.entries().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["amd64", "arm64", "s390x"]);
        let second: Value = serde_json::from_str(&stage.manifest()).expect("JSON");
        assert_eq!(second["annotations"], json!({"who": "regctl"}));
    }
}

#[test]
fn an_image_that_skopeo_copied_as_oci() {
    for kind in KINDS {
        let (amd64, arm64) = (image("amd64", "a"), image("arm64", "a"));
        let stage = Stage::new(kind);
        let archive = stage.archive("a.tar", &amd64);
        // skopeo compresses the layers again and writes an OCI manifest, but it is still the same
        // image.
        succeed(
            tool("skopeo")
                .args(["copy", "--insecure-policy", "--dest-tls-verify=false", "--format", "oci"])
                .args([
                    &format!("docker-archive:{archive}"),
                    &format!("docker://{}", stage.server.at(NAME)),
                ]),
        );
        let before = stage.manifest();
        let (code, said) = stage.import(&amd64, &[]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(stage.manifest(), before, "{said}");
        assert_eq!(stage.import(&arm64, &[]).0, Some(0));
        let after: Value = serde_json::from_str(&stage.manifest()).expect("JSON");
        assert_eq!(after["mediaType"], "application/vnd.oci.image.index.v1+json");
        assert_eq!(stage.entries().len(), 2);
        succeed(tool("crane").args(["validate", "--remote", &stage.server.at(NAME)]));
    }
}

#[test]
fn an_artifact_stays_as_it_is() {
    let stage = Stage::new(Kind::V3);
    let file = stage.desk.write("note.txt", "hello");
    let mut oras = tool("oras");
    oras.current_dir(stage.desk.path());
    succeed(oras.args([
        "push",
        "--plain-http",
        "--artifact-type",
        "text/x-note",
        &stage.server.at(NAME),
        "note.txt",
    ]));
    assert!(file.ends_with("note.txt"));
    let before = stage.manifest();
    let (code, said) = stage.import(&image("amd64", "a"), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(NAME) && said.contains("artifact"), "{said}");
    assert_eq!(stage.manifest(), before);
}
