//! Charts in every kind of chart repository, and the images they render.

use std::{collections::BTreeMap, path::Path};

use multiarch_testing::{Answer, Fault};
use serde_json::Value;

use crate::{
    desk::{Desk, Run},
    museum::{Manner, Museum},
    packed,
    server::{Kind, Server},
    unpacked,
};

/// The demo packages' charts; `base` has no images.
pub(crate) const CHARTS: [&str; 5] =
    ["base-1.17.1", "bench-0.1.5", "mesh-2.9.0+3", "queue-90", "web-1.2.0"];

pub(crate) fn import(
    desk: &Desk,
    server: &Server,
    charts: &str,
    packages: &[&str],
    more: &[&str],
) -> Run {
    let target = server.target();
    let packages: Vec<String> = packages.iter().map(|a| desk.package(a)).collect();
    let mut words = vec!["import", "--to", &target, "--charts-to", charts, "--json", "-q"];
    words.extend(packages.iter().map(String::as_str));
    words.extend(more);
    desk.run(&words)
}

/// Chart → state of its upload.
fn states(run: &Run) -> BTreeMap<String, String> {
    let report = run.json();
    let charts = report["charts"].as_array().expect("charts").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    charts.map(|chart| (text(&chart["chart"]), text(&chart["upload"]))).collect()
}

fn all(state: &str) -> BTreeMap<String, String> {
    CHARTS.into_iter().map(|chart| (chart.to_owned(), state.to_owned())).collect()
}

/// Checks that every image that a chart renders is in the registry. Returns how many there are.
pub(crate) fn all_images_exist(server: &Server, chart: &Path) -> usize {
    let images = packed::images(chart);
    for image in &images {
        let name = image.strip_prefix(&format!("{}/", server.address));
        server.validate(name.unwrap_or_else(|| panic!("{}: {image}", chart.display())));
    }
    images.len()
}

#[test]
fn a_directory() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let folder = desk.path().join("charts");
    let charts = format!("dir:{}", folder.display());
    let first = import(&desk, &server, &charts, &["amd64"], &[]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(states(&first), all("uploaded"));
    let listing = || -> BTreeMap<_, _> {
        let files =
            std::fs::read_dir(&folder).expect("a folder").map(|f| f.expect("a file").path());
        files
            .map(|f| {
                (
                    f.clone(),
                    (
                        f.metadata().expect("there").modified().expect("a time"),
                        std::fs::read(&f).expect("read"),
                    ),
                )
            })
            .collect()
    };
    let before = listing();
    let second = import(&desk, &server, &charts, &["arm64"], &[]);
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert!(states(&second).values().all(|state| state == "present"));
    let report = second.json();
    let web =
        report["charts"].as_array().expect("charts").iter().find(|c| c["chart"] == "web-1.2.0");
    let both = serde_json::json!(["linux/amd64", "linux/arm64"]);
    assert_eq!(web.expect("web")["all_images_for"], both);
    let again = import(&desk, &server, &charts, &["arm64", "amd64"], &[]);
    assert_eq!(states(&again), all("present"));
    assert_eq!(listing(), before, "the second run and the third touch nothing");

    let files = CHARTS.iter().map(|chart| folder.join(format!("{chart}.tgz")));
    assert_eq!(files.map(|file| all_images_exist(&server, &file)).sum::<usize>(), 8);
}

#[test]
fn oci_artifacts() {
    for kind in [Kind::Debian, Kind::V3] {
        let desk = Desk::new();
        let server = Server::start_with(kind, |_| Fault::Nothing);
        let charts = format!("oci://{}/team/charts", server.address);
        let run = import(&desk, &server, &charts, &["amd64"], &[]);
        assert_eq!(run.code, Some(0), "{kind:?}: {}", run.err);
        assert_eq!(states(&run), all("uploaded"), "{kind:?}");
        for (name, version, tag) in [("web", "1.2.0", "1.2.0"), ("mesh", "2.9.0+3", "2.9.0_3")] {
            let file = packed::pull(&server, &format!("team/charts/{name}"), version, desk.path());
            assert!(all_images_exist(&server, &file) > 0);
            let manifest = server.manifest(&format!("team/charts/{name}:{tag}"));
            let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
            assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], version);
        }
        server.take();
        let again = import(&desk, &server, &charts, &["amd64"], &[]);
        assert_eq!(states(&again), all("present"), "{kind:?}: {}", again.err);
        assert!(server.take().iter().all(|request| request.method == "GET"), "{kind:?}");
        let status = desk
            .run(&["status", "--to", &server.target(), "--charts-to", &charts, "--json"])
            .json();
        let listed: Vec<&str> = status["charts"]
            .as_array()
            .expect("charts")
            .iter()
            .filter_map(|c| c["chart"].as_str())
            .collect();
        assert_eq!(listed, CHARTS, "{kind:?}");
    }
}

