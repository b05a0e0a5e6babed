//! A store in which another writer writes at a chosen moment: after the n-th read of a tag.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use multiarch_core::{
    BlobContent, Digest, Document, ImageStore, Import, MemoryStore, Package, Report, Result, Sent,
    Target, TargetName,
};
use multiarch_generator::{Image, images_tar};
use serde_json::Value;

use crate::own_store::answered_by_memory;
use crate::runs::Folder;

type Write = Box<dyn FnOnce(&MemoryStore) + Send>;

/// A store whose tags are read and written in two steps, as a registry's are.
struct ScriptedStore {
    inner: Arc<MemoryStore>,
    reads: AtomicUsize,
    /// After this many reads of a tag, this happens, once.
    script: Mutex<Option<(usize, Write)>>,
    /// What was read and written last, to know whether anything was between a read and a write.
    log: Mutex<Vec<&'static str>>,
}

impl ScriptedStore {
    fn new(inner: Arc<MemoryStore>, after: usize, write: Write) -> Arc<Self> {
        let script = Mutex::new(Some((after, write)));
        Arc::new(Self { inner, reads: AtomicUsize::new(0), script, log: Mutex::default() })
    }

    fn note(&self, what: &'static str) {
        self.log.lock().expect("not poisoned").push(what);
    }
}

impl ImageStore for ScriptedStore {
    answered_by_memory!(inner);

    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        let answer = self.inner.get_tag(name);
        self.note("read");
        let count = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
        let mut script = self.script.lock().expect("not poisoned");
        if let Some((_, write)) = script.take_if(|(after, _)| *after == count) {
            write(&self.inner);
            self.note("another writer");
        }
        answer
    }

    fn put_tag(&self, name: &TargetName, _: Option<&Digest>, new: &Document) -> Result<()> {
        self.note("write");
        set_tag(&self.inner, name, new)
    }

    fn put_blob(&self, to: &str, from: Option<&str>, content: &BlobContent<'_>) -> Result<Sent> {
        self.inner.put_blob(to, from, content)
    }
}

/// Sets a tag whatever it holds, as a registry does.
fn set_tag(store: &MemoryStore, name: &TargetName, document: &Document) -> Result<()> {
    let now = store.get_tag(name)?;
    store.put_tag(name, now.as_ref().map(Document::digest), document)
}

fn run(package: &Path, store: Arc<dyn ImageStore>) -> Report {
    let import = Import::into(Target::new("scripted", store)).package(package);
    import.plan().expect("planned").apply()
}

fn tag() -> TargetName {
    "x:1".parse().expect("a name")
}

/// The architectures that the tag lists; a single image is its config's.
fn architectures(store: &MemoryStore) -> Vec<String> {
    let document = store.get_tag(&tag()).expect("read").expect("there");
    let value: Value = serde_json::from_slice(document.raw()).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    match value["manifests"].as_array() {
        Some(entries) => entries.iter().map(|e| text(&e["platform"]["architecture"])).collect(),
        None => {
            let digest = text(&value["config"]["digest"]).parse().expect("a digest");
            let config = store.get_blob("x", &digest, 1 << 20).expect("read").expect("there");
            let config: Value = serde_json::from_slice(&config).expect("JSON");
            vec![text(&config["architecture"])]
        }
    }
}

fn package(folder: &Folder, architecture: &str) -> std::path::PathBuf {
    let image = Image::new(architecture, "x");
    folder.write(&format!("x-{architecture}.tar"), images_tar(&[("q.io/x:1", &image)]))
}

/// Another writer imports the other architecture after each read there is. Nothing of ours is lost,
/// and nothing of the other one's but where its whole run lay between our read and our write, which
/// no registry can show; then its next run brings it back.
#[test]
fn another_writer_at_every_moment_loses_nothing() {
    let folder = Folder::new();
    let (ours, theirs) = (package(&folder, "amd64"), package(&folder, "arm64"));
    let mut unseen = 0;
    for moment in 1.. {
        let memory = Arc::new(MemoryStore::new());
        let (inner, other) = (memory.clone(), theirs.clone());
        let write: Write = Box::new(move |_| assert!(run(&other, inner).complete));
        let store = ScriptedStore::new(memory.clone(), moment, write);
        let report = run(&ours, store.clone());
        assert!(report.complete, "{report}");
        if store.script.lock().expect("not poisoned").is_some() {
            assert!(moment > 3, "planned, read before the write, read back, looked at again");
            break;
        }
        let log = store.log.lock().expect("not poisoned").clone();
        if log.windows(2).any(|pair| pair == ["another writer", "write"]) {
            assert_eq!(architectures(&memory), ["amd64"], "moment {moment}");
            unseen += 1;
            assert!(run(&theirs, memory.clone()).complete);
        }
        assert_eq!(architectures(&memory), ["amd64", "arm64"], "moment {moment}: {log:?}");
    }
    assert_eq!(unseen, 1, "there is one read that a write follows");
}

/// A tag is read for the plan, immediately before it is written, after it, and at the end of the run.
#[test]
fn a_tag_is_read_around_its_write() {
    let folder = Folder::new();
    let store = ScriptedStore::new(Arc::default(), usize::MAX, Box::new(|_| {}));
    assert!(run(&package(&folder, "amd64"), store.clone()).complete);
    let log = store.log.lock().expect("not poisoned");
    assert_eq!(*log, ["read", "read", "write", "read", "read"]);
}

/// A tool that knows nothing of fusion sets the tag to its own image: ours is fused in again, and its
/// image stays.
#[test]
fn what_a_careless_writer_removes_is_fused_in_again() {
    let folder = Folder::new();
    let ours = package(&folder, "amd64");
    let theirs = Image::new("arm64", "theirs");
    for moment in 3..=4 {
        let memory = Arc::new(MemoryStore::new());
        let image = theirs.clone();
        let store = ScriptedStore::new(
            memory.clone(),
            moment,
            Box::new(move |store| {
                let digest = Digest::sha256(&image.config);
                let content = BlobContent::in_memory(&digest, &image.config);
                store.put_blob("x", None, &content).expect("put");
                let document = Document::new(image.manifest().into_bytes(), None).expect("valid");
                set_tag(store, &tag(), &document).expect("set");
            }),
        );
        // The read back is the third one, the last look the fourth; what comes after that read is
        // seen by the next one, if there is one.
        let report = run(&ours, store.clone());
        assert!(report.complete, "{report}");
        let expected: &[&str] = if moment == 3 { &["amd64", "arm64"] } else { &["arm64"] };
        assert_eq!(architectures(&memory), expected, "moment {moment}");
    }
}

/// A package that was opened once serves several runs, also at the same time.
#[test]
fn two_runs_at_once_lose_nothing() {
    let folder = Folder::new();
    let packages = ["amd64", "arm64"].map(|a| package(&folder, a));
    let packages = packages.map(|path| Arc::new(Package::open(path).expect("a package")));
    let memory = Arc::new(MemoryStore::new());
    std::thread::scope(|scope| {
        for package in &packages {
            let store = ScriptedStore::new(memory.clone(), usize::MAX, Box::new(|_| {}));
            scope.spawn(move || {
                let import = Import::into(Target::new("shared", store)).opened(package.clone());
                let report = import.plan().expect("planned").apply();
                assert!(report.complete, "{report}");
            });
        }
    });
    assert_eq!(architectures(&memory), ["amd64", "arm64"]);
}
