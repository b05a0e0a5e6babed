//! Indexes that a tag may already hold, put byte for byte into a live registry.

use multiarch_generator::{Image, Layer, sha256};
use serde_json::{Value, json};

use crate::stage::{KINDS, NAME, Stage, image};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Pushes an image, and returns its index entry as the registry holds it.
fn entry(stage: &Stage, image: &Image, platform: Value) -> Value {
    stage.push(image, "demo/app:part");
    let manifest = stage.server.manifest("demo/app:part");
    let (digest, size) = (format!("sha256:{}", sha256(manifest.as_bytes())), manifest.len());
    json!({"mediaType": DOCKER_MANIFEST, "digest": digest, "size": size, "platform": platform})
}

/// The index entry of the manifest that multiarch writes for an image.
fn own(image: &Image, platform: Value) -> Value {
    let (digest, size) = (image.digest(), image.manifest().len());
    json!({"mediaType": DOCKER_MANIFEST, "digest": digest, "size": size, "platform": platform})
}

fn linux(architecture: &str) -> Value {
    json!({"architecture": architecture, "os": "linux"})
}

fn index(media_type: &str, entries: &[Value]) -> String {
    json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}).to_string()
}

fn listed(text: &str) -> Value {
    serde_json::from_str::<Value>(text).expect("JSON")["manifests"].clone()
}

#[test]
fn attestations_follow_their_subject() {
    for kind in KINDS {
        let stage = Stage::new(kind);
        let (old, new, arm) = (image("amd64", "a"), image("amd64", "b"), image("arm64", "a"));
        let subject = entry(&stage, &old, linux("amd64"));
        let (config, statement) = (stage.put_blob("{}"), stage.put_blob("an in-toto statement"));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
            "layers": [{"mediaType": "application/vnd.in-toto+json", "digest": statement, "size": 20}],
        })
        .to_string();
        let attestation = json!({
            "mediaType": OCI_MANIFEST,
            "digest": stage.put_beside(OCI_MANIFEST, &manifest), "size": manifest.len(),
            "annotations": {
                "vnd.docker.reference.digest": subject["digest"],
                "vnd.docker.reference.type": "attestation-manifest",
            },
            "platform": {"architecture": "unknown", "os": "unknown"},
        });
        stage.put(OCI_INDEX, &index(OCI_INDEX, &[attestation.clone(), subject.clone()]));

        // The attestation is kept, and is listed after its subject.
        assert_eq!(stage.import(&arm, &[]).0, Some(0), "{kind:?}");
        let arm = own(&arm, linux("arm64"));
        assert_eq!(listed(&stage.manifest()), json!([subject, attestation, arm]), "{kind:?}");
        // Replacing the subject removes its attestation.
        assert_eq!(stage.import(&new, &[]).0, Some(0), "{kind:?}");
        assert_eq!(listed(&stage.manifest()), json!([own(&new, linux("amd64")), arm]), "{kind:?}");
    }
}

#[test]
fn nested_indexes_stay_and_count() {
    for kind in KINDS {
        let stage = Stage::new(kind);
        let (amd64, arm64, newer) = (image("amd64", "a"), image("arm64", "a"), image("arm64", "b"));
        let amd64 = entry(&stage, &amd64, linux("amd64"));
        let inner = index(DOCKER_LIST, &[entry(&stage, &arm64, linux("arm64"))]);
        let nested = json!({"mediaType": DOCKER_LIST, "digest": stage.put_beside(DOCKER_LIST, &inner), "size": inner.len()});
        let text = index(OCI_INDEX, &[nested.clone(), amd64.clone()]);
        stage.put(OCI_INDEX, &text);

        assert_eq!(stage.import(&arm64, &[]).0, Some(0), "{kind:?}");
        assert_eq!(stage.manifest(), text, "{kind:?}: it is there");
        let (_, said) = stage.import(&newer, &[]);
        assert_eq!(stage.manifest(), text, "{kind:?}: it stays, {said}");
        let s390x = image("s390x", "a");
        assert_eq!(stage.import(&s390x, &[]).0, Some(0), "{kind:?}");
        let expected = json!([amd64, own(&s390x, linux("s390x")), nested]);
        assert_eq!(listed(&stage.manifest()), expected, "{kind:?}");
    }
}

