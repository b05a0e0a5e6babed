//! Real registries on free loopback ports, which stop with the test, and what other tools see in
//! them.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use multiarch_generator::{Image, images_tar, sha256};
use multiarch_testing::{Fault, HttpServer, Request};

use crate::{
    proxy::proxy,
    tools::{succeed, tool},
};

/// The accounts in the format of htpasswd, with bcrypt.
const HTPASSWD: &str = include_str!("htpasswd");

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

impl Kind {
    /// True if it reports how many bytes it has of an upload that broke off.
    pub(crate) fn keeps_parts(self) -> bool {
        matches!(self, Self::V3 | Self::Olareg)
    }
}

/// A running registry, and a proxy in front of it if its requests go through a rule.
pub(crate) struct Server {
    process: Process,
    proxy: Option<HttpServer>,
    /// The address that clients use: the proxy's if there is one.
    pub(crate) address: String,
}

struct Process {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that no process listens on. Another process could take it, so starting is tried again.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::configured(kind, "")
    }

    /// Its requests go through a rule.
    pub(crate) fn start_with(
        kind: Kind,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        Self::start(kind).behind(rule)
    }

    /// Only the accounts have access.
    pub(crate) fn protected(
        kind: Kind,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let auth = "auth:\n  htpasswd: {realm: test, path: FOLDER/htpasswd}\n";
        Self::configured(kind, auth).behind(rule)
    }

    /// `more` is YAML for the configuration of distribution's registries. It goes below `http:` if
    /// it is indented, and beside it otherwise. FOLDER is replaced by the folder with the accounts.
    pub(crate) fn configured(kind: Kind, more: &str) -> Self {
        let process = (0..5).find_map(|_| Process::start(kind, more));
        let process = process.unwrap_or_else(|| panic!("{kind:?} does not start"));
        Self { address: process.address.clone(), process, proxy: None }
    }

    fn behind(self, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let proxy = proxy(&self.process.address, rule);
        Self { address: proxy.address(), proxy: Some(proxy), ..self }
    }

    pub(crate) fn target(&self) -> String {
        format!("docker://{}", self.address)
    }

    /// The requests received since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        self.proxy.as_ref().expect("a server that was started with a rule").take()
    }

    /// A name in the registry itself, because other tools do not go through the rule.
    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.process.address)
    }

    /// Fails if crane does not find an image, and everything it refers to, valid.
    pub(crate) fn validate(&self, name: &str) {
        let out = succeed(tool("crane").args(["validate", "--remote", &self.at(name)]));
        assert!(out.contains("PASS"), "{name}: {out}");
    }

    /// The same for an image whose layers are not archives: oras checks only digests.
    pub(crate) fn fetch(&self, name: &str) {
        let words = ["cp", "--from-plain-http", &self.at(name), "--to-oci-layout", "fetched"];
        succeed(tool("oras").args(words).current_dir(self.process.folder.path()));
    }

    /// The manifest at a tag or a digest.
    pub(crate) fn manifest(&self, name: &str) -> String {
        succeed(tool("crane").args(["manifest", &self.at(name)]))
    }

    /// The digest that a tag refers to.
    pub(crate) fn digest(&self, name: &str) -> String {
        succeed(tool("crane").args(["digest", &self.at(name)])).trim().to_owned()
    }

    /// The folder of distribution's registries with their content.
    pub(crate) fn storage(&self) -> std::path::PathBuf {
        self.process.folder.path().join("data/docker/registry/v2")
    }

    /// Stops the registry, has it delete every manifest without a tag, and starts it again.
    pub(crate) fn collect_garbage(&mut self) {
        let _ = self.process.child.kill();
        let _ = self.process.child.wait();
        let config = self.process.folder.path().join("config.yml");
        succeed(tool("docker-registry").args(["garbage-collect", "-m"]).arg(&config));
        let mut command = tool("docker-registry");
        command.arg("serve").arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        self.process.child = command.spawn().expect("it started before");
        let begun = Instant::now();
        while TcpStream::connect(&self.process.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not start again");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.process.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    }

    /// Puts an image at a tag, with crane.
    pub(crate) fn push(&self, image: &Image, name: &str) {
        let archive = self.file("pushed.tar", images_tar(&[("quay.io/demo/app:v1", image)]));
        succeed(tool("crane").args(["push", &archive, &self.at(name)]));
    }

    /// Puts raw bytes at a tag with oras, or under their digest if the tag is empty. oras reads
    /// their type from the bytes. Returns the digest.
    pub(crate) fn put(&self, repository: &str, tag: &str, _media_type: &str, text: &str) -> String {
        let file = self.file("manifest.json", text);
        let digest = format!("sha256:{}", sha256(text.as_bytes()));
        let name = match tag {
            "" => format!("{}@{digest}", self.at(repository)),
            tag => format!("{}:{tag}", self.at(repository)),
        };
        succeed(tool("oras").args(["manifest", "push", "--plain-http", &name, &file]));
        digest
    }

    /// Puts a blob with oras. Returns its digest.
    pub(crate) fn put_blob(&self, repository: &str, content: &str) -> String {
        let file = self.file("blob", content);
        succeed(tool("oras").args(["blob", "push", "--plain-http", &self.at(repository), &file]));
        format!("sha256:{}", sha256(content.as_bytes()))
    }
}

impl Process {
    /// `None` if another process took the port.
    fn start(kind: Kind, more: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("htpasswd"), HTPASSWD).expect("written");
        let more = more.replace("FOLDER", &folder.path().display().to_string());
        let mut address = format!("127.0.0.1:{}", free_port());
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("created");
        let mut command = match kind {
            Kind::Debian | Kind::V3 => {
                let path = folder.path().join("config.yml");
                std::fs::write(&path, config(&address, &data, &more)).expect("written");
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
                return Some(Self { child, address, folder });
            }
            if child.try_wait().ok().flatten().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        None
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
