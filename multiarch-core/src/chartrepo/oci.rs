//! Charts as OCI artifacts.
//!
//! Format: <https://helm.sh/docs/topics/registries/>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    chart::{ChartFiles, PackedChart, TargetName},
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, Manifest, types},
    limit,
    store::{BlobContent, ChartRepo, ImageStore, chart_exists_error},
};

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CONTENT: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub(super) struct OciCharts(Arc<dyn ImageStore>);

impl OciCharts {
    pub(super) fn new(store: Arc<dyn ImageStore>) -> Self {
        Self(store)
    }

    /// The document of a tag, and the digest of its packed chart; no digest if the tag is not a
    /// chart's.
    fn content(&self, name: &TargetName) -> Result<Option<(Document, Option<Digest>)>> {
        let Some(document) = self.0.get_tag(name)? else { return Ok(None) };
        if document.kind().is_index() {
            return Ok(Some((document, None)));
        }
        let manifest = Manifest::parse(&document)?;
        let is_chart = manifest.config.media_type.as_str() == CONFIG;
        let layer = manifest.layers.iter().find(|layer| layer.media_type.as_str() == CONTENT);
        let digest = layer.filter(|_| is_chart).map(|layer| layer.digest.clone());
        Ok(Some((document, digest)))
    }
}

/// A chart's repository and tag. A tag cannot contain `+`; Helm replaces it by `_`.
fn name_of(name: &str, version: &str) -> Result<TargetName> {
    TargetName::new(name, &version.replace('+', "_"))
}

impl ChartRepo for OciCharts {
    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let name = name_of(name, version)?;
        let Some((_, content)) = self.content(&name)? else { return Ok(None) };
        let digest = content.ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "the tag of a chart holds something else")
                .of_image(&name)
        })?;
        match self.0.get_blob(name.repository(), &digest, limit::PACKED_CHART.max)? {
            Some(bytes) => Ok(Some(bytes)),
            None => {
                let message = "the chart is listed, but its content is not there";
                Err(Error::new(ErrorKind::Missing, message).of_image(&name).with_digest(digest))
            }
        }
    }

    fn place(&self, error: Error, name: &str, version: &str) -> Error {
        match name_of(name, version) {
            Ok(name) => self.0.place(error.of_image(&name), name.repository(), name.tag()),
            Err(_) => error,
        }
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        let name = name_of(chart.name(), chart.version())?;
        let config = Value::Object(chart.metadata().clone()).to_string().into_bytes();
        let document = Document::new(manifest(chart, &config).into_bytes(), None)?;
        let before = match self.content(&name)? {
            Some((before, _)) if before.digest() == document.digest() => return Ok(()),
            Some(_) if !replace => return Err(chart_exists_error(chart)),
            Some((before, _)) => Some(before.digest().clone()),
            None => None,
        };
        let repository = name.repository();
        for content in [config.as_slice(), chart.bytes()] {
            let (digest, size) = (Digest::sha256(content), content.len() as u64);
            if !self.0.has_blob(repository, &digest, size)? {
                let blob = BlobContent::in_memory(&digest, content);
                self.0.put_blob(repository, None, &blob)?;
            }
        }
        self.0.put_tag(&name, before.as_ref(), &document)?;
        if self.0.flush()?.contains(&name) {
            let message = "another writer has written the chart's tag at the same time";
            return Err(Error::new(ErrorKind::Contended, message).of_image(&name));
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        let mut charts = Vec::new();
        for name in self.0.tags()? {
            let Some((_, Some(digest))) = self.content(&name)? else { continue };
            // The tag is not the version: `_` may stand for `+`.
            let content = self.0.get_blob(name.repository(), &digest, limit::PACKED_CHART.max)?;
            if let Some(content) = content {
                let chart = PackedChart::new(&ChartFiles::unpack(&content)?)?;
                charts.push((name.repository().to_owned(), chart.version().to_owned()));
            }
        }
        Ok(charts)
    }

    fn jobs(&self) -> usize {
        self.0.jobs()
    }
}

/// The manifest that Helm writes, but without the time of creation: the same chart gives the same
/// digest.
fn manifest(chart: &PackedChart, config: &[u8]) -> String {
    let descriptor = |media_type: &str, content: &[u8]| json!({"mediaType": media_type, "digest": Digest::sha256(content), "size": content.len()});
    json!({
        "schemaVersion": 2,
        "mediaType": types::OCI_MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": [descriptor(CONTENT, chart.bytes())],
        "annotations": annotations(chart),
    })
    .to_string()
}

/// Annotations as Helm derives them. The chart's own annotations replace derived ones, but not those
/// for name (`title`) and version.
fn annotations(chart: &PackedChart) -> Value {
    let metadata = chart.metadata();
    let mut all = serde_json::Map::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.insert(format!("org.opencontainers.image.{key}"), value.into());
        }
    };
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let people = metadata.get("maintainers").and_then(Value::as_array).into_iter().flatten();
    let people: Vec<String> = people
        .filter_map(|person| {
            let name = person["name"].as_str()?;
            Some(match person["email"].as_str() {
                Some(email) if !email.is_empty() => format!("{name} ({email})"),
                _ => name.to_owned(),
            })
        })
        .collect();
    let source = metadata.get("sources").and_then(|s| s[0].as_str()).map(ToOwned::to_owned);
    add("title", Some(chart.name().to_owned()));
    add("version", Some(chart.version().to_owned()));
    add("description", text("description"));
    add("url", text("home"));
    add("source", source);
    add("authors", Some(people.join(", ")));
    let own = metadata.get("annotations").and_then(Value::as_object).into_iter().flatten();
    for (key, value) in own {
        let fixed = key.ends_with(".image.title") || key.ends_with(".image.version");
        if value.is_string() && !(fixed && all.contains_key(key)) {
            all.insert(key.clone(), value.clone());
        }
    }
    Value::Object(all)
}