#[test]
fn every_manner_of_chartmuseum() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    for (manner, path) in [
        (Manner::ChartMuseum, ""),
        (Manner::OldChartMuseum, "/"),
        (Manner::Locked, ""),
        (Manner::Tenants, "/team"),
        (Manner::OldHarbor, "/chartrepo/addon"),
        (Manner::LosesAnswer, ""),
    ] {
        let museum = Museum::start(manner);
        let charts = format!("http://{}{path}", museum.address);
        let arguments =
            ["--to", &server.target(), "--charts-to", &charts, "--json", "-q"].map(str::to_owned);
        let import = |architecture: &str| {
            let mut command = crate::desk::multiarch();
            command.arg("import").arg(desk.package(architecture)).args(&arguments);
            command.env("MULTIARCH_CHARTS_USERNAME", "rootuser");
            Run::of(command.env("MULTIARCH_CHARTS_PASSWORD", "rootpass123"))
        };
        let run = import("amd64");
        assert_eq!(run.code, Some(0), "{manner:?}: {}", run.err);
        assert_eq!(states(&run), all("uploaded"), "{manner:?}");
        let again = import("amd64");
        assert_eq!(states(&again), all("present"), "{manner:?}: {}", again.err);
        assert_eq!(museum.writes(), 5, "{manner:?}");
        let packed = museum.chart("mesh-2.9.0+3.tgz").expect("a chart");
        let file = desk.write("mesh.tgz", packed);
        assert_eq!(all_images_exist(&server, Path::new(&file)), 3, "{manner:?}");
    }
}

#[test]
fn a_refused_chart_is_reported_with_the_reason() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    for (manner, path, code, said) in [
        (Manner::Small, "", 1, "takes no chart of"),
        (Manner::ApiDisabled, "", 1, "its API is disabled"),
        (Manner::Static, "", 2, "neither a ChartMuseum nor"),
        (Manner::Tenants, "", 2, "no index.yaml"),
        (Manner::ChartMuseum, "/nowhere", 2, "no index.yaml"),
        (Manner::Locked, "", 1, "MULTIARCH_CHARTS_USERNAME"),
    ] {
        let museum = Museum::start(manner);
        let charts = format!("http://{}{path}", museum.address);
        let run = import(&desk, &server, &charts, &["amd64"], &[]);
        assert_eq!(run.code, Some(code), "{manner:?}{path}: {}", run.err);
        assert!(run.err.contains("next:"), "{manner:?}{path}: {}", run.err);
        assert!(run.err.contains(said), "{manner:?}{path}: {}", run.err);
        assert!(run.err.contains(&museum.address), "{manner:?}{path}: {}", run.err);
        assert_eq!(museum.writes(), 0);
    }
    for charts in ["ftp://a/b", "dir:", "http://u:p@h/x", "https://h/x?y"] {
        let run = import(&desk, &server, charts, &["amd64"], &[]);
        assert_eq!(run.code, Some(2), "{charts}: {}", run.err);
    }
}

