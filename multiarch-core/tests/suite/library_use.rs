//! How programs that use the library get hurt elsewhere: stores with bugs, saved plans, readers, texts.

use std::{
    io::{self, Cursor, Read, Seek, SeekFrom},
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use multiarch_core::{
    BlobContent, Cancel, Digest, Document, Error, ErrorKind, FuseOptions, ImageStore, Import,
    Incoming, MemoryStore, Meter, OpenOptions, Options, Package, Plan, Result, Sent, Target,
    TargetName, fuse_tag,
};
use multiarch_generator::{Image, Layer, gzip, images_tar};

use crate::own_store::answered_by_memory;
use crate::runs::Folder;

type PutBlob = dyn Fn(&MemoryStore, &BlobContent<'_>) -> Result<Sent> + Send + Sync;

type BeforeRead = dyn Fn(usize, &MemoryStore) + Send + Sync;

/// A program's own store.
struct OwnStore {
    inner: MemoryStore,
    jobs: usize,
    put_blob: Box<PutBlob>,
    puts: AtomicUsize,
    reads: AtomicUsize,
    /// The read of a tag that fails.
    failing_read: usize,
    /// What happens before each read of a tag; the first one is 0.
    before_read: Box<BeforeRead>,
}

impl OwnStore {
    fn new(
        jobs: usize,
        put_blob: impl Fn(&MemoryStore, &BlobContent<'_>) -> Result<Sent> + Send + Sync + 'static,
    ) -> Self {
        let (inner, puts, reads) = Default::default();
        let put_blob = Box::new(put_blob);
        let (failing_read, before_read) = (usize::MAX, Box::new(|_, _: &MemoryStore| {}));
        Self { inner, jobs, put_blob, puts, reads, failing_read, before_read }
    }

    fn plain(jobs: usize) -> Self {
        Self::new(jobs, |inner, content| inner.put_blob("", None, content))
    }
}

impl ImageStore for OwnStore {
    answered_by_memory!(inner);

    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        let number = self.reads.fetch_add(1, Ordering::SeqCst);
        (self.before_read)(number, &self.inner);
        if number == self.failing_read {
            return Err(Error::new(ErrorKind::Server, "503"));
        }
        self.inner.get_tag(name)
    }

    fn put_blob(&self, _: &str, _: Option<&str>, content: &BlobContent<'_>) -> Result<Sent> {
        self.puts.fetch_add(1, Ordering::SeqCst);
        (self.put_blob)(&self.inner, content)
    }

    fn put_tag(&self, name: &TargetName, old: Option<&Digest>, new: &Document) -> Result<()> {
        self.inner.put_tag(name, old, new)
    }

    fn jobs(&self) -> usize {
        self.jobs
    }
}

fn into(store: &Arc<OwnStore>) -> Import {
    Import::into(Target::new("own", store.clone()))
}

fn small(architecture: &str) -> Vec<u8> {
    images_tar(&[("q.io/x:1", &Image::new(architecture, "x"))])
}

/// A package of one image with layers of random bytes, which no compression makes smaller.
fn large(layers: usize, size: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + (state >> 57) as u8 % 64)
    };
    let layers = (0..layers).map(|number| {
        let content: String = (0..size).map(|_| byte()).collect();
        Layer::plain(&number.to_string(), &content)
    });
    images_tar(&[("q.io/x:1", &Image::of("amd64", "", layers.collect()))])
}

fn package(name: &str, content: Vec<u8>) -> Arc<Package> {
    Arc::new(Package::from_reader(name, Cursor::new(content)).expect("a package"))
}

/// The result of `act`, which must not hang; `None` where it panics.
fn within<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, result) = mpsc::channel();
    std::thread::spawn(move || sender.send(act()));
    match result.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => Some(result),
        Err(error) => {
            assert_eq!(error, mpsc::RecvTimeoutError::Disconnected, "it hangs");
            None
        }
    }
}

fn again(plan: &Plan) -> Plan {
    serde_json::from_str(&serde_json::to_string(plan).expect("JSON")).expect("a plan")
}

