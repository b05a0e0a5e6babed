//! A store that answers as registries do on bad days: it hides a tag for a while after it was written, is not
//! reached any more, or reports that another writer was at the tag.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use multiarch_core::{
    BlobContent, Digest, Document, Error, ErrorKind, Finding, FuseOptions, ImageState, ImageStore,
    Import, Incoming, MemoryStore, Result, Sent, Target, TargetName, fuse_tag,
};
use multiarch_generator::{Image, images_tar};

use crate::runs::Folder;

#[derive(Default)]
struct Moody {
    inner: MemoryStore,
    writes: AtomicUsize,
    reads_since: AtomicUsize,
    /// Reads of a tag after a write that are answered with absence.
    hidden: usize,
    /// Reads of a tag after a write that are answered at all.
    reached: Option<usize>,
    /// Flushes that report the tag.
    contended: AtomicUsize,
    compares_and_sets: bool,
    /// What another writer puts at the tag after the first write.
    overwritten: Option<Document>,
}

impl Moody {
    fn set(&self, document: &Document) -> Result<()> {
        let now = self.inner.get_tag(&tag())?;
        self.inner.put_tag(&tag(), now.as_ref().map(Document::digest), document)
    }

    fn put(&self, bytes: &[u8]) {
        let digest = Digest::sha256(bytes);
        self.put_blob("x", None, &BlobContent::in_memory(&digest, bytes)).expect("put");
    }
}

impl ImageStore for Moody {
    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
        self.inner.get_manifest(repository, digest)
    }

    fn get_blob(&self, repository: &str, of: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        self.inner.get_blob(repository, of, limit)
    }

    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        self.inner.has_blob(repository, digest, size)
    }

    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        self.inner.put_manifest(repository, document)
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        self.inner.tags()
    }

    fn put_blob(&self, to: &str, from: Option<&str>, content: &BlobContent<'_>) -> Result<Sent> {
        self.inner.put_blob(to, from, content)
    }

    fn compares_and_sets_tags(&self) -> bool {
        self.compares_and_sets
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        let left = self.contended.load(Ordering::SeqCst);
        self.contended.store(left.saturating_sub(1), Ordering::SeqCst);
        Ok(if left > 0 { vec![tag()] } else { Vec::new() })
    }

    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        if self.writes.load(Ordering::SeqCst) == 0 {
            return self.inner.get_tag(name);
        }
        let count = self.reads_since.fetch_add(1, Ordering::SeqCst);
        if self.reached.is_some_and(|reached| count >= reached) {
            return Err(Error::new(ErrorKind::Unreachable, "the server is gone"));
        }
        if count < self.hidden { Ok(None) } else { self.inner.get_tag(name) }
    }

    fn put_tag(&self, _: &TargetName, _: Option<&Digest>, new: &Document) -> Result<()> {
        let count = self.writes.fetch_add(1, Ordering::SeqCst);
        // The flush finds that another writer was there, and does not write.
        if self.contended.load(Ordering::SeqCst) > 0 {
            return Ok(());
        }
        self.set(new)?;
        self.overwritten.as_ref().filter(|_| count == 0).map_or(Ok(()), |other| self.set(other))
    }
}

fn tag() -> TargetName {
    "x:1".parse().expect("a name")
}

fn import(store: &Arc<Moody>) -> multiarch_core::Report {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path = folder.write("x.tar", images_tar(&[("q.io/x:1", &image)]));
    let import = Import::into(Target::new("moody", store.clone())).package(path);
    import.plan().expect("planned").apply()
}

/// A tag that this run wrote, and that is not there for moments, is not written again.
#[test]
fn a_tag_hidden_after_its_write_is_written_once() {
    let store = Arc::new(Moody { hidden: 3, ..Moody::default() });
    let report = import(&store);
    assert!(report.complete, "{report}");
    assert_eq!(store.writes.load(Ordering::SeqCst), 1);
}

