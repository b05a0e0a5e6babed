//! Limits of what servers answer.

use std::io;

use multiarch_testing::{Answer, Body, Fault, HttpServer, Request, Service};

use super::ends_between;
use crate::{
    chart::{ChartFiles, PackedChart, TargetName},
    chartrepo::ChartAddress,
    error::{ErrorKind, Result},
    plan::Options,
    registry::{Connector, Registry},
    run::Context,
    store::{Administration, ChartRepo, ImageStore},
};

/// A server that answers each request by a function.
struct Answering<F>(F);

impl<F: Fn(&Request) -> Answer + Send + Sync + 'static> Service for Answering<F> {
    fn answer(&self, request: &Request, body: &mut Body<'_>) -> io::Result<Answer> {
        io::copy(body, &mut io::sink())?;
        Ok((self.0)(request))
    }
}

fn server(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> HttpServer {
    HttpServer::start(Answering(answer), |_| Fault::Nothing)
}

fn connector() -> Connector {
    Connector::new(&Options::default(), &Context::default())
}

/// What a registry that greets properly and answers the rest like this is used for.
fn with_registry<T>(
    answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ask: impl Fn(&Registry) -> Result<T>,
) -> Result<T> {
    let server = server(move |request| match request.local_path() {
        "/v2/" => Answer::json(200, &serde_json::json!({})),
        _ => answer(request),
    });
    let address = server.address().parse().expect("an address");
    ask(&Registry::new(address, connector()).expect("a registry"))
}

fn tag() -> TargetName {
    TargetName::new("demo/app", "v1").expect("a name")
}

#[test]
fn limit_of_list_page() {
    let list = |mebibytes: usize| {
        let page = move |request: &Request| match request.local_path() {
            "/v2/_catalog" => {
                let padding = " ".repeat(mebibytes << 20);
                Answer::new(200).body(format!("{{\"repositories\":[]{padding}}}"))
            }
            _ => Answer::error(404, "NAME_UNKNOWN", "unknown"),
        };
        with_registry(page, |registry| registry.tags())
    };
    ends_between(list(7), list(9));
}

#[test]
fn limit_of_list() {
    let list = |pages: usize| {
        let page = move |request: &Request| {
            let number = request.path.split_once("n=").map_or(0, |(_, n)| n.parse().unwrap_or(0));
            let names = vec![format!("\"{}\"", "a/".repeat(1 << 20)); 3].join(",");
            let answer = Answer::new(200).body(format!("{{\"repositories\":[{names}]}}"));
            match number + 1 < pages {
                true => answer.header("Link", format!("</v2/_catalog?n={}>; rel=next", number + 1)),
                false => answer,
            }
        };
        with_registry(page, |registry| registry.tags())
    };
    ends_between(list(10), list(11));
}

#[test]
fn limit_of_refusal() {
    let told = |kibibytes: usize| {
        let text = format!("{}the reason", " ".repeat(kibibytes << 10));
        let refusal = move |_: &Request| Answer::error(403, "DENIED", &text);
        let error =
            with_registry(refusal, |registry| registry.get_tag(&tag())).expect_err("refused");
        error.message().contains("the reason")
    };
    assert!(told(60) && !told(65));
}

#[test]
fn limit_of_token_answer() {
    let with_token = |kibibytes: usize| {
        let server = server(move |request| match request.local_path() {
            "/token" => {
                let padding = " ".repeat(kibibytes << 10);
                Answer::new(200).body(format!("{{\"token\":\"t\"{padding}}}"))
            }
            _ if request.header("authorization") == Some("Bearer t") => {
                match request.local_path() {
                    "/v2/" => Answer::json(200, &serde_json::json!({})),
                    _ => Answer::error(404, "MANIFEST_UNKNOWN", "unknown"),
                }
            }
            _ => {
                let host = request.header("host").unwrap_or_default();
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"s\"");
                Answer::new(401).header("WWW-Authenticate", challenge)
            }
        });
        let address = server.address().parse().expect("an address");
        Registry::new(address, connector()).expect("a registry").get_tag(&tag())
    };
    ends_between(with_token(1000), with_token(1025));
}

#[test]
fn limit_of_redirects() {
    let after = |redirects: usize| {
        let answer = move |request: &Request| {
            let number: usize =
                request.path.split_once("?n=").map_or(0, |(_, n)| n.parse().unwrap_or(0));
            match number < redirects {
                true => Answer::new(307)
                    .header("Location", format!("/v2/demo/app/manifests/v1?n={}", number + 1)),
                false => Answer::error(404, "MANIFEST_UNKNOWN", "unknown"),
            }
        };
        with_registry(answer, |registry| registry.get_tag(&tag()))
    };
    assert!(after(10).expect("an answer").is_none());
    assert_eq!(after(11).expect_err("too many").kind(), ErrorKind::Server);
}