#[test]
fn a_panic_of_a_store_comes_out() {
    for jobs in [1, 2, 8] {
        let store = Arc::new(OwnStore::new(jobs, |_, _| panic!("a bug of the program")));
        let packages = [package("x-amd64.tar", small("amd64"))];
        let plan = into(&store).opened(packages[0].clone()).plan().expect("planned");
        assert!(within(move || plan.apply()).is_none(), "{jobs}: the panic was swallowed");
    }
}

#[test]
fn a_saved_plan_of_an_own_store_writes_nowhere_else() {
    let folder = Folder::new();
    let path = folder.write("x-amd64.tar", small("amd64"));
    let elsewhere = folder.path().join("elsewhere");
    let store = Arc::new(OwnStore::plain(1));
    let target = Target::new(format!("oci:{}", elsewhere.display()), store.clone());
    let saved = again(&Import::into(target.clone()).package(&path).plan().expect("planned"));
    let report = saved.apply();
    assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::Usage));
    assert!(!elsewhere.exists() && store.puts.load(Ordering::SeqCst) == 0);
    let import = Import::from_saved_plan_into(&saved, target).expect("the store is given");
    assert!(import.plan().expect("planned").apply().complete);
    assert!(store.inner.get_tag(&"x:1".parse().expect("a name")).expect("read").is_some());
}

#[test]
fn a_saved_plan_keeps_a_package_that_could_not_be_opened() {
    let folder = Folder::new();
    let good = folder.write("x-amd64.tar", small("amd64"));
    let bad = folder.write("x-arm64.tar", "<html>404</html>");
    let import = Import::into(folder.layout("store")).package(good).package(bad);
    let plan = import.plan().expect("planned");
    assert!(!plan.complete && plan.problems.len() == 1);
    let saved = again(&plan);
    let planned = Import::from_saved_plan(&saved).and_then(|import| import.plan());
    assert!(!planned.expect("planned").complete);
    let report = saved.apply();
    assert!(!report.complete && report.tags_written == 1, "{report}");
    assert_eq!(report.problems.len(), 1);
}

#[test]
fn a_store_in_memory_compares_and_sets() {
    let name: TargetName = "x:1".parse().expect("a name");
    for round in 0..300 {
        let (store, start) = (MemoryStore::new(), Barrier::new(2));
        std::thread::scope(|scope| {
            for architecture in ["amd64", "arm64"] {
                let (store, start, name) = (&store, &start, &name);
                scope.spawn(move || {
                    let image = Image::new(architecture, "x");
                    let digest = Digest::sha256(&image.config);
                    let content = BlobContent::in_memory(&digest, &image.config);
                    store.put_blob("x", None, &content).expect("put");
                    let incoming = Incoming::parse(image.manifest().as_bytes(), &image.config);
                    let incoming = incoming.expect("an image");
                    start.wait();
                    fuse_tag(store, name, &incoming, &FuseOptions::default()).expect("fused");
                });
            }
        });
        let document = store.get_tag(&name).expect("read").expect("written");
        assert!(document.is_index(), "round {round}");
    }
}

/// As many readers at once as the package's pool has buffers, each with one: none may keep its buffer
/// while it waits for the next.
#[test]
fn many_readers_at_once_end() {
    const BUFFERS: usize = 64;
    let start = Barrier::new(BUFFERS);
    let store = Arc::new(OwnStore::new(BUFFERS, move |_, content| {
        let mut reader = content.reader()?;
        let mut first = [0];
        reader.read_exact(&mut first).map_err(|e| Error::from_io("reading", e))?;
        if content.size() > 1 << 19 {
            start.wait();
        }
        io::copy(&mut reader, &mut io::sink()).map_err(|e| Error::from_io("reading", e))?;
        Ok(Sent::Uploaded)
    }));
    let content = package("x-amd64.tar", large(BUFFERS, 600 << 10));
    let plan = into(&store).opened(content).plan().expect("planned");
    assert!(within(move || plan.apply().complete).expect("no panic"));
}