/// A target that is gone at the last look does not undo what was written and read back.
#[test]
fn a_target_that_is_gone_at_the_end() {
    let store = Arc::new(Moody { reached: Some(1), ..Moody::default() });
    let report = import(&store);
    let states: Vec<_> = report.images.iter().map(|image| image.state).collect();
    assert_eq!(states, [ImageState::Written], "{report}");
    assert!(!report.complete, "the last look was not possible");
    assert!(report.errors().any(|error| error.kind() == ErrorKind::Unreachable), "{report}");
}

fn fuse_into(store: &Moody, architecture: &str) -> Incoming {
    let image = Image::new(architecture, "x");
    store.put(&image.config);
    let incoming = Incoming::parse(image.manifest().as_bytes(), &image.config).expect("an image");
    fuse_tag(store, &tag(), &incoming, &FuseOptions::default()).expect("fused");
    incoming
}

/// What the tag lists is there by its digest.
#[test]
fn a_fused_tag_has_its_manifests() {
    let store = Moody::default();
    let images = ["amd64", "arm64"].map(|architecture| fuse_into(&store, architecture));
    for incoming in images {
        let digest = incoming.document().digest().clone();
        assert!(store.get_manifest("x", &digest).expect("read").is_some(), "{digest}");
    }
    assert_eq!(store.writes.load(Ordering::SeqCst), 2);
}

/// A flush that reports the tag means that it was not written, and is tried again.
#[test]
fn a_flush_that_reports_the_tag() {
    for contended in [0, 1, 3] {
        let store = Moody {
            contended: AtomicUsize::new(contended),
            compares_and_sets: true,
            ..Moody::default()
        };
        let image = Image::new("amd64", "x");
        let incoming = Incoming::parse(image.manifest().as_bytes(), &image.config);
        let incoming = incoming.expect("an image");
        let fusion = fuse_tag(&store, &tag(), &incoming, &FuseOptions::default()).expect("fused");
        assert_eq!(fusion.document.as_ref(), Some(incoming.document()), "{contended}");
        assert_eq!(store.writes.load(Ordering::SeqCst), contended + 1);
        assert_eq!(store.inner.get_tag(&tag()).expect("read").as_ref(), Some(incoming.document()));
    }
}

/// A tag that another writer has written after us gets our platform again.
#[test]
fn a_tag_that_is_overwritten_after_its_write() {
    let other = Moody::default();
    fuse_into(&other, "arm64");
    let theirs = other.inner.get_tag(&tag()).expect("read").expect("there");
    let store = Moody { overwritten: Some(theirs.clone()), ..Moody::default() };
    store.put(&Image::new("arm64", "x").config);
    store.put_manifest("x", &theirs).expect("put");
    let ours = fuse_into(&store, "amd64");
    let after = store.inner.get_tag(&tag()).expect("read").expect("there");
    let text = String::from_utf8_lossy(after.raw()).into_owned();
    for digest in [theirs.digest(), ours.document().digest()] {
        assert!(text.contains(&digest.to_string()), "{text}");
    }
}

/// An image of another writer for our platform, written right after ours, is newer and stays; the report
/// names it.
#[test]
fn an_image_that_overtakes_ours_is_reported() {
    let other = Image::new("amd64", "other");
    let document = Document::new(other.manifest().into_bytes(), None).expect("a manifest");
    let store = Arc::new(Moody { overwritten: Some(document.clone()), ..Moody::default() });
    for layer in &other.layers {
        store.put(&layer.blob);
    }
    store.put(&other.config);
    let report = import(&store);
    let overtaken = Finding::Overtaken {
        image: "x:1".into(),
        platform: report.images[0].decisions[0].decision.platform.clone(),
        by: document.digest().clone(),
    };
    assert_eq!(report.findings, [overtaken], "{report}");
    let now = store.inner.get_tag(&tag()).expect("read");
    assert_eq!(now.as_ref().map(Document::digest), Some(document.digest()));
}
