//! Examines every image that the tags of a target list: manifests, configs, layers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::is_image,
    image::{
        Digest, Document, Entry, ImageConfig, Index, Manifest, PlatformKey, layer_is_foreign,
        layer_is_rootfs,
    },
    limit,
    report::{Damage, DamageKind, DiagnosisOptions, Severity},
    source::layer_architecture,
    store::ImageStore,
};

/// The largest layer that is read for its programs.
const READ_LAYER: u64 = 16 << 20;

/// What was found at one tag.
#[derive(Clone, Debug, Default)]
pub(super) struct Examined {
    pub(super) digest: Option<Digest>,
    /// The platforms that a node can pull.
    pub(super) platforms: BTreeSet<PlatformKey>,
    /// Those that the tag lists and of which something is missing.
    pub(super) broken: BTreeSet<PlatformKey>,
    /// The manifests and configs of each platform.
    pub(super) by_platform: BTreeMap<PlatformKey, BTreeSet<Digest>>,
    /// Everything that the tag lists.
    pub(super) digests: BTreeSet<Digest>,
    pub(super) images: BTreeSet<Digest>,
    pub(super) damages: Vec<Damage>,
}

/// Examines tags. What several tags list in one repository is looked at once.
pub(super) struct Examiner<'a> {
    pub(super) store: &'a dyn ImageStore,
    pub(super) options: DiagnosisOptions,
    blobs: Mutex<BTreeMap<(String, Digest), bool>>,
    programs: Mutex<BTreeMap<Digest, Option<&'static str>>>,
}

/// A damage of a tag.
pub(super) fn damage(
    severity: Severity,
    kind: DamageKind,
    image: &TargetName,
    says: String,
) -> Damage {
    let (image, chart, platforms, digest) = (Some(image.clone()), None, Vec::new(), None);
    Damage { severity, kind, image, chart, platforms, digest, says }
}

/// A damage of a chart.
pub(super) fn chart_damage(
    severity: Severity,
    kind: DamageKind,
    chart: String,
    says: String,
) -> Damage {
    let (image, chart, platforms, digest) = (None, Some(chart), Vec::new(), None);
    Damage { severity, kind, image, chart, platforms, digest, says }
}

impl<'a> Examiner<'a> {
    pub(super) fn new(store: &'a dyn ImageStore, options: DiagnosisOptions) -> Self {
        let (blobs, programs) = Default::default();
        Self { store, options, blobs, programs }
    }

    /// Examines one tag.
    ///
    /// # Errors
    /// Where the target as a whole cannot be asked.
    pub(super) fn examine(&self, name: &TargetName) -> Result<Examined> {
        let mut examined = Examined::default();
        let document = match self.store.get_tag(name) {
            Ok(Some(document)) => document,
            Ok(None) => return Ok(examined),
            Err(error) => {
                return self
                    .unreadable(name, error)
                    .map(|damage| Examined { damages: vec![damage], ..examined });
            }
        };
        examined.digest = Some(document.digest().clone());
        examined.digests.insert(document.digest().clone());
        let result = match document.kind().is_index() {
            true => self.index(name, &document, &mut examined, 0),
            false => self.manifest(name, &document, None, &mut examined),
        };
        if let Err(error) = result {
            examined.damages.push(self.unreadable(name, error)?);
        }
        Ok(examined)
    }

    fn unreadable(&self, name: &TargetName, error: Error) -> Result<Damage> {
        if error.concerns_whole_run() {
            return Err(error);
        }
        let says = format!("what the tag holds cannot be read: {}", error.of_image(name));
        Ok(damage(Severity::Error, DamageKind::Unreadable, name, says))
    }

