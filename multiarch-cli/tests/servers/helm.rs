//! Directories of charts, as Helm writes and reads them.

use multiarch_testing::{Answer, Fault, HttpServer};
use serde_json::Value;

use crate::{
    charts::import,
    desk::Desk,
    packed::helm,
    server::{Kind, Server},
};

/// A web server that serves the directory is a chart repository.
#[test]
fn a_directory_is_read() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let folder = desk.path().join("charts");
    let run = import(&desk, &server, &format!("dir:{}", folder.display()), &["amd64"], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let web = HttpServer::empty(move |request| {
        match std::fs::read(folder.join(request.path.trim_start_matches('/'))) {
            Ok(content) => Fault::Answer(Answer::new(200).body(content)),
            Err(_) => Fault::answer(404),
        }
    });
    helm(&["repo", "add", "ours", &format!("http://{}", web.address())], desk.path());
    let found = helm(&["search", "repo", "ours/", "--devel", "-o", "json"], desk.path());
    let found: Value = serde_json::from_str(&found).expect("JSON");
    let names: Vec<&str> =
        found.as_array().expect("a list").iter().filter_map(|c| c["name"].as_str()).collect();
    assert!(names.contains(&"ours/web") && names.contains(&"ours/mesh"), "{names:?}");
}

#[test]
fn other_charts_in_a_directory_stay_listed() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let folder = desk.path().join("charts");
    helm(&["create", "other"], desk.path());
    helm(&["package", "other", "-d", "charts"], desk.path());
    helm(&["repo", "index", "charts"], desk.path());
    let charts = format!("dir:{}", folder.display());
    let run = import(&desk, &server, &charts, &["amd64"], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let index = std::fs::read_to_string(folder.join("index.yaml")).expect("an index");
    assert!(index.contains("other-0.1.0.tgz") && index.contains("web-1.2.0.tgz"), "{index}");
    let status = desk.run(&["status", "--to", &server.target(), "--charts-to", &charts, "--json"]);
    assert_eq!(status.json()["charts"].as_array().expect("charts").len(), 6, "{}", status.out);
}
