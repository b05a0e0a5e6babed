//! Real registries on free loopback ports, ended with the test.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::desk::{succeed, tool};

/// Which registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Debian's docker-registry 2.8.2.
    Debian,
    /// distribution v3.
    V3,
    /// olareg, which serves OCI layouts.
    Olareg,
    /// The small one inside crane.
    Crane,
}

pub(crate) const ALL: [Kind; 4] = [Kind::Debian, Kind::V3, Kind::Olareg, Kind::Crane];

/// A running registry.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on; another process could take it, so starting is tried again.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_with(kind, "")
    }

    /// `http` is YAML that goes into the configuration of distribution's registries, below `http:`,
    /// or beside it where it is not indented.
    pub(crate) fn start_with(kind: Kind, more: &str) -> Self {
        for _ in 0..5 {
            if let Some(server) = Self::try_start(kind, more) {
                return server;
            }
        }
        panic!("{kind:?} does not start");
    }

    fn try_start(kind: Kind, more: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut address = format!("127.0.0.1:{}", free_port());
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("created");
        let mut command = match kind {
            Kind::Debian | Kind::V3 => {
                let path = folder.path().join("config.yml");
                std::fs::write(&path, config(&address, &data, more)).expect("written");
                let name = if kind == Kind::V3 { "registry" } else { "docker-registry" };
                let mut command = tool(name);
                command.arg("serve").arg(path);
                command
            }
            Kind::Olareg => {
                let (host, port) = address.split_once(':').expect("a port");
                let mut command = tool("olareg");
                command.args(["serve", "--addr", host, "--port", port, "--dir"]).arg(&data);
                command
            }
            Kind::Crane => {
                let mut command = tool("crane");
                command.args(["registry", "serve", "--address", "127.0.0.1:0"]);
                command.stderr(Stdio::piped());
                command
            }
        };
        if kind != Kind::Crane {
            command.stderr(Stdio::null());
        }
        #[expect(clippy::zombie_processes, reason = "it is waited for when the server is dropped")]
        let mut child = command
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{kind:?}: {e}; `ci/test` installs what the tests need"));
        if kind == Kind::Crane {
            address = format!("127.0.0.1:{}", crane_port(&mut child));
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(&address).is_ok() {
                return Some(Self { child, address, _folder: folder });
            }
            if child.try_wait().ok().flatten().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        None
    }

    pub(crate) fn target(&self) -> String {
        format!("docker://{}", self.address)
    }
}

/// crane prints its port.
fn crane_port(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let line = lines.find_map(|l| l.ok().filter(|l| l.contains("port"))).expect("its port");
    std::thread::spawn(move || lines.for_each(drop));
    let digits: String = line.chars().rev().take_while(char::is_ascii_digit).collect();
    digits.chars().rev().collect()
}

fn config(address: &str, data: &Path, more: &str) -> String {
    let (inside, beside): (Vec<&str>, Vec<&str>) =
        more.lines().partition(|line| line.starts_with("  ") && more.starts_with("  "));
    format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
         http:\n  addr: {address}\n{}\n{}\n",
        data.display(),
        inside.join("\n"),
        beside.join("\n"),
    )
}

pub(crate) fn openssl(folder: &Path, words: &[&str]) -> String {
    succeed(Command::new("openssl").args(words).current_dir(folder))
}

/// Makes a self-signed certificate for `name`; gives its path, and what a server is told about it.
pub(crate) fn certificate(folder: &Path, name: &str) -> (String, String) {
    let name = format!("subjectAltName={name}");
    let mut words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=test -addext".split(' ').collect::<Vec<_>>();
    words.push(&name);
    openssl(folder, &words);
    let path = |file| folder.join(file).display().to_string();
    let tls = format!("  tls: {{certificate: {}, key: {}}}", path("cert.pem"), path("key.pem"));
    (path("cert.pem"), tls)
}
