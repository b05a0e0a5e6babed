//! A chart counts as uploaded when the repository has it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use multiarch_testing::{Answer, Fault, Request};

use crate::{
    desk::{Desk, Run},
    museum::{Manner, Museum},
    server::{Kind, Server},
};

fn import(museum: &Museum, path: &str) -> Run {
    let (desk, server) = (Desk::new(), Server::start(Kind::Debian));
    let charts = format!("http://{}{path}", museum.address);
    let amd64 = desk.package("amd64");
    desk.run(&["import", "-q", "--json", &amd64, "--to", &server.target(), "--charts-to", &charts])
}

/// How many charts are called uploaded, and how many are there.
fn uploaded(run: &Run, museum: &Museum) -> (usize, usize) {
    let report = run.json();
    let charts = report["charts"].as_array().expect("charts");
    let called = charts.iter().filter(|chart| chart["upload"] == "uploaded").count();
    (called, museum.writes())
}

#[test]
fn answers_that_only_look_like_success() {
    let answers = [
        (301, "", r#""#),
        (302, "/login", ""),
        (303, "/api/charts", ""),
        (200, "", r#"{"error": "quota exceeded"}"#),
        (200, "", "<html><title>Log in</title></html>"),
        (202, "", ""),
    ];
    for (status, location, body) in answers {
        let museum = Museum::start_with(Manner::ChartMuseum, move |request: &Request| {
            if request.method != "POST" {
                return Fault::Nothing;
            }
            let answer = Answer::new(status).body(body);
            Fault::Answer(if location.is_empty() {
                answer
            } else {
                answer.header("Location", location)
            })
        });
        let run = import(&museum, "");
        assert_eq!(run.code, Some(1), "{status} {body}: {}", run.err);
        assert_eq!(uploaded(&run, &museum), (0, 0), "{status} {body}");
        assert!(run.err.contains(&museum.address), "{status} {body}: {}", run.err);
    }
}

#[test]
fn a_chart_that_is_not_there_afterwards() {
    let museum = Museum::start(Manner::Forgets);
    let run = import(&museum, "");
    assert_eq!((run.code, uploaded(&run, &museum)), (Some(1), (0, 0)), "{}", run.err);
    assert!(run.err.contains("does not have it"), "{}", run.err);
}

#[test]
fn a_redirect_that_keeps_the_method() {
    let museum = Museum::start(Manner::ChartMuseum);
    let to = museum.address.clone();
    let front = Museum::start_with(Manner::ChartMuseum, move |request: &Request| {
        Fault::Answer(Answer::new(308).header("Location", format!("http://{to}{}", request.path)))
    });
    let run = import(&front, "");
    let (called, there) = uploaded(&run, &museum);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(called > 0 && called == there, "{called} {there}");
}

#[test]
fn the_api_is_found_below_a_context_path_and_above_a_tenant() {
    for (manner, path) in [(Manner::Context, "/museum"), (Manner::Tenants, "/team")] {
        let museum = Museum::start(manner);
        let run = import(&museum, path);
        let (called, there) = uploaded(&run, &museum);
        assert_eq!(run.code, Some(0), "{path}: {}", run.err);
        assert!(called > 0 && called == there, "{path}: {called} {there}");
    }
}

/// A lost answer is followed by a 409 for the very chart that was stored.
#[test]
fn an_answer_that_is_lost() {
    let museum = Museum::start(Manner::LosesAnswer);
    let run = import(&museum, "");
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// An index has an entry for each version of each chart of a repository, some megabytes in the field.
#[test]
fn the_index_is_read_once() {
    let read = Arc::new(AtomicUsize::new(0));
    let count = read.clone();
    let museum = Museum::start_with(Manner::ChartMuseum, move |request: &Request| {
        if request.path.ends_with("/index.yaml") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Fault::Nothing
    });
    let run = import(&museum, "");
    let (called, there) = uploaded(&run, &museum);
    assert!(called > 3 && called == there, "{called} {there}: {}", run.err);
    assert_eq!(read.load(Ordering::Relaxed), 1);
}
