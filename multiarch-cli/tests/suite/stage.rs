//! A tag in a live registry, written by other tools, and an import onto it.

use multiarch_generator::{Image, Layer, images_tar, sha256};
use serde_json::Value;

use crate::{
    desk::{Desk, succeed, tool},
    servers::{Kind, Server},
};

pub(crate) const NAME: &str = "demo/app:v1";
pub(crate) const KINDS: [Kind; 2] = [Kind::Debian, Kind::V3];

/// A registry, and images of one name in archives.
pub(crate) struct Stage {
    pub(crate) desk: Desk,
    pub(crate) server: Server,
}

impl Stage {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { desk: Desk::new(), server: Server::start(kind) }
    }

    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.server.address)
    }

    pub(crate) fn archive(&self, file: &str, image: &Image) -> String {
        self.desk.write(file, images_tar(&[("quay.io/demo/app:v1", image)]))
    }

    /// Pushes an archive with crane, to a tag of this repository.
    pub(crate) fn push(&self, image: &Image, name: &str) {
        let archive = self.archive("pushed.tar", image);
        succeed(tool("crane").args(["push", &archive, &self.at(name)]));
    }

    /// Pushes raw bytes with oras, to a tag or a digest of this repository.
    pub(crate) fn put(&self, text: &str, reference: &str) -> String {
        let file = self.desk.write("manifest.json", text);
        let digest = format!("sha256:{}", sha256(text.as_bytes()));
        let name = if reference.is_empty() {
            format!("{}@{digest}", self.at("demo/app"))
        } else {
            self.at(reference)
        };
        succeed(tool("oras").args(["manifest", "push", "--plain-http", &name, &file]));
        digest
    }

    /// Pushes a blob with oras.
    pub(crate) fn put_blob(&self, content: &str) -> String {
        let file = self.desk.write("blob", content);
        succeed(tool("oras").args(["blob", "push", "--plain-http", &self.at("demo/app"), &file]));
        format!("sha256:{}", sha256(content.as_bytes()))
    }

    /// Imports, and gives the exit code and what was said.
    pub(crate) fn import(&self, image: &Image, more: &[&str]) -> (Option<i32>, String) {
        let archive = self.archive("incoming.tar", image);
        let target = self.server.target();
        let mut words = vec!["import", &archive, "--to", &target, "--quiet"];
        words.extend(more);
        let run = self.desk.run(&words);
        (run.code, run.out + &run.err)
    }

    pub(crate) fn manifest(&self) -> String {
        succeed(tool("crane").args(["manifest", &self.at(NAME)]))
    }

    /// Architecture and digest of what the tag lists, in its order.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        let manifest: Value = serde_json::from_str(&self.manifest()).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = manifest["manifests"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|e| (text(&e["platform"]["architecture"]), text(&e["digest"]))).collect()
    }
}

pub(crate) fn image(architecture: &str, content: &str) -> Image {
    Image::of(architecture, "", vec![Layer::gzip("file", content)])
}
