//! A store that refuses: it misses what it was sent, loses its answer, or is gone. How often a run tries again,
//! what it reports, and what its progress says.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use multiarch_core::{
    BlobContent, Change, Digest, Document, Error, ErrorKind, ImageState, ImageStore, Import,
    MemoryStore, Meter, Progress, Report, Result, Sent, Target, TargetName,
};
use multiarch_generator::{Image, Layout, images_tar, named, with};
use serde_json::json;

use crate::runs::{Folder, platforms};

/// What happens to a write of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The server misses a part of the image.
    PartMissing,
    /// The tag is written, and the answer is lost.
    AnswerLost,
    /// Nothing is written, and there is no answer.
    NoAnswer,
    /// Another writer was there in between.
    Contended,
    /// The request is not allowed.
    Denied,
}

struct Refusing {
    inner: MemoryStore,
    refusal: Refusal,
    /// How many writes of tags are refused.
    left: AtomicUsize,
    tag_writes: AtomicUsize,
    tag_reads: AtomicUsize,
    blobs_sent: AtomicUsize,
    /// No blob can be sent any more, for this reason.
    gone: Option<ErrorKind>,
    blobs_tried: AtomicUsize,
}

impl Refusing {
    fn new(refusal: Refusal, times: usize) -> Self {
        let count = AtomicUsize::new;
        Self {
            inner: MemoryStore::default(),
            refusal,
            left: count(times),
            tag_writes: count(0),
            tag_reads: count(0),
            blobs_sent: count(0),
            gone: None,
            blobs_tried: count(0),
        }
    }
}

impl ImageStore for Refusing {
    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
        self.inner.get_manifest(repository, digest)
    }

    fn get_blob(&self, repository: &str, of: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        self.inner.get_blob(repository, of, limit)
    }

    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        // After a part was missed, the server knows none of them.
        let misses = self.refusal == Refusal::PartMissing && self.left.load(Ordering::SeqCst) > 0;
        Ok(!misses && self.inner.has_blob(repository, digest, size)?)
    }

    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        self.inner.put_manifest(repository, document)
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        self.inner.tags()
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        self.inner.flush()
    }

    fn put_blob(&self, to: &str, from: Option<&str>, content: &BlobContent<'_>) -> Result<Sent> {
        self.blobs_tried.fetch_add(1, Ordering::SeqCst);
        if let Some(kind) = self.gone {
            return Err(Error::new(kind, "the server is gone"));
        }
        self.blobs_sent.fetch_add(1, Ordering::SeqCst);
        self.inner.put_blob(to, from, content)
    }

    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        self.tag_reads.fetch_add(1, Ordering::SeqCst);
        self.inner.get_tag(name)
    }

    fn put_tag(&self, name: &TargetName, was: Option<&Digest>, new: &Document) -> Result<()> {
        self.tag_writes.fetch_add(1, Ordering::SeqCst);
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return self.inner.put_tag(name, was, new);
        }
        self.left.store(left - 1, Ordering::SeqCst);
        match self.refusal {
            Refusal::PartMissing => Err(Error::new(ErrorKind::BlobUnknown, "a blob is missing")),
            Refusal::AnswerLost => {
                self.inner.put_tag(name, was, new)?;
                Err(Error::new(ErrorKind::Network, "no answer"))
            }
            Refusal::NoAnswer => Err(Error::new(ErrorKind::Network, "no answer")),
            Refusal::Contended => Err(Error::new(ErrorKind::Contended, "written meanwhile")),
            Refusal::Denied => Err(Error::new(ErrorKind::Denied, "not allowed")),
        }
    }
}

fn archive(architecture: &str, names: &[&str]) -> Vec<u8> {
    let image = Image::new(architecture, "x");
    images_tar(&names.iter().map(|name| (*name, &image)).collect::<Vec<_>>())
}

fn import(store: &Arc<Refusing>, package: &[u8]) -> (Report, Progress) {
    let folder = Folder::new();
    let path = folder.write("x.tar", package);
    let meter = Meter::default();
    let import = Import::into(Target::new("refusing", store.clone())).package(path).meter(&meter);
    let report = import.plan().expect("planned").apply();
    (report, meter.progress())
}

fn count(of: &AtomicUsize) -> usize {
    of.load(Ordering::SeqCst)
}

/// A server with replicas may miss for moments what it was sent: the parts are sent again, four times.
#[test]
fn a_part_that_the_server_misses_is_sent_again() {
    let simple = Arc::new(Refusing::new(Refusal::PartMissing, 0));
    let (report, now) = import(&simple, &archive("amd64", &["q.io/x:1"]));
    assert!(report.complete, "{report}");
    assert_eq!((now.images, now.images_failed, now.images_total), (1, 0, 1));
    let once = count(&simple.blobs_sent);
    // Before the plan, before the write, after it, and at the end.
    assert_eq!((count(&simple.tag_writes), count(&simple.tag_reads)), (1, 4));
    for times in 1..=4 {
        let store = Arc::new(Refusing::new(Refusal::PartMissing, times));
        let (report, now) = import(&store, &archive("amd64", &["q.io/x:1"]));
        assert!(report.complete, "{times}: {report}");
        assert_eq!(count(&store.tag_writes), times + 1);
        // The last time the server has them.
        assert_eq!(count(&store.blobs_sent), once * times, "{times}");
        assert_eq!((now.images, now.images_failed), (1, 0));
    }
    let store = Arc::new(Refusing::new(Refusal::PartMissing, 5));
    let (report, now) = import(&store, &archive("amd64", &["q.io/x:1"]));
    assert!(!report.complete);
    assert_eq!(count(&store.tag_writes), 5);
    assert_eq!((now.images, now.images_failed), (1, 1));
    let error = report.images[0].error.as_ref().expect("failed");
    assert_eq!((error.kind(), error.detail()), (ErrorKind::BlobUnknown, None));
}