/// A store may stop reading once it has as many bytes as it expects: a damaged blob must fail before.
#[test]
fn a_damaged_blob_is_never_given_out_whole() {
    let layer = Layer::plain("a", "what the digest was made of");
    let mut content = images_tar(&[("q.io/x:1", &Image::of("amd64", "", vec![layer]))]);
    let at = content.windows(8).position(|text| text == b"what the").expect("the layer");
    content[at] = b'W';
    let store = Arc::new(OwnStore::new(1, |_, content| {
        let mut bytes = vec![0; usize::try_from(content.size()).expect("small")];
        content.reader()?.read_exact(&mut bytes).map_err(|e| Error::from_io("reading", e))?;
        Ok(Sent::Uploaded)
    }));
    let import = into(&store).opened(package("x-amd64.tar", content));
    let report = import.plan().expect("planned").apply();
    let kinds: Vec<_> = report.errors().map(Error::kind).collect();
    assert_eq!(kinds, [ErrorKind::DigestMismatch]);
}

/// A reader that waits for another reader of its package has no right to; cancelling ends the wait.
#[test]
fn a_second_reader_that_waits_can_be_cancelled() {
    let content = gzip(&large(1, 20 << 20));
    let store = Arc::new(OwnStore::new(1, |_, content| {
        let _first = content.reader()?;
        content.reader().map(|_| Sent::Uploaded)
    }));
    let cancel = Cancel::new();
    let import = into(&store).opened(package("x-amd64.tar.gz", content)).cancel(&cancel);
    let plan = import.plan().expect("planned");
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        cancel.cancel();
    });
    assert!(within(move || plan.apply().cancelled).expect("no panic"));
}

#[test]
fn hostile_texts_are_printed_harmlessly() {
    let long = "a".repeat(70_000);
    for architecture in
        ["amd64\u{1b}]0;x\u{7}", "amd64 added\n\nnew  forged:1", &long, "\u{202e}46dma"]
    {
        let image = Image::of(architecture, "", vec![Layer::gzip("a", "b")]);
        let content = images_tar(&[("q.io/x:1", &image), ("q.io/y\u{1b}[2J:1", &image)]);
        let store = Arc::new(OwnStore::plain(1));
        let import = into(&store).opened(package("x-amd64.tar", content));
        let plan = import.plan().expect("planned");
        let report = plan.apply();
        let errors = report.errors().map(|e| format!("{e} {e:?}")).collect::<String>();
        for text in [plan.to_string(), report.to_string(), errors] {
            let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(hostile), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("new  forged")), "{text}");
        }
    }
}