    fn index(
        &self,
        name: &TargetName,
        document: &Document,
        examined: &mut Examined,
        depth: usize,
    ) -> Result<()> {
        let index = Index::from_document(document)?;
        let (mut manifests, mut platforms) = (BTreeSet::new(), BTreeSet::new());
        for entry in index.entries() {
            let digest = entry.digest();
            examined.digests.insert(digest.clone());
            let platform = entry.descriptor().platform.as_ref().filter(|p| !p.is_unknown());
            let key = platform.map(|platform| platform.key());
            let is_twin = key.as_ref().is_some_and(|key| !platforms.insert(key.clone()));
            if !manifests.insert(digest.clone()) {
                let says = format!("the index lists {digest} twice, which some registries refuse");
                examined.damages.push(Damage {
                    digest: Some(digest.clone()),
                    ..damage(Severity::Warning, DamageKind::ListedTwice, name, says)
                });
                continue;
            }
            if let Some(key) = key.filter(|_| is_twin) {
                let says =
                    format!("the index lists several images for {key}; nodes take the first");
                examined.damages.push(Damage {
                    platforms: vec![key],
                    ..damage(Severity::Note, DamageKind::ListedTwice, name, says)
                });
            }
            self.entry(name, entry, examined, depth)?;
        }
        Ok(())
    }

    fn entry(
        &self,
        name: &TargetName,
        entry: &Entry,
        examined: &mut Examined,
        depth: usize,
    ) -> Result<()> {
        let (repository, digest) = (name.repository(), entry.digest());
        let child = match self.store.get_manifest(repository, digest) {
            Err(error) if error.kind() == ErrorKind::DigestMismatch => None,
            child => child?,
        };
        let platform = entry.descriptor().platform.as_ref().map(|platform| platform.key());
        let Some(child) = child else {
            let of = match &platform {
                Some(platform) if entry.attests().is_none() => format!(" for {platform}"),
                _ => String::new(),
            };
            let severity = match entry.attests() {
                Some(_) => Severity::Warning,
                None => Severity::Error,
            };
            examined.broken.extend(platform.clone());
            let says = format!("the tag lists {digest}{of}, which is not there");
            examined.damages.push(Damage {
                platforms: platform.filter(|_| entry.attests().is_none()).into_iter().collect(),
                digest: Some(digest.clone()),
                ..damage(severity, DamageKind::MissingManifest, name, says)
            });
            return Ok(());
        };
        match child.kind().is_index() {
            true if depth as u64 >= limit::INDEX_DEPTH.max => Ok(()),
            true => self.index(name, &child, examined, depth + 1),
            false => self.manifest(name, &child, Some(entry), examined),
        }
    }