#[test]
fn unknown_fields_are_kept_byte_for_byte() {
    for kind in KINDS {
        let stage = Stage::new(kind);
        let arm64 = image("arm64", "a");
        let kept = entry(&stage, &image("amd64", "a"), linux("amd64")).to_string().replacen(
            '{',
            r#"{"x":123456789012345678901234567890, "x":1.50,"annotations":{"k":"v"},"#,
            1,
        );
        let subject = image("amd64", "subject").digest();
        let text = |entries: &str| {
            format!(
                r#"{{"annotations":{{"a": "b"}},"schemaVersion":2,"manifests":[{entries}],"mediaType":"{OCI_INDEX}","subject":{{"mediaType":"{DOCKER_MANIFEST}","digest":"{subject}","size":7}},"y":1e1000,"y":2}}"#
            )
        };
        stage.put(OCI_INDEX, &text(&kept));
        let (code, said) = stage.import(&arm64, &[]);
        assert_eq!(code, Some(0), "{kind:?}: {said}");
        let (before, behind) = text(&kept)
            .split_once("]")
            .map(|(a, b)| (format!("{a},"), format!("]{b}")))
            .expect("two");
        let after = stage.manifest();
        let added = after.strip_prefix(&before).and_then(|rest| rest.strip_suffix(&behind));
        let added = added.unwrap_or_else(|| panic!("{kind:?}: {after}"));
        let added: Value = serde_json::from_str(added).expect("one entry");
        assert_eq!(added, own(&arm64, linux("arm64")), "{kind:?}");
    }
}

#[test]
fn versions_of_windows_and_variants_of_arm_are_platforms() {
    let windows = |version: &str| {
        let mut image = image("amd64", version);
        let mut config: Value = serde_json::from_slice(&image.config).expect("JSON");
        config["os"] = "windows".into();
        config["os.version"] = version.into();
        image.config = config.to_string().into_bytes();
        image
    };
    for kind in KINDS {
        let stage = Stage::new(kind);
        let (old, new) = ("10.0.17763.1", "10.0.20348.1");
        stage.push(&windows(new), NAME);
        let platform =
            |version| json!({"architecture": "amd64", "os": "windows", "os.version": version});
        assert_eq!(stage.import(&windows(old), &[]).0, Some(0), "{kind:?}");
        let manifest = stage.manifest();
        let versions = [&listed(&manifest)[0]["platform"], &listed(&manifest)[1]["platform"]]
            .map(Value::clone);
        assert_eq!(versions, [platform(old), platform(new)], "{kind:?}: {manifest}");
    }
    for kind in KINDS {
        let stage = Stage::new(kind);
        let of = |architecture: &str, variant: &str, content: &str| {
            Image::of(architecture, variant, vec![Layer::gzip("file", content)])
        };
        let platform = |architecture: &str, variant: &str| json!({"architecture": architecture, "os": "linux", "variant": variant});
        let v6 = entry(&stage, &of("arm", "v6", "a"), platform("arm", "v6"));
        let v7 = entry(&stage, &of("arm", "v7", "a"), platform("arm", "v7"));
        let v8 = entry(&stage, &of("arm64", "v8", "a"), platform("arm64", "v8"));
        stage.put(DOCKER_LIST, &index(DOCKER_LIST, &[v8.clone(), v7, v6.clone()]));
        // arm without a variant means arm/v7, and replaces only that entry.
        let arm = of("arm", "", "b");
        assert_eq!(stage.import(&arm, &[]).0, Some(0), "{kind:?}");
        let expected = json!([v6, own(&arm, linux("arm")), v8]);
        assert_eq!(listed(&stage.manifest()), expected, "{kind:?}");
        // arm64 without a variant means arm64/v8.
        let arm64 = of("arm64", "", "b");
        assert_eq!(stage.import(&arm64, &[]).0, Some(0), "{kind:?}");
        let expected = json!([v6, own(&arm, linux("arm")), own(&arm64, linux("arm64"))]);
        assert_eq!(listed(&stage.manifest()), expected, "{kind:?}");
    }
}
