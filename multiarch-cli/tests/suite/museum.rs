//! A double of ChartMuseum and of Harbor's chart repositories: neither can be installed here. Answers
//! are those of the real ones (ChartMuseum of April 2026, Harbor 2.7 and 2.15).

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use multiarch_core::chart::{Chart, ChartFiles};

use crate::proxy::{Request, read_head};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    ChartMuseum,
    /// One without `serverInfo` in its index.
    OldChartMuseum,
    /// Storage cannot be overwritten, `?force` or not.
    NoOverwrite,
    ApiDisabled,
    /// Takes no chart of more than a hundred bytes.
    Small,
    /// Wants `rootuser:rootpass123`.
    Locked,
    /// With tenants: paths have one more component.
    Tenants,
    /// A web server with an index.
    Static,
    /// Before 2.8: ChartMuseum below `/chartrepo/PROJECT`.
    OldHarbor,
    /// The first answer to an upload is lost.
    LosesAnswer,
}

pub(crate) struct Museum {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// File name → name, version, content.
    charts: BTreeMap<String, (String, String, Vec<u8>)>,
    writes: usize,
}

struct Reply(u16, &'static str, Vec<u8>);

fn json(status: u16, text: &str) -> Reply {
    Reply(status, "application/json; charset=utf-8", text.as_bytes().to_vec())
}

impl Museum {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || serve(&client, manner, &shared));
            }
        });
        Self { address, state }
    }

    /// How many uploads were taken.
    pub(crate) fn writes(&self) -> usize {
        self.state.lock().expect("a state").writes
    }

    pub(crate) fn chart(&self, file: &str) -> Option<Vec<u8>> {
        self.state.lock().expect("a state").charts.get(file).map(|(_, _, content)| content.clone())
    }

    pub(crate) fn put(&self, content: &[u8]) {
        add(&mut self.state.lock().expect("a state"), content, true);
    }
}

fn add(state: &mut State, content: &[u8], over: bool) -> Reply {
    let Ok(files) = ChartFiles::unpack(content) else {
        return json(400, r#"{"error":"gzip: invalid header"}"#);
    };
    let chart = Chart::load(&files).expect("a chart");
    let file = format!("{}-{}.tgz", chart.name(), chart.version());
    if state.charts.contains_key(&file) && !over {
        return json(409, r#"{"error":"file already exists"}"#);
    }
    let entry = (chart.name().to_owned(), chart.version().to_owned(), content.to_vec());
    state.charts.insert(file, entry);
    state.writes += 1;
    json(201, r#"{"saved":true}"#)
}

fn index(state: &State, manner: Manner) -> Reply {
    let mut text = String::from("apiVersion: v1\nentries:");
    let mut names: Vec<&String> = state.charts.values().map(|(name, _, _)| name).collect();
    names.dedup();
    if names.is_empty() {
        text.push_str(" {}");
    }
    for name in names {
        text.push_str(&format!("\n  {name}:"));
        for (file, (_, version, _)) in state.charts.iter().filter(|(_, (n, _, _))| n == name) {
            text.push_str(&format!(
                "\n  - apiVersion: v2\n    name: {name}\n    version: \"{version}\"\n    urls:\n    - charts/{file}"
            ));
        }
    }
    text.push_str("\ngenerated: \"2026-04-30T00:00:00Z\"\n");
    if !matches!(manner, Manner::OldChartMuseum | Manner::Static | Manner::OldHarbor) {
        text.push_str("serverInfo: {}\n");
    }
    Reply(200, "application/x-yaml", text.into_bytes())
}

fn answer(request: &Request, body: &[u8], manner: Manner, state: &mut State) -> Reply {
    // rootuser:rootpass123
    let known = request.headers.get("authorization").map(String::as_str)
        == Some("Basic cm9vdHVzZXI6cm9vdHBhc3MxMjM=");
    if manner == Manner::Locked && !known {
        return json(401, r#"{"error":"unauthorized"}"#);
    }
    let base = match manner {
        Manner::Tenants => "/team",
        Manner::OldHarbor => "/chartrepo/addon",
        _ => "",
    };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let not_found = || json(404, r#"{"error":"not found"}"#);
    if let Some(below) = path.strip_prefix("/api") {
        return match (request.method.as_str(), below.strip_prefix(base)) {
            _ if matches!(manner, Manner::ApiDisabled | Manner::Static) => not_found(),
            ("GET", Some("/charts")) => json(200, "{}"),
            ("POST", Some("/charts")) if manner == Manner::Small && body.len() > 100 => {
                Reply(413, "text/plain", b"request too large".to_vec())
            }
            ("POST", Some("/charts")) => {
                add(state, body, query == "force" && manner != Manner::NoOverwrite)
            }
            _ => not_found(),
        };
    }
    match path.strip_prefix(base) {
        Some("/index.yaml") => index(state, manner),
        Some(path) => match path.strip_prefix("/charts/").and_then(|file| state.charts.get(file)) {
            Some((_, _, content)) => Reply(200, "application/x-tar", content.clone()),
            None => not_found(),
        },
        None => not_found(),
    }
}

fn serve(client: &TcpStream, manner: Manner, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let Some((_, request)) = read_head(&mut reader)? else { return Ok(()) };
    let mut body = Vec::new();
    (&mut reader).take(request.length).read_to_end(&mut body)?;
    let mut state = state.lock().expect("a state");
    let Reply(status, media_type, content) = answer(&request, &body, manner, &mut state);
    if manner == Manner::LosesAnswer && request.method == "POST" && status == 201 {
        return Ok(());
    }
    let challenge = match status {
        401 => "Www-Authenticate: Basic realm=\"ChartMuseum\"\r\n",
        _ => "",
    };
    let mut client = client;
    let head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: {media_type}\r\n{challenge}Content-Length: {}\r\n\r\n",
        content.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(&content)
}