/// What an attempt without an answer has written is reported as written by this run.
#[test]
fn a_write_whose_answer_is_lost_is_ours() {
    let store = Arc::new(Refusing::new(Refusal::AnswerLost, 1));
    let (report, _) = import(&store, &archive("amd64", &["q.io/x:1"]));
    assert!(report.complete, "{report}");
    let image = &report.images[0];
    assert_eq!((image.state, count(&store.tag_writes)), (ImageState::Written, 1));
    assert_eq!(image.decisions[0].decision.change, Change::Added);
}

#[test]
fn a_tag_that_was_written_meanwhile_is_read_and_tried_again() {
    let store = Arc::new(Refusing::new(Refusal::Contended, 2));
    let (report, _) = import(&store, &archive("amd64", &["q.io/x:1"]));
    assert!(report.complete, "{report}");
    assert_eq!(count(&store.tag_writes), 3);
}

/// A tag that others keep changing, and a server that does not answer, are given up after a few attempts.
#[test]
fn attempts_end() {
    for (refusal, kind, attempts) in
        [(Refusal::Contended, ErrorKind::Contended, 8), (Refusal::NoAnswer, ErrorKind::Network, 6)]
    {
        let store = Arc::new(Refusing::new(refusal, 50));
        let (report, _) = import(&store, &archive("amd64", &["q.io/x:1"]));
        let error = report.images[0].error.as_ref().expect("given up");
        assert_eq!((error.kind(), count(&store.tag_writes)), (kind, attempts), "{refusal:?}");
    }
}

/// A refused image is reported with what its tag holds, and is not tried again.
#[test]
fn a_refused_tag_is_as_it_was() {
    let store = Arc::new(Refusing::new(Refusal::Denied, 0));
    let (report, _) = import(&store, &archive("amd64", &["q.io/x:1"]));
    assert!(report.complete, "{report}");
    store.left.store(1, Ordering::SeqCst);
    let (report, now) = import(&store, &archive("arm64", &["q.io/x:1"]));
    let image = &report.images[0];
    assert_eq!((image.state, &image.after), (ImageState::Failed, &image.before));
    assert!(image.before.is_some());
    assert_eq!(platforms(&store.inner, "x:1"), ["linux/amd64"]);
    let held: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(held, ["linux/amd64"]);
    assert_eq!((count(&store.tag_writes), now.images, now.images_failed), (2, 1, 1));
}

/// A server that is gone is said once, and no image is called failed. What concerns the whole target is not
/// tried again for other images.
#[test]
fn a_server_that_is_gone_is_no_fault_of_an_image() {
    let (x, y) = (Image::new("amd64", "x"), Image::new("amd64", "y"));
    let package = images_tar(&[("q.io/x:1", &x), ("q.io/y:1", &y)]);
    let mut tried = Vec::new();
    for kind in [ErrorKind::Untrusted, ErrorKind::Unreachable] {
        let store = Refusing { gone: Some(kind), ..Refusing::new(Refusal::Denied, 0) };
        let store = Arc::new(store);
        let (report, now) = import(&store, &package);
        let states: Vec<ImageState> = report.images.iter().map(|image| image.state).collect();
        assert_eq!(states, [ImageState::NotReached; 2], "{report}");
        assert_eq!(report.errors().count(), 1);
        assert_eq!((now.images, now.images_failed), (0, 0));
        tried.push(count(&store.blobs_tried));
    }
    assert!(tried[0] == 1 && tried[1] > 1, "{tried:?}");
}

/// Layers that other servers keep are why a registry misses a part, and the error says so.
#[test]
fn foreign_layers_explain_a_missing_part() {
    for (media_type, urls, is_explained) in [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", json!(["https://x"]), true),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", json!([]), true),
        ("application/vnd.oci.image.layer.v1.tar+gzip", json!(["https://x"]), true),
        ("application/vnd.oci.image.layer.v1.tar+gzip", json!([]), false),
    ] {
        let image = Image::new("amd64", "x");
        let mut layout = Layout::new();
        layout.image(&image);
        let mut manifest: serde_json::Value =
            serde_json::from_str(&multiarch_generator::oci_manifest(&image)).expect("JSON");
        manifest["layers"][0]["mediaType"] = media_type.into();
        manifest["layers"][0]["urls"] = urls.clone();
        let media_type_of = "application/vnd.oci.image.manifest.v1+json";
        let descriptor = layout.document(media_type_of, manifest.to_string());
        let platform = json!({"os": "linux", "architecture": "amd64"});
        let descriptor = named(with(descriptor, "platform", platform), "q.io/x:1");
        let store = Arc::new(Refusing::new(Refusal::PartMissing, 9));
        let (report, _) = import(&store, &layout.top(descriptor).tar());
        let error = report.images[0].error.as_ref().expect("failed");
        assert_eq!(error.detail() == Some("foreign-layers"), is_explained, "{media_type} {urls}");
    }
}
