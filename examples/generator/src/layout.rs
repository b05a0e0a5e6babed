//! OCI layouts, and the archives of docker and containerd that are layouts, too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    archive::{Entry, sha256, tar},
    image::Image,
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An OCI layout: what its `index.json` lists, and its blobs.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    tops: Vec<Value>,
    blobs: BTreeMap<String, Vec<u8>>,
    docker: Vec<Value>,
}

impl Layout {
    /// An empty layout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a blob; returns its digest.
    pub fn blob(&mut self, content: impl Into<Vec<u8>>) -> String {
        let content = content.into();
        let hex = sha256(&content);
        self.blobs.insert(hex.clone(), content);
        format!("sha256:{hex}")
    }

    /// Adds a document as a blob; returns a descriptor of it.
    pub fn document(&mut self, media_type: &str, text: String) -> Value {
        let size = text.len();
        json!({"mediaType": media_type, "digest": self.blob(text), "size": size})
    }

    /// Adds an image in OCI form with all of its blobs; returns a descriptor that states its platform.
    pub fn image(&mut self, image: &Image) -> Value {
        self.blob(image.config.clone());
        for layer in &image.layers {
            self.blob(layer.blob.clone());
        }
        let descriptor = self.document(MANIFEST, oci_manifest(image));
        let config: Value = serde_json::from_slice(&image.config).expect("a config");
        let mut platform = json!({"architecture": config["architecture"], "os": config["os"]});
        for name in ["variant", "os.version"] {
            if let Some(value) = config.get(name) {
                platform[name] = value.clone();
            }
        }
        with(descriptor, "platform", platform)
    }

    /// Adds an index of these descriptors; returns a descriptor of it.
    pub fn index(&mut self, entries: &[Value]) -> Value {
        let text = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        self.document(INDEX, text.to_string())
    }

    /// Lists a descriptor in `index.json`.
    #[must_use]
    pub fn top(mut self, descriptor: Value) -> Self {
        self.tops.push(descriptor);
        self
    }

    /// Adds an image to a docker-archive's list in the same file.
    #[must_use]
    pub fn docker(mut self, name: &str, image: &Image) -> Self {
        let blob = |hex: String| format!("blobs/sha256/{hex}");
        let layers: Vec<String> = image.layers.iter().map(|layer| blob(layer.digest())).collect();
        self.docker.push(json!({
            "Config": blob(image.config_digest()), "RepoTags": [name], "Layers": layers,
        }));
        self
    }

    /// The same without a blob.
    #[must_use]
    pub fn without(mut self, digest: &str) -> Self {
        self.blobs.remove(digest.trim_start_matches("sha256:")).expect("a blob of the layout");
        self
    }

    /// The bytes of a blob.
    pub fn content(&self, digest: &str) -> &[u8] {
        &self.blobs[digest.trim_start_matches("sha256:")]
    }

    /// The files of the layout, by path.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let index = json!({"schemaVersion": 2, "manifests": self.tops}).to_string();
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), index.into_bytes()),
        ];
        let blobs = self.blobs.iter();
        files.extend(blobs.map(|(hex, content)| (format!("blobs/sha256/{hex}"), content.clone())));
        if !self.docker.is_empty() {
            files.push(("manifest.json".to_owned(), json!(self.docker).to_string().into_bytes()));
        }
        files
    }

    /// The layout as a tar archive.
    pub fn tar(&self) -> Vec<u8> {
        let files = self.files();
        tar(&files
            .into_iter()
            .map(|(path, content)| Entry::file(path, content))
            .collect::<Vec<_>>())
    }
}

/// The manifest of an image in OCI form, in one line.
pub fn oci_manifest(image: &Image) -> String {
    let descriptor = |media_type: &str, content: &[u8]| json!({"mediaType": media_type, "digest": format!("sha256:{}", sha256(content)), "size": content.len()});
    let layers: Vec<Value> = image
        .layers
        .iter()
        .map(|layer| {
            let ending = match layer.blob.first() {
                Some(0x1f) => "+gzip",
                Some(0x28) => "+zstd",
                _ => "",
            };
            descriptor(&format!("{LAYER}{ending}"), &layer.blob)
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &image.config),
        "layers": layers,
    })
    .to_string()
}

/// The digest of an image's manifest in OCI form.
pub fn oci_digest(image: &Image) -> String {
    format!("sha256:{}", sha256(oci_manifest(image).as_bytes()))
}

/// A descriptor with another member.
pub fn with(mut descriptor: Value, name: &str, value: impl Into<Value>) -> Value {
    descriptor[name] = value.into();
    descriptor
}

/// A descriptor with an annotation.
pub fn annotated(mut descriptor: Value, name: &str, value: &str) -> Value {
    descriptor["annotations"][name] = value.into();
    descriptor
}

/// A descriptor with the name that docker and containerd give an image in an `index.json`.
pub fn named(descriptor: Value, reference: &str) -> Value {
    let tag = reference.rsplit(':').next().unwrap_or_default().to_owned();
    let descriptor = annotated(descriptor, "io.containerd.image.name", reference);
    annotated(descriptor, "org.opencontainers.image.ref.name", &tag)
}