/// A newer Harbor has no chart repository of the old kind: charts go to the project as artifacts.
#[test]
fn a_newer_harbor_is_recognised() {
    let desk = Desk::new();
    for page in [false, true] {
        let text = |media_type: &str, body: &str| {
            Fault::Answer(Answer::new(200).header("Content-Type", media_type).body(body))
        };
        let harbor = Server::start_with(Kind::Debian, move |request| match request.local_path() {
            "/api/v2.0/ping" => text("text/plain", "Pong"),
            path if path.starts_with("/v2/") => Fault::Nothing,
            // Harbor's nginx sends all other paths to the portal, which answers every one with a
            // page.
            _ if page => text("text/html", "<html>"),
            _ => Fault::answer(404),
        });
        for path in ["addon", "chartrepo/addon"] {
            let charts = format!("http://{}/{path}", harbor.address);
            let run = import(&desk, &harbor, &charts, &["amd64"], &[]);
            assert_eq!(run.code, Some(0), "{path}: {}", run.err);
        }
        harbor.manifest("addon/mesh:2.9.0_3");
    }
}

/// The answers of Harbor 2.15 to the upload of a chart. The images are in another registry.
#[test]
fn refusals_of_a_harbor() {
    let desk = Desk::new();
    let images = Server::start(Kind::V3);
    for (method, part, status, challenge, code, message) in [
        (
            "GET",
            "/manifests/",
            401,
            Some(""),
            "UNAUTHORIZED",
            "project addon not found: project addon not found",
        ),
        (
            "POST",
            "/uploads/",
            401,
            Some("Basic realm=\"harbor\""),
            "UNAUTHORIZED",
            "unauthorized to access repository: addon/web, action: push",
        ),
        (
            "POST",
            "/uploads/",
            403,
            None,
            "DENIED",
            "The system is in read only mode. Any modification is prohibited.",
        ),
        (
            "PUT",
            "/uploads/",
            403,
            None,
            "DENIED",
            "adding 1.0 KiB of storage resource, which when updated to current usage of 1.0 MiB will exceed the configured upper limit of 1.0 MiB.",
        ),
        (
            "PUT",
            "/manifests/",
            412,
            None,
            "PRECONDITION",
            "Failed to process request due to 'addon/web:1.2.0' configured as immutable.",
        ),
        (
            "GET",
            "/manifests/",
            400,
            None,
            "BAD_REQUEST",
            "bad request: invalid repository name: web",
        ),
    ] {
        let harbor = Server::start_with(Kind::Debian, move |request| {
            if !request.is(method, part) {
                return Fault::Nothing;
            }
            let answer = Answer::error(status, code, message);
            Fault::Answer(match challenge {
                Some(challenge) => answer.header("Www-Authenticate", challenge),
                None => answer,
            })
        });
        let charts = format!("oci://{}/addon", harbor.address);
        let run = import(&desk, &images, &charts, &["amd64"], &[]);
        assert_eq!(run.code, Some(1), "{message}: {}", run.err);
        assert!(run.err.contains(message) && run.err.contains("next:"), "{message}: {}", run.err);
        let listed = desk.run(&["status", "--to", &harbor.target(), "--json"]).json();
        assert_eq!(listed["tags"].as_array().map(Vec::len), Some(0), "{message}");
    }
}

#[test]
fn a_chart_of_another_writer_is_kept() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let museum = Museum::start(Manner::ChartMuseum);
    let charts = format!("http://{}", museum.address);
    assert_eq!(import(&desk, &server, &charts, &["amd64"], &[]).code, Some(0));
    // The other chart has the same images, and one more template.
    let ours = museum.chart("web-1.2.0.tgz").expect("a chart");
    let other = repacked(&desk, &ours, "web", |folder| {
        std::fs::write(folder.join("templates/new.yaml"), "# mine\n").expect("written");
    });
    museum.put(&other);
    let run = import(&desk, &server, &charts, &["arm64"], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(states(&run)["web-1.2.0"], "kept");
    assert!(
        run.err.contains("templates/new.yaml") && run.err.contains("--overwrite-charts"),
        "{}",
        run.err
    );
    assert_eq!(museum.chart("web-1.2.0.tgz"), Some(other));
    let run = import(&desk, &server, &charts, &["arm64"], &["--overwrite-charts"]);
    assert_eq!(states(&run)["web-1.2.0"], "replaced", "{}", run.err);
    assert_eq!(museum.chart("web-1.2.0.tgz"), Some(ours));
}

