//! `--charts`, `--images`, `--platforms`, `--folders`: parts of packages. What the parts give together is what
//! the whole gives.

use std::collections::BTreeMap;

use crate::desk::{Desk, Run, tags};

fn import(desk: &Desk, store: &str, words: &[&str]) -> (Run, BTreeMap<String, String>) {
    let store = desk.path().join(store);
    let target = format!("oci:{}", store.display());
    let packages = [desk.package("amd64"), desk.package("arm64")];
    let run = desk.run(&[&["import", &packages[0], &packages[1], "--to", &target], words].concat());
    (run, if store.exists() { tags(&store) } else { BTreeMap::new() })
}

#[test]
fn parts_make_the_whole() {
    let desk = Desk::new();
    let (run, whole) = import(&desk, "whole", &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let file = desk.write("selection.yaml", "charts: [web, 'q*']\n");
    for (name, parts) in [
        (
            "charts",
            [&["--charts", "web*,queue"][..], &["--charts", "!web", "--charts", "!queue"][..]],
        ),
        ("file", [&["--select", &file], &["--charts", "!web", "--charts", "!q*"]]),
        ("versions", [&["--charts", "{web-1.2.0,mesh*}"], &["--charts", "!web-*,!mesh"]]),
        ("images", [&["--images", "library/*,quay*"], &["--images", "!library/cache,!quay.*"]]),
        ("platforms", [&["--platforms", "arm64"], &["--platforms", "linux/amd64"]]),
        ("others", [&["--platforms", "!*/amd64"], &["--platforms", "!*/arm64"]]),
        ("folders", [&["--folders", "addon"], &["--folders", "!system"]]),
    ] {
        let (first, part) = import(&desk, name, parts[0]);
        assert_eq!(first.code, Some(0), "{name}: {}", first.err);
        assert!(name == "folders" || part != whole, "{name}: {}", first.out);
        let (rest, both) = import(&desk, name, parts[1]);
        assert_eq!(rest.code, Some(0), "{name}: {}", rest.err);
        assert_eq!(both, whole, "{name}");
    }
}

#[test]
fn nothing_selected_is_wrong_use() {
    let desk = Desk::new();
    for words in [
        &["--charts", "absent"][..],
        &["--images", "absent"],
        &["--platforms", "s390x"],
        &["--folders", "absent"],
        &["--charts", "[a"],
        &["--charts", ""],
        &["--select", "absent.yaml"],
    ] {
        let (run, tags) = import(&desk, "store", words);
        assert_eq!((run.code, tags.len()), (Some(2), 0), "{words:?}: {}", run.err);
    }
    let (run, _) = import(&desk, "store", &["--charts", "absent"]);
    assert!(run.err.contains("web-1.2.0") && run.err.contains("multiarch inspect"), "{}", run.err);
}

/// A chart must not name an image that is not there, also where the user left that image out.
#[test]
fn a_chart_waits_for_its_images() {
    let desk = Desk::new();
    let charts = format!("dir:{}", desk.path().join("charts").display());
    let to_charts = ["--charts-to", &charts, "--registry", "r.example.com", "--json"];
    let only_cache = [&["--images", "*/cache"], &to_charts[..]].concat();
    let stored = || {
        let files = std::fs::read_dir(desk.path().join("charts")).into_iter().flatten();
        files.map(|file| file.expect("a file").file_name()).collect::<Vec<_>>()
    };
    let (run, _) = import(&desk, "store", &only_cache);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(!stored().iter().any(|file| file == "web-1.2.0.tgz"), "{:?}", stored());
    let report = run.json();
    let left_out = report["left_out"].as_array().expect("what is left out");
    let says = |chart: &str, image: Option<&str>| {
        left_out.iter().any(|one| one["chart"] == chart && one["image"].as_str() == image)
    };
    assert!(says("web-1.2.0", None), "{left_out:?}");
    assert!(says("web-1.2.0", Some("quay.m.daocloud.io/demo/web:v1.2.0")), "{left_out:?}");
    assert!(says("mesh-2.9.0+3", None), "none of its images is selected: {left_out:?}");
    let (run, _) = import(&desk, "store", &["--images", "*/web"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let (run, _) = import(&desk, "store", &only_cache);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(stored().iter().any(|file| file == "web-1.2.0.tgz"), "{:?}", stored());
}

#[test]
fn the_same_words_for_looking() {
    let desk = Desk::new();
    let (run, _) = import(&desk, "store", &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let run = desk.run(&["inspect", &desk.package("amd64"), "--charts", "web", "--json"]);
    let inspection = run.json();
    let package = &inspection["packages"][0];
    assert_eq!(package["bundles"].as_array().map(Vec::len), Some(1), "{package}");
    assert!(package["left_out"].as_array().is_some_and(|all| all.len() == 4), "{package}");
    let target = desk.target();
    let run = desk.run(&["status", "--to", &target, "--images", "mesh/*", "--platforms", "arm64"]);
    assert!(run.out.contains("mesh/pilot") && !run.out.contains("demo/web"), "{}", run.out);
    assert!(!run.out.contains("amd64"), "{}", run.out);
    let run = desk.run(&["plan", &desk.package("amd64"), "--to", "oci:new", "--charts", "web"]);
    assert!(run.out.contains("left out: 4 charts"), "{}", run.out);
}
