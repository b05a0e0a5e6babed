//! What a command may be doing when a signal comes.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use multiarch_generator::{Bundle, Entry, Image, Layer, gzip, images_tar, tar};
use multiarch_testing::{Answer, Fault, Registry, Request, Setup};

use crate::{
    museum::{Manner, Museum},
    place::Place,
    signals::Phase,
};

type Begin = fn() -> Phase;

pub(crate) const PHASES: [(&str, Begin); 12] = [
    ("reading a big gzip", reading_gzip),
    ("reading YAML", reading_yaml),
    ("no greeting", no_greeting),
    ("planning: a tag hangs", || hanging(|r| r.is("GET", "/manifests/"))),
    ("planning: a blob hangs", || hanging(|r| r.is("HEAD", "/blobs/"))),
    ("an upload hangs", || hanging(|r| r.is("PUT", "/blobs/uploads/"))),
    ("an upload stalls in its body", stalled_upload),
    ("a session hangs", || hanging(|r| r.is("POST", "/blobs/uploads/"))),
    ("a manifest hangs", || hanging(|r| r.is("PUT", "/manifests/"))),
    ("the server asks for a pause", paused),
    ("a chart hangs", uploading_a_chart),
    ("waiting for a lock", waiting_for_a_lock),
];

/// A time after which a phase that nothing announces has begun.
fn after(time: Duration) -> impl FnOnce() {
    move || std::thread::sleep(time)
}