    fn manifest(
        &self,
        name: &TargetName,
        document: &Document,
        entry: Option<&Entry>,
        examined: &mut Examined,
    ) -> Result<()> {
        let manifest = Manifest::parse(document)?;
        let digest = document.digest();
        let mut missing = Vec::new();
        for blob in manifest.blobs().filter(|blob| !layer_is_foreign(&blob.media_type)) {
            examined.digests.insert(blob.digest.clone());
            // An image's config is read anyway.
            let is_read = blob.digest == manifest.config.digest && manifest.has_image_config();
            if is_read {
                continue;
            }
            if !self.has_blob(name.repository(), &blob.digest, blob.size)? {
                missing.push(&blob.digest);
            }
        }
        let mut config = None;
        if manifest.has_image_config() {
            let (digest, limit) = (&manifest.config.digest, limit::CONFIG.max);
            config = match self.store.get_blob(name.repository(), digest, limit) {
                Err(error) if error.kind() == ErrorKind::DigestMismatch => None,
                config => config?,
            };
            if config.as_ref().is_none_or(|text| text.len() as u64 != manifest.config.size) {
                missing.push(digest);
            }
        }
        let stated = entry.and_then(|entry| entry.descriptor().platform.clone());
        let stated = stated.filter(|platform| !platform.is_unknown());
        let is_attestation = entry.is_some_and(|entry| entry.attests().is_some());
        for blob in &missing {
            let of = stated.as_ref().map(|p| format!(" for {}", p.key())).unwrap_or_default();
            let says = format!(
                "the image {digest}{of} needs the blob {blob}, which is not there as it should be"
            );
            let severity = if is_attestation { Severity::Warning } else { Severity::Error };
            examined.damages.push(Damage {
                digest: Some((*blob).clone()),
                platforms: stated.iter().map(|platform| platform.key()).collect(),
                ..damage(severity, DamageKind::MissingBlob, name, says)
            });
        }
        if config.is_none() {
            examined.broken.extend(stated.iter().map(|platform| platform.key()));
        }
        let Some(text) = config.filter(|_| !is_attestation) else { return Ok(()) };
        let config = ImageConfig::parse(&text)?;
        if !is_image(&manifest, &config) {
            return Ok(());
        }
        examined.images.insert(digest.clone());
        let own = config.platform();
        let platform = stated.as_ref().map_or_else(|| own.clone(), |s| s.completed_by(own));
        let of_image = |severity, kind, says| Damage {
            digest: Some(digest.clone()),
            platforms: vec![platform.key()],
            ..damage(severity, kind, name, says)
        };
        if let Err(error) = manifest.check_fit(&config) {
            let says = format!("no node can run {digest}: {}", error.message());
            examined.damages.push(of_image(Severity::Error, DamageKind::Misfit, says));
            examined.broken.insert(platform.key());
        } else if missing.is_empty() {
            examined.platforms.insert(platform.key());
            let same = examined.by_platform.entry(platform.key()).or_default();
            same.extend([digest.clone(), config.digest().clone()]);
        } else {
            examined.broken.insert(platform.key());
        }
        if platform.is_unknown() {
            let says =
                format!("neither the index nor the config says for which platform {digest} is");
            examined.damages.push(Damage {
                platforms: Vec::new(),
                ..of_image(Severity::Warning, DamageKind::UnknownArchitecture, says)
            });
        }
        if let Some(stated) = stated.as_ref().filter(|stated| stated.contradicts(own)) {
            let says = format!(
                "the index lists {digest} for {}, and its config says {}",
                stated.key(),
                own.key()
            );
            examined.damages.push(of_image(Severity::Warning, DamageKind::OtherPlatform, says));
        }
        if !platform.is_unknown() && !platform.is_known_architecture() {
            let says = format!(
                "no container runtime knows the architecture of {digest}: {}",
                platform.key()
            );
            examined.damages.push(of_image(
                Severity::Warning,
                DamageKind::UnknownArchitecture,
                says,
            ));
        }
        if let Some(programs) = self.programs(name.repository(), digest, &manifest)?
            && programs != platform.key().architecture()
        {
            let says = format!("the image for {} has programs for {programs}", platform.key());
            examined.damages.push(of_image(Severity::Error, DamageKind::OtherPrograms, says));
        }
        Ok(())
    }

    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        let repository_key = if self.store.shares_blobs() { "" } else { repository };
        let key = (repository_key.to_owned(), digest.clone());
        let known = || self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = known().get(&key) {
            return Ok(*there);
        }
        let there = self.store.has_blob(repository, digest, size)?;
        known().insert(key, there);
        Ok(there)
    }

    /// The architecture of the programs in an image, where that is looked for and there are any.
    fn programs(
        &self,
        repository: &str,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Option<&'static str>> {
        if !self.options.read_programs {
            return Ok(None);
        }
        let known = || self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(programs) = known().get(digest) {
            return Ok(*programs);
        }
        let is_read = |layer: &&crate::image::Descriptor| {
            layer_is_rootfs(&layer.media_type) && layer.size <= READ_LAYER
        };
        let mut layers: Vec<_> = manifest.layers.iter().filter(is_read).collect();
        layers.sort_by_key(|layer| layer.size);
        let mut found = None;
        for layer in layers {
            let bytes = match self.store.get_blob(repository, &layer.digest, READ_LAYER) {
                Err(error) if error.concerns_whole_run() => return Err(error),
                bytes => bytes.ok().flatten(),
            };
            found = bytes.and_then(|bytes| layer_architecture(&bytes));
            if found.is_some() {
                break;
            }
        }
        known().insert(digest.clone(), found);
        Ok(found)
    }
}