/// Unpacks a chart, changes it, and packs it again.
fn repacked(desk: &Desk, content: &[u8], name: &str, change: impl Fn(&Path)) -> Vec<u8> {
    let root = tempfile::tempdir_in(desk.path()).expect("a folder");
    let folder = root.path().join(name);
    for (path, content) in unpacked::unpack(content).expect("a chart") {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    change(&folder);
    packed::pack(&folder)
}

/// The first architecture was imported with a naming mode that the second import does not give, and
/// one stored chart names an image that is missing.
#[test]
fn names_are_recognised_and_dangling_charts_are_replaced() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let museum = Museum::start(Manner::NoOverwrite);
    let charts = format!("http://{}", museum.address);
    let mode = ["--names", "prefix-registry"];
    assert_eq!(import(&desk, &server, &charts, &["amd64"], &mode).code, Some(0));
    // Without the mode the second import uses the same names.
    let names = |run: &Run| -> Vec<String> {
        let report = run.json();
        let images = report["images"].as_array().expect("images").iter();
        images.map(|image| image["name"].as_str().expect("a name").to_owned()).collect()
    };
    let second = import(&desk, &server, &charts, &["arm64"], &[]);
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert!(
        names(&second).contains(&"quay.m.daocloud.io/demo/web:v1.2.0".into()),
        "{:?}",
        names(&second)
    );
    assert!(states(&second).values().all(|state| state == "present"));
    // A stored chart that names a missing image is replaced. If it cannot be replaced, that is an
    // error.
    let ours = museum.chart("web-1.2.0.tgz").expect("a chart");
    let dangling = repacked(&desk, &ours, "web", |folder| {
        let path = folder.join("values.yaml");
        let text = std::fs::read_to_string(&path).expect("values");
        std::fs::write(path, text.replace("demo/web", "demo/gone")).expect("written");
    });
    museum.put(&dangling);
    let refused = import(&desk, &server, &charts, &["arm64"], &mode);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert_eq!(states(&refused)["web-1.2.0"], "not-uploaded");
    let museum = Museum::start(Manner::ChartMuseum);
    museum.put(&dangling);
    let charts = format!("http://{}", museum.address);
    let mended = import(&desk, &server, &charts, &["arm64"], &mode);
    assert_eq!(mended.code, Some(0), "{}", mended.err);
    assert_eq!(states(&mended)["web-1.2.0"], "replaced");
    assert!(mended.err.contains("demo/gone:v1.2.0"), "{}", mended.err);
    assert_eq!(museum.chart("web-1.2.0.tgz"), Some(ours));
}

#[test]
fn a_plan_shows_charts_and_is_applied_later() {
    let desk = Desk::new();
    let server = Server::start(Kind::Debian);
    let (target, amd64) = (server.target(), desk.package("amd64"));
    let words =
        ["plan", &amd64, "--to", &target, "--charts-to", "dir:charts", "-o", "plan.json", "--json"];
    let plan = desk.run(&words);
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    let planned = plan.json()["charts"][0]["upload"].clone();
    assert_eq!(
        (&planned["action"], &planned["file"]),
        (&"upload".into(), &"base-1.17.1.tgz".into())
    );
    assert!(!desk.path().join("charts").exists());
    let run = desk.run(&["apply", "plan.json", "--json", "-q"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(states(&run), all("uploaded"));
    let text = desk.run(&words[..words.len() - 3]).out;
    assert!(text.contains("present") && text.contains("web-1.2.0"), "{text}");
}

#[test]
fn charts_of_a_layout_need_a_registry() {
    let desk = Desk::new();
    let (target, amd64) = (desk.target(), desk.package("amd64"));
    let words = ["import", &amd64, "--to", &target, "--charts-to", "dir:charts", "-q"];
    let run = desk.run(&words);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("--registry"), "{}", run.err);
    let run = desk.run(&[&words[..], &["--registry", "r.example.com:5000/team"]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let images = packed::images(&desk.path().join("charts/web-1.2.0.tgz"));
    assert_eq!(images[0], "r.example.com:5000/team/demo/web:v1.2.0");
}
