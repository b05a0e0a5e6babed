//! A double of ChartMuseum and of Harbor's chart repositories, because neither can be installed
//! here. The answers are those of the real ones (ChartMuseum of April 2026, Harbor 2.7 and 2.15).

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use multiarch_testing::{Answer, Body, Fault, HttpServer, Request, Service};

use crate::unpacked;

/// Which chart repository it behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "servers", allow(dead_code, reason = "each binary uses some"))]
pub(crate) enum Manner {
    ChartMuseum,
    /// One without `serverInfo` in its index.
    OldChartMuseum,
    /// Stored charts cannot be overwritten, not even with `?force`.
    NoOverwrite,
    ApiDisabled,
    /// Accepts no chart of more than a hundred bytes.
    Small,
    /// Requires `rootuser:rootpass123`.
    Locked,
    /// With tenants: paths have one more component.
    Tenants,
    /// A web server with an index, and no API.
    Static,
    /// Harbor before 2.8: ChartMuseum below `/chartrepo/PROJECT`.
    OldHarbor,
    /// The first answer to an upload is lost.
    LosesAnswer,
    /// Everything is below a path of the proxy in front of it.
    Context,
    /// It says that it stores charts, and does not.
    Forgets,
}

pub(crate) struct Museum {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
    _server: HttpServer,
}

#[derive(Default)]
struct State {
    /// File name → name, version, content.
    charts: BTreeMap<String, (String, String, Vec<u8>)>,
    writes: usize,
}

fn reply(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::new(status).header("Content-Type", media_type).body(body)
}

fn json(status: u16, text: &str) -> Answer {
    reply(status, "application/json; charset=utf-8", text)
}

/// Answers the requests.
struct Counter {
    manner: Manner,
    state: Arc<Mutex<State>>,
}

impl Service for Counter {
    fn answer(&self, request: &Request, body: &mut Body<'_>) -> io::Result<Answer> {
        let body = body.whole()?;
        let mut state = self.state.lock().expect("a state");
        let answer = answer(request, &body, self.manner, &mut state);
        match answer.status {
            201 if self.manner == Manner::LosesAnswer => Err(io::ErrorKind::ConnectionReset.into()),
            401 => Ok(answer.header("Www-Authenticate", "Basic realm=\"ChartMuseum\"")),
            _ => Ok(answer),
        }
    }
}

impl Museum {
    pub(crate) fn start(manner: Manner) -> Self {
        Self::start_with(manner, |_| Fault::Nothing)
    }

    /// Its requests go through a rule.
    pub(crate) fn start_with(
        manner: Manner,
        rule: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let server = HttpServer::start(Counter { manner, state: state.clone() }, rule);
        Self { address: server.address(), state, _server: server }
    }

    /// The number of uploads accepted.
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

fn add(state: &mut State, content: &[u8], over: bool) -> Answer {
    let Some(files) = unpacked::unpack(content) else {
        return json(400, r#"{"error":"gzip: invalid header"}"#);
    };
    let [name, version] =
        ["name", "version"].map(|key| unpacked::metadata(&files, key).expect("in Chart.yaml"));
    let file = format!("{name}-{version}.tgz");
    if state.charts.contains_key(&file) && !over {
        return json(409, r#"{"error":"file already exists"}"#);
    }
    state.charts.insert(file, (name, version, content.to_vec()));
    state.writes += 1;
    json(201, r#"{"saved":true}"#)
}

fn index(state: &State, manner: Manner) -> Answer {
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
    reply(200, "application/x-yaml", text)
}

fn answer(request: &Request, body: &[u8], manner: Manner, state: &mut State) -> Answer {
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
    let path = match manner {
        Manner::Context => path.strip_prefix("/museum").unwrap_or("/nowhere"),
        _ => path,
    };
    let not_found = || json(404, r#"{"error":"not found"}"#);
    if let Some(below) = path.strip_prefix("/api") {
        return match (request.method.as_str(), below.strip_prefix(base)) {
            _ if matches!(manner, Manner::ApiDisabled | Manner::Static) => not_found(),
            ("GET", Some("/charts")) => json(200, "{}"),
            ("POST", Some("/charts")) if manner == Manner::Small && body.len() > 100 => {
                reply(413, "text/plain", "request too large")
            }
            ("POST", Some("/charts")) if manner == Manner::Forgets => {
                json(201, r#"{"saved":true}"#)
            }
            ("POST", Some("/charts")) => {
                add(state, body, query == "force" && manner != Manner::NoOverwrite)
            }
            ("GET", Some(path)) => {
                let wanted = path.trim_start_matches("/charts/").replacen('/', "-", 1) + ".tgz";
                let has_it = path.starts_with("/charts/") && state.charts.contains_key(&wanted);
                if has_it { json(200, "{}") } else { not_found() }
            }
            _ => not_found(),
        };
    }
    match path.strip_prefix(base) {
        Some("/index.yaml") => index(state, manner),
        Some(path) => match path.strip_prefix("/charts/").and_then(|file| state.charts.get(file)) {
            Some((_, _, content)) => reply(200, "application/x-tar", content.clone()),
            None => not_found(),
        },
        None => not_found(),
    }
}
