//! Bundles: hints, the original chart, `images.tar`.

use serde_json::json;

use crate::{
    archive::{Entry, tar},
    image::Image,
};

/// `images.tar` as go-containerregistry's `MultiRefWrite` writes it: each config, followed by its layers
/// unless they were written before; `manifest.json` last. A config of two references is written twice.
pub fn images_tar(images: &[(&str, &Image)]) -> Vec<u8> {
    let (mut entries, mut written, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for (reference, image) in images {
        let config = format!("sha256:{}", image.config_digest());
        entries.push(Entry::file(&config, image.config.clone()));
        let mut layers = Vec::new();
        for layer in &image.layers {
            let name = format!("{}.tar.gz", layer.digest());
            if !written.contains(&name) {
                entries.push(Entry::file(&name, layer.blob.clone()));
                written.push(name.clone());
            }
            layers.push(name);
        }
        let tags = if reference.is_empty() { json!(null) } else { json!([reference]) };
        listed.push(json!({"Config": config, "RepoTags": tags, "Layers": layers}));
    }
    listed.sort_by_key(|image| image["RepoTags"].to_string());
    entries.push(Entry::file("manifest.json", json!(listed).to_string()));
    tar(&entries)
}

/// The content of a bundle.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// The chart's name.
    pub chart: String,
    /// The chart's version.
    pub version: String,
    /// The hint file.
    pub hints: String,
    /// The chart's values.
    pub values: String,
    /// More files below `original-chart/`.
    pub files: Vec<(String, String)>,
    /// `images.tar`; `None` for a chart that was saved without its images.
    pub images: Option<Vec<u8>>,
}

impl Bundle {
    /// A chart that has registry, repository and tag of each image below a key of its own. Each image is
    /// `(key, registry, repository, tag, image)`.
    pub fn simple(chart: &str, version: &str, images: &[(&str, &str, &str, &str, &Image)]) -> Self {
        let (mut hints, mut values, mut archive) = (String::new(), String::new(), Vec::new());
        for (key, registry, repository, tag, image) in images {
            hints.push_str(&format!(
                "- \"{{{{ .{key}.registry }}}}/{{{{ .{key}.repository }}}}:{{{{ .{key}.tag }}}}\"\n"
            ));
            values.push_str(&format!(
                "{key}:\n  registry: {registry}\n  repository: {repository}\n  tag: \"{tag}\"\n"
            ));
            archive.push((format!("{registry}/{repository}:{tag}"), *image));
        }
        let archive: Vec<(&str, &Image)> =
            archive.iter().map(|(reference, image)| (reference.as_str(), *image)).collect();
        Self {
            chart: chart.into(),
            version: version.into(),
            hints,
            values,
            files: Vec::new(),
            images: Some(images_tar(&archive)),
        }
    }

    /// The file name that charts-syncer gives the bundle.
    pub fn file_name(&self) -> String {
        format!("{}_{}.bundle.tar", self.chart, self.version)
    }

    /// The entries, in their order.
    pub fn entries(&self) -> Vec<Entry> {
        let metadata =
            format!("apiVersion: v2\nname: {}\nversion: \"{}\"\n", self.chart, self.version);
        let mut entries = vec![
            Entry::file("hints.yaml", self.hints.clone()),
            Entry::file("original-chart/.relok8s-images.yaml", self.hints.clone()),
            Entry::file("original-chart/Chart.yaml", metadata),
        ];
        for (path, text) in &self.files {
            entries.push(Entry::file(format!("original-chart/{path}"), text.clone()));
        }
        if !self.hints.is_empty() {
            entries.push(Entry::file("original-chart/templates/images.yaml", self.template()));
        }
        entries.push(Entry::file("original-chart/values.yaml", self.values.clone()));
        if let Some(images) = &self.images {
            entries.push(Entry::file("images.tar", images.clone()));
        }
        entries
    }

    /// A template that prints the reference of each hint, as `image-0: "…"` and so on.
    fn template(&self) -> String {
        let mut text =
            String::from("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: images\ndata:\n");
        let hints = self.hints.lines().filter_map(|line| line.trim().strip_prefix("- "));
        for (number, hint) in hints.enumerate() {
            let mut printed = String::new();
            for part in hint.trim_matches('"').split("{{") {
                let (path, literal) = part.split_once("}}").unwrap_or(("", part));
                if !path.is_empty() {
                    let keys: Vec<String> =
                        path.trim()[1..].split('.').map(|k| format!("{k:?}")).collect();
                    printed.push_str(&format!("{{{{ index .Values {} }}}}", keys.join(" ")));
                }
                printed.push_str(literal);
            }
            text.push_str(&format!("  image-{number}: \"{printed}\"\n"));
        }
        text
    }

    /// The bundle as a tar archive.
    pub fn tar(&self) -> Vec<u8> {
        tar(&self.entries())
    }
}