fn came_to(came: Receiver<()>) -> impl FnOnce() {
    move || {
        came.recv_timeout(Duration::from_secs(60)).expect("it comes to this request");
        // The request was seen; its client waits a moment later.
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Something happens to the requests that are chosen; the first of them begins the phase.
fn at(
    chosen: fn(&Request) -> bool,
    fault: Fault,
) -> (impl Fn(&Request) -> Fault + Send + Sync + 'static, impl FnOnce()) {
    let (come, came) = channel();
    let rule = move |request: &Request| {
        if !chosen(request) {
            return Fault::Nothing;
        }
        let _ = come.send(());
        fault.clone()
    };
    (rule, came_to(came))
}

/// A registry does something to the requests that are chosen.
fn registry(chosen: fn(&Request) -> bool, fault: Fault) -> Phase {
    let (rule, begun) = at(chosen, fault);
    let registry = Registry::start(Setup::default(), rule);
    let place = Place::new();
    let command = place.import(&["amd64"], &format!("docker://{}", registry.address()));
    Phase::new(place, command, begun).with(registry)
}

fn hanging(chosen: fn(&Request) -> bool) -> Phase {
    registry(chosen, Fault::Delay(Duration::from_secs(30)))
}

/// The server asks to come again in a minute.
fn paused() -> Phase {
    let answer = Answer::new(503).header("Retry-After", "60");
    registry(|request| request.is("PUT", "/blobs/"), Fault::Answer(answer))
}

fn directory(place: &Place) -> String {
    format!("oci:{}", place.path().join("store").display())
}

fn import_of(place: &Place, package: &str, content: &[u8], target: &str) -> Command {
    std::fs::write(place.path().join(package), content).expect("written");
    let mut command = place.import(&[], target);
    command.arg(package);
    command
}

fn charts_to(command: &mut Command, museum: &Museum) {
    command.args(["--charts-to", &format!("http://{}", museum.address)]);
    command.args(["--registry", "registry.example.com"]);
}

/// The chart repository does not answer an upload.
fn uploading_a_chart() -> Phase {
    let late = Fault::Delay(Duration::from_secs(30));
    let (rule, begun) = at(|request| request.method == "POST", late);
    let museum = Museum::start_with(Manner::ChartMuseum, rule);
    let place = Place::new();
    let mut command = place.import(&["amd64"], &directory(&place));
    charts_to(&mut command, &museum);
    Phase::new(place, command, begun).with(museum)
}

/// A file of 400 MiB that hardly compresses, so that reading it takes a while.
fn reading_gzip() -> Phase {
    let place = Place::new();
    let (part, count) = (random(1 << 20), 24);
    let mut header = tar::Header::new_ustar();
    header.set_path("addon/big").expect("short");
    header.set_size((part.len() * count) as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut content = gzip(header.as_bytes());
    // Members of a gzip file follow one another.
    content.extend(gzip(part.as_bytes()).repeat(count));
    content.extend(gzip(&[0; 1024]));
    let command = import_of(&place, "big.tar.gz", &content, &directory(&place));
    Phase::new(place, command, after(Duration::from_millis(300)))
}

/// Many charts with many values each, but less than a tenth of the limit.
fn reading_yaml() -> Phase {
    let place = Place::new();
    let museum = Museum::start(Manner::ChartMuseum);
    let values: String = (0..6_000).map(|i| format!("key-{i}: [value, {i}]\n")).collect();
    let image = Image::new("amd64", "web");
    let entries = (0..40).map(|i| {
        let images = [("web", "quay.io", "demo/web", "v1", &image)];
        let mut bundle = Bundle::simple(&format!("large-{i}"), "1.0.0", &images);
        bundle.values.push_str(&values);
        Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar())
    });
    let content = tar(&entries.collect::<Vec<_>>());
    let mut command = import_of(&place, "yaml.tar", &content, &directory(&place));
    charts_to(&mut command, &museum);
    Phase::new(place, command, after(Duration::from_secs(1))).with(museum)
}

/// Another process holds the lock of a directory.
fn waiting_for_a_lock() -> Phase {
    let place = Place::new();
    let target = directory(&place);
    assert!(place.import(&["s390x"], &target).status().expect("runs").success());
    let marker = File::open(place.path().join("store/oci-layout")).expect("there");
    marker.lock().expect("locked");
    let command = place.import(&["amd64"], &target);
    Phase::new(place, command, after(Duration::from_millis(1500))).with(marker)
}

/// The server accepts connections and never says anything.
fn no_greeting() -> Phase {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (come, came) = channel();
    std::thread::spawn(move || {
        let mut clients = Vec::new();
        for client in listener.incoming().flatten() {
            clients.push(client);
            let _ = come.send(());
        }
    });
    let place = Place::new();
    let command = place.import(&["amd64"], &format!("http://{address}"));
    Phase::new(place, command, came_to(came))
}

/// A large body that the server stops reading.
fn stalled_upload() -> Phase {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (come, came) = channel();
    let registry = Registry::new();
    let registry_address = registry.address();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (come, to) = (come.clone(), registry_address.clone());
            std::thread::spawn(move || relay(client, &to, &come));
        }
    });
    let place = Place::new();
    // The layer does not fit into the buffers of a connection.
    let image = Image::of("amd64", "", vec![Layer::plain("data", &random(2 << 20))]);
    let content = images_tar(&[("quay.io/demo/large:v1", &image)]);
    let command = import_of(&place, "large.tar", &content, &format!("http://{address}"));
    Phase::new(place, command, came_to(came)).with(registry)
}

/// A text of this many numbers without a pattern, 16 bytes each.
fn random(count: usize) -> String {
    let next = |state: &u64| {
        Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
    };
    let numbers = std::iter::successors(Some(7u64), next).take(count);
    numbers.map(|number| format!("{number:016x}")).collect()
}

/// Passes a connection on until a large body comes, of which nothing more is read.
fn relay(mut client: TcpStream, to: &str, come: &Sender<()>) {
    let mut server = TcpStream::connect(to).expect("it listens");
    let mut answers = server.try_clone().expect("a handle");
    let mut back = client.try_clone().expect("a handle");
    std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = client.read(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..count.min(2000)]).to_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|l| l > 1 << 20) {
            let _ = come.send(());
            std::thread::sleep(Duration::from_secs(60));
        }
        if count == 0 || server.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}
