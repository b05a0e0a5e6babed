//! What servers in memory hold, to be put into others and to be compared.

use std::{collections::BTreeMap, sync::Arc};

use multiarch_testing::Registry;
use serde_json::Value;

use crate::{museum::Museum, pair::CHARTS};

/// What a registry and a chart repository hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// Repository, content.
    blobs: Vec<(String, Arc<[u8]>)>,
    /// Repository, tag or nothing, media type, bytes. Children come before their index.
    manifests: Vec<(String, String, String, Arc<[u8]>)>,
    /// File, content.
    pub(crate) charts: BTreeMap<String, Vec<u8>>,
}

impl Content {
    pub(crate) fn of(registry: &Registry, museum: &Museum) -> Self {
        let mut content = Self::default();
        for repository in registry.repositories() {
            for digest in registry.blobs(&repository) {
                let blob = registry.blob(&repository, &digest).expect("listed");
                content.blobs.push((repository.clone(), blob));
            }
            for tag in registry.tags(&repository) {
                content.keep(registry, &repository, &tag, &tag);
            }
        }
        let charts = CHARTS.iter().filter_map(|file| Some(((*file).into(), museum.chart(file)?)));
        content.charts = charts.collect();
        content
    }

    fn keep(&mut self, registry: &Registry, repository: &str, reference: &str, tag: &str) {
        let Some(manifest) = registry.manifest(repository, reference) else { return };
        let document: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
        for entry in document["manifests"].as_array().into_iter().flatten() {
            self.keep(registry, repository, entry["digest"].as_str().expect("text"), "");
        }
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        self.manifests.push((repository, tag, manifest.media_type, manifest.bytes));
    }

    pub(crate) fn put(&self, registry: &Registry, museum: &Museum) {
        for (repository, blob) in &self.blobs {
            registry.put_blob(repository, blob);
        }
        for (repository, tag, media_type, bytes) in &self.manifests {
            registry.put_manifest(repository, tag, media_type, bytes);
        }
        self.charts.values().for_each(|chart| museum.put(chart));
    }

    /// Name → bytes of what each tag holds.
    pub(crate) fn tags(&self) -> BTreeMap<String, &[u8]> {
        let tagged = self.manifests.iter().filter(|(_, tag, ..)| !tag.is_empty());
        tagged.map(|(name, tag, _, bytes)| (format!("{name}:{tag}"), &**bytes)).collect()
    }
}