#[test]
fn a_misspelt_option_is_refused() {
    for text in
        [r#"{"fuse": {"on_conflict": "fail"}}"#, r#"{"fusion": {}}"#, r#"{"names": {"x": 1}}"#]
    {
        assert!(serde_json::from_str::<Options>(text).is_err(), "{text}");
    }
    let options: Options =
        serde_json::from_str(r#"{"fuse": {"on-conflict": "fail"}}"#).expect("read");
    assert_eq!(options.fuse.on_conflict, multiarch_core::ConflictPolicy::Fail);
}

/// Only the run's own token makes a failure a cancelled run.
#[test]
fn a_cancellation_of_something_else_is_an_error() {
    let cancelled = || Err(Error::new(ErrorKind::Cancelled, "the program's own job"));
    let store = Arc::new(OwnStore::new(1, move |_, _| cancelled()));
    let plan = into(&store).opened(package("x-amd64.tar", small("amd64"))).plan().expect("planned");
    let report = plan.apply();
    assert!(!report.complete && !report.cancelled && report.errors().next().is_some());

    let folder = Folder::new();
    let path = folder.write("x-amd64.tar", small("amd64"));
    let opening = Cancel::new();
    let package = OpenOptions::new().cancel(&opening).open(path).expect("a package");
    opening.cancel();
    let plan = into(&Arc::new(OwnStore::plain(1))).opened(package).plan().expect("planned");
    let report = plan.apply();
    assert!(!report.complete && !report.cancelled && report.errors().next().is_some());
}

#[test]
fn a_plan_that_is_applied_again_does_what_is_left() {
    let (store, meter) = (Arc::new(OwnStore::plain(1)), Meter::new());
    let import = into(&store).opened(package("x-amd64.tar", small("amd64"))).meter(&meter);
    let plan = import.plan().expect("planned");
    assert!(plan.apply().complete);
    let before = store.puts.load(Ordering::SeqCst);
    let again = plan.apply();
    assert!(again.complete && again.tags_written == 0);
    assert_eq!(
        (store.puts.load(Ordering::SeqCst), again.blobs_sent, again.bytes_sent),
        (before, 0, 0)
    );
    let now = meter.progress();
    assert!(now.images <= now.images_total && now.charts <= now.charts_total, "{now:?}");
}

/// A tag that was written and cannot be read back is reported as what it holds, and as failed.
#[test]
fn a_written_tag_that_cannot_be_read_back_is_not_reported_as_before() {
    for failing_read in [2, 3] {
        let store = Arc::new(OwnStore { failing_read, ..OwnStore::plain(1) });
        let plan = into(&store).opened(package("x-amd64.tar", small("amd64"))).plan();
        let report = plan.expect("planned").apply();
        assert!(!report.complete && report.errors().next().is_some(), "{failing_read}");
        let held = store.inner.get_tag(&"x:1".parse().expect("a name")).expect("read");
        assert_eq!(report.images[0].after.as_ref(), held.as_ref().map(Document::digest));
        assert_eq!(report.images[0].platforms.len(), 1, "{failing_read}");
    }
}

/// A run that is stopped before it has fused in again what another writer removed is not complete.
#[test]
fn a_run_that_is_stopped_before_a_repair_is_not_complete() {
    for read in [2, 3] {
        let (cancel, stop) = (Cancel::new(), Cancel::new());
        let token = if read == 2 { cancel.clone() } else { stop };
        let theirs = Image::new("arm64", "theirs");
        let before_read = move |number: usize, store: &MemoryStore| {
            if number != read {
                return;
            }
            let name = "x:1".parse().expect("a name");
            let held = store.get_tag(&name).expect("read");
            let document = Document::new(theirs.manifest().into_bytes(), None).expect("valid");
            let held = held.as_ref().map(Document::digest);
            let digest = Digest::sha256(&theirs.config);
            let config = BlobContent::in_memory(&digest, &theirs.config);
            store.put_blob("x", None, &config).expect("put");
            store.put_tag(&name, held, &document).expect("set");
            token.cancel();
        };
        let store = OwnStore { before_read: Box::new(before_read), ..OwnStore::plain(1) };
        let import = into(&Arc::new(store)).opened(package("x-amd64.tar", small("amd64")));
        let report = import.cancel(&cancel).plan().expect("planned").apply();
        assert_eq!((report.complete, report.cancelled), (read != 2, read == 2), "{report}");
        if read != 2 {
            assert_eq!(report.images[0].platforms.len(), 2, "it was fused in again");
        }
    }
}

/// A reader that is interrupted at every second read.
struct Interrupted(Cursor<Vec<u8>>, bool);

impl Read for Interrupted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.0.read(out)
    }
}

impl Seek for Interrupted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_interrupted_reader_is_read_on() {
    for (name, content) in
        [("x-amd64.tar", small("amd64")), ("x-amd64.tar.gz", gzip(&small("amd64")))]
    {
        let reader = Interrupted(Cursor::new(content), false);
        let package = Package::from_reader(name, reader).expect("a package");
        let plan = into(&Arc::new(OwnStore::plain(1))).opened(package).plan().expect("planned");
        assert!(plan.apply().complete, "{name}");
    }
}

#[test]
fn a_cause_can_be_looked_at() {
    let error = Error::from_io("writing", io::ErrorKind::StorageFull.into());
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::StorageFull));
}

#[test]
fn an_import_of_nothing_is_refused() {
    let error = into(&Arc::new(OwnStore::plain(1))).plan().expect_err("nothing to import");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[cfg(feature = "registry")]
#[test]
fn addresses_that_cannot_be_are_refused() {
    for text in [
        "oci://h.example.com/a",
        "oci:a\0b",
        "h.example.com:0",
        "h.example.com:99999",
        "docker://[::1]:65536/x",
    ] {
        assert!(Target::open(text).is_err(), "{text}");
    }
    assert!(Target::open("[::1]").is_ok() && Target::open("h.example.com:65535").is_ok());
}