/// What a ChartMuseum with this index answers, and what it is asked.
fn with_museum<T>(
    index: impl Fn() -> Vec<u8> + Send + Sync + 'static,
    posted: Answer,
    ask: impl Fn(&dyn ChartRepo) -> Result<T>,
) -> Result<T> {
    let server = server(move |request| match (request.method.as_str(), request.local_path()) {
        (_, "/index.yaml") => Answer::new(200).body(index()),
        ("POST", _) => posted.clone(),
        _ => Answer::new(404),
    });
    let address: ChartAddress = format!("http://{}", server.address()).parse()?;
    let charts = address.open(&connector())?;
    ask(&*charts.repo)
}

const INDEX: &str = "apiVersion: v1\nentries: {}\nserverInfo: {}\n";

#[test]
fn limit_of_repo_index() {
    let index = |mebibytes: usize| {
        let index = move || format!("{INDEX}{}", "#\n".repeat(mebibytes << 19)).into_bytes();
        with_museum(index, Answer::new(201), |charts| charts.list())
    };
    ends_between(index(60), index(65));
}

#[test]
fn limit_of_packed_chart() {
    let packed = |mebibytes: usize| {
        let server = server(move |request| match request.local_path() {
            "/index.yaml" => Answer::new(200).body(LISTS_ONE),
            "/c-1.0.0.tgz" => Answer::new(200).body(vec![0; mebibytes << 20]),
            _ => Answer::new(404),
        });
        let address: ChartAddress = format!("http://{}", server.address()).parse()?;
        address.open(&connector())?.repo.get("c", "1.0.0")
    };
    ends_between(packed(20), packed(21));
}

const LISTS_ONE: &str = "apiVersion: v1\nentries: {c: [{name: c, version: 1.0.0, urls: [c-1.0.0.tgz]}]}\nserverInfo: {}\n";

#[test]
fn limit_of_chart_repo_answer() {
    let mut files = ChartFiles::default();
    files.insert("Chart.yaml", &b"name: c\nversion: 1.0.0\n"[..]);
    let chart = PackedChart::new(&files).expect("packs");
    let error = |kibibytes: usize| {
        let padding = " ".repeat(kibibytes << 10);
        let posted = Answer::new(201).body(format!("{{\"saved\":true{padding}}}"));
        let put = |charts: &dyn ChartRepo| charts.put(&chart, false);
        with_museum(|| INDEX.into(), posted, put).expect_err("it does not have it then").kind()
    };
    assert_ne!(error(1000), ErrorKind::TooLarge);
    assert_eq!(error(1025), ErrorKind::TooLarge);
}

/// The lists of all repositories have one limit together.
#[test]
fn limit_of_list_over_many_repositories() {
    let list = |repositories: usize| {
        let page = move |request: &Request| {
            let path = request.local_path();
            if path == "/v2/_catalog" {
                let names: Vec<_> = (0..repositories).map(|n| format!("r{n}")).collect();
                return Answer::json(200, &serde_json::json!({"repositories": names}));
            }
            let tags: Vec<_> = (0..100_000).map(|n| format!("t{n:0>5}")).collect();
            Answer::json(200, &serde_json::json!({"name": "r", "tags": tags}))
        };
        with_registry(page, |registry| registry.tags())
    };
    // 70 bytes a name.
    ends_between(list(8), list(11));
}

#[test]
fn limit_of_administration_answer() {
    let survey = |kibibytes: usize| {
        let server = server(move |request| match request.local_path() {
            "/v2/" if !request.is_authorized() => Answer::new(401).header(
                "WWW-Authenticate",
                format!(
                    "Bearer realm=\"http://{}/token\",service=\"harbor-registry\"",
                    request.header("host").unwrap_or_default()
                ),
            ),
            "/token" => Answer::json(200, &serde_json::json!({"token": "t"})),
            "/api/v2.0/systeminfo" => {
                Answer::new(200).body(format!("{{{}}}", " ".repeat(kibibytes << 10)))
            }
            _ => Answer::json(200, &serde_json::json!({})),
        });
        let address = server.address().parse().expect("an address");
        let registry = Registry::new(address, connector()).expect("a registry");
        registry.survey(&Default::default())
    };
    ends_between(survey(1000), survey(1100));
}
