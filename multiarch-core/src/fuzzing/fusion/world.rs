//! The documents that a generated tag or source may list.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};

use crate::image::{Digest, Document, ImageConfig, types};

/// Platforms as documents state them, several spellings of one among them.
pub(super) const PLATFORMS: [&str; 10] = [
    r#"{"os":"linux","architecture":"amd64"}"#,
    r#"{"os":"linux","architecture":"arm64"}"#,
    r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#,
    r#"{"os":"linux","architecture":"aarch64"}"#,
    r#"{"os":"linux","architecture":"arm","variant":"v7"}"#,
    r#"{"os":"linux","architecture":"arm"}"#,
    r#"{"os":"windows","architecture":"amd64","os.version":"10.0.17763.1"}"#,
    r#"{"os":"windows","architecture":"amd64"}"#,
    r#"{"os":"unknown","architecture":"unknown"}"#,
    "{}",
];
const CONTENTS: usize = 3;
pub(super) const ATTESTATIONS: usize = 4;

/// Every document that a side may list, but for indexes.
pub(super) struct World {
    pub(super) images: Vec<(Document, Arc<ImageConfig>)>,
    /// Manifests that are no images; some of them are listed as attestations.
    pub(super) artifacts: Vec<Document>,
    pub(super) documents: BTreeMap<Digest, Document>,
    pub(super) configs: BTreeMap<Digest, Arc<[u8]>>,
}

pub(super) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut world = World {
            images: Vec::new(),
            artifacts: Vec::new(),
            documents: BTreeMap::new(),
            configs: BTreeMap::new(),
        };
        for number in 0..PLATFORMS.len() * CONTENTS * 2 {
            let config = config_text(number);
            let family = match number / PLATFORMS.len() / CONTENTS {
                0 => [
                    types::OCI_MANIFEST,
                    types::OCI_CONFIG,
                    "application/vnd.oci.image.layer.v1.tar+gzip",
                ],
                _ => [types::DOCKER_MANIFEST, types::DOCKER_CONFIG, types::DOCKER_LAYER],
            };
            let document = manifest(family, config.as_bytes());
            let config = ImageConfig::parse(config.as_bytes()).expect("a config");
            world.configs.insert(config.digest().clone(), config_text(number).into_bytes().into());
            world.images.push((document, Arc::new(config)));
        }
        for content in 0..=ATTESTATIONS {
            let family =
                [types::OCI_MANIFEST, "application/example", "application/vnd.in-toto+json"];
            world.artifacts.push(manifest(family, content.to_string().as_bytes()));
        }
        let images = world.images.iter().map(|(document, _)| document);
        let all = images.chain(&world.artifacts).map(|one| (one.digest().clone(), one.clone()));
        world.documents = all.collect();
        world
    })
}

/// The text of the config of the image of this number.
fn config_text(number: usize) -> String {
    let (platform, content) =
        (PLATFORMS[number % PLATFORMS.len()], number / PLATFORMS.len() % CONTENTS);
    let mut config: Value = serde_json::from_str(platform).expect("JSON");
    config["config"] = json!({"Cmd": [content]});
    config["rootfs"] = json!({"type": "layers", "diff_ids": [Digest::sha256(&[u8::try_from(content).expect("small")])]});
    config.to_string()
}

fn manifest([kind, config_type, layer_type]: [&str; 3], config: &[u8]) -> Document {
    let text = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"mediaType": config_type, "digest": Digest::sha256(config), "size": config.len()},
        "layers": [{"mediaType": layer_type, "digest": Digest::sha256(b"layer"), "size": 5}],
    });
    Document::new(text.to_string().into_bytes(), None).expect("a manifest")
}
