//! The packages of 2026: folders with charts of one name in different versions, charts that move to another
//! folder, and charts for one architecture alone; into each kind of chart repository, and judged by Helm.

use std::path::PathBuf;

use multiarch_generator::{Bundle, Entry, Image, gzip, tar};

use crate::{
    charts::all_images_exist,
    desk::Desk,
    museum::{Manner, Museum},
    packed,
    server::{Kind, Server},
};

/// A chart with one image, whose template prints the image's reference.
fn bundle(name: &str, version: &str, architecture: &str) -> Bundle {
    let image = Image::new(architecture, &format!("{name} {version}"));
    let repository = format!("team/{name}");
    Bundle::simple(name, version, &[("i", "quay.io", &repository, version, &image)])
}

/// Each chart as `folder/name version`.
fn package(desk: &Desk, version: &str, architecture: &str, charts: &[&str]) -> String {
    let entries: Vec<Entry> = charts
        .iter()
        .map(|chart| {
            let (place, version) = chart.split_once(' ').expect("a version");
            let (folder, name) = place.split_once('/').expect("a folder");
            let bundle = bundle(name, version, architecture);
            Entry::file(format!("{folder}/{}", bundle.file_name()), bundle.tar())
        })
        .collect();
    let name = format!("standard-addon-offline-package-{version}-{architecture}.tar.gz");
    desk.write(&name, gzip(&tar(&entries)))
}

const FIRST: [&str; 5] = [
    "addon/istiod 1.30.3",
    "addon/gpu-operator 1.0.0",
    "community/istiod 1.17.1",
    "community/wordpress 1.0.0",
    "system/network 2.0.0",
];
/// Of arm64 there is less, as in the field.
const SECOND: [&str; 3] =
    ["addon/istiod 1.30.3", "community/istiod 1.17.1", "system/network 2.0.0"];
/// One chart has moved, and one of its versions is new.
const NEXT: [&str; 3] =
    ["community/gpu-operator 1.0.0", "community/gpu-operator 1.1.0", "addon/istiod 1.31.0"];

/// Imports the packages into a registry and these chart repositories. `stored` finds a chart by folder, name
/// and version.
fn import(charts: &[&str], stored: impl Fn(&Desk, &Server, &str, &str, &str) -> PathBuf) {
    let (desk, server) = (Desk::new(), Server::start(Kind::Debian));
    let charts: Vec<String> = charts
        .iter()
        .map(|charts| {
            let charts = charts.replace("FOLDER", &desk.path().display().to_string());
            charts.replace("REGISTRY", &server.address)
        })
        .collect();
    let run = |packages: &[String], more: &[&str]| {
        let target = server.target();
        let mut words = vec!["import", "-q", "--json", "--to", &target];
        for charts in &charts {
            words.extend(["--charts-to", charts]);
        }
        words.extend(packages.iter().map(String::as_str).chain(more.iter().copied()));
        let run = desk.run(&words);
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.json()
    };
    let names = ["--names", "prefix-registry"];
    let first = package(&desk, "v0.44.0", "amd64", &FIRST);
    let second = package(&desk, "v0.44.0", "arm64", &SECOND);
    run(std::slice::from_ref(&first), &names);
    // The second architecture finds the names by the stored charts.
    let report = run(std::slice::from_ref(&second), &[]);
    assert!(report["findings"].as_array().is_some_and(Vec::is_empty), "{report}");
    let next = package(&desk, "v0.45.0", "arm64", &NEXT);
    run(&[next], &[]);
    let all = FIRST.into_iter().chain(NEXT);
    for chart in all {
        let (place, version) = chart.split_once(' ').expect("a version");
        let (folder, name) = place.split_once('/').expect("a folder");
        let packed = stored(&desk, &server, folder, name, version);
        assert_eq!(all_images_exist(&server, &packed), 1, "{chart}");
        let own = format!("{}/quay.io/team/{name}:{version}", server.address);
        assert_eq!(packed::images(&packed), [own], "{chart}");
        let has =
            |charts: &[&str]| charts.iter().any(|c| c.ends_with(&format!("/{name} {version}")));
        let manifest = server.manifest(&format!("quay.io/team/{name}:{version}"));
        for (architecture, is_there) in
            [("amd64", has(&FIRST)), ("arm64", has(&SECOND) || has(&NEXT))]
        {
            // A single manifest names no architecture.
            if manifest.contains("\"manifests\"") {
                assert_eq!(manifest.contains(architecture), is_there, "{chart}: {manifest}");
            }
        }
        assert_eq!(manifest.contains("\"manifests\""), has(&FIRST) && (has(&SECOND) || has(&NEXT)));
    }
    // A rerun of everything finds everything there.
    let report = run(&[first, second], &[]);
    let charts = report["charts"].as_array().expect("charts");
    assert!(charts.iter().all(|chart| chart["upload"] == "present"), "{report}");
    assert!(report["findings"].as_array().is_some_and(Vec::is_empty), "{report}");
    // Less for one architecture is what the packages hold, and no fault.
    let wordpress = charts.iter().find(|chart| chart["chart"] == "wordpress-1.0.0").expect("there");
    assert_eq!(wordpress["all_images_for"], serde_json::json!(["linux/amd64"]));
}

#[test]
fn into_directories() {
    import(&["dir:FOLDER/charts/{folder}"], |desk, _, folder, name, version| {
        desk.path().join(format!("charts/{folder}/{name}-{version}.tgz"))
    });
}

#[test]
fn into_artifacts() {
    import(&["oci://REGISTRY/charts/{folder}"], |desk, server, folder, name, version| {
        packed::pull(server, &format!("charts/{folder}/{name}"), version, desk.path())
    });
}

#[test]
fn into_chartmuseums() {
    let museums =
        ["addon", "community", "system"].map(|folder| (folder, Museum::start(Manner::ChartMuseum)));
    let charts =
        museums.each_ref().map(|(folder, museum)| format!("{folder}=http://{}", museum.address));
    let charts = charts.each_ref().map(String::as_str);
    import(&charts, |desk, _, folder, name, version| {
        let (_, museum) = museums.iter().find(|(own, _)| *own == folder).expect("a museum");
        let file = format!("{name}-{version}.tgz");
        let content = museum.chart(&file).expect(&file);
        std::fs::write(desk.path().join(&file), content).expect("written");
        desk.path().join(file)
    });
}
