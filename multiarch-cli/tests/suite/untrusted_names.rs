//! Names that another person chose: on the terminal, in JSON, in addresses and in paths.

use multiarch_generator::{Bundle, Entry, Image, gzip, tar};
use serde_json::Value;

use crate::{
    desk::{Desk, Run},
    server::{Kind, Server},
};

/// Colours, the title of the window, a bell, and text that runs from right to left.
const EVIL: &str = "\u{1b}[31m\u{1b}]0;title\u{7}\u{202e}gnp\u{9b}2J";

fn says_nothing_to_a_terminal(run: &Run) {
    let acts = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!run.out.contains(acts), "{:?}", run.out);
    assert!(!run.err.contains(acts), "{:?}", run.err);
    assert!(!run.out.lines().any(|line| line.starts_with("error: forged")), "{:?}", run.out);
}

#[test]
fn names_do_not_control_a_terminal() {
    let desk = Desk::new();
    let damaged = Entry::file(format!("a/{EVIL}_1.0.0.bundle.tar"), "no archive");
    let package = desk.write(&format!("{EVIL}.tar.gz"), gzip(&tar(&[damaged])));
    // Packages that can be read, whose paths are shown, too.
    let bytes = std::fs::read(desk.package("amd64")).expect("a package");
    let sound = desk.write(&format!("{EVIL}-amd64.tar.gz"), &bytes);
    let forged = desk.write("b\nerror: forged.tar.gz", &bytes);
    let (target, evil_target) = (desk.target(), format!("{}{EVIL}", desk.target()));
    for words in [
        vec!["inspect", &package],
        vec!["inspect", &package, "--json"],
        vec!["inspect", &sound, &forged],
        vec!["import", &sound, "--to", &evil_target],
        vec!["status", "--to", &evil_target],
        vec!["plan", &package, "--to", &target],
        vec!["plan", &package, "--to", &target, "--json"],
        vec!["import", &package, "--to", &target, "--progress", "json"],
        vec!["import", &package, "--to", &target, "--json", "-q"],
        vec!["status", "--to", EVIL],
        vec!["status", "--to", EVIL, "--json"],
    ] {
        let run = desk.run(&words);
        says_nothing_to_a_terminal(&run);
        if words.contains(&"--json") && words[0] != "status" {
            // What is escaped is still the name.
            let text = serde_json::from_str::<Value>(&run.out).expect("JSON").to_string();
            let name = Value::from(EVIL).to_string();
            assert!(text.contains(name.trim_matches('"')), "{text}");
        }
    }
}

/// CVE-2019-18658, and Helm's own rule for names: a chart's name is no path.
#[test]
fn a_chart_that_is_named_like_a_path_goes_nowhere_else() {
    let desk = Desk::new();
    let image = Image::new("amd64", "app");
    let images = [("web", "q.io", "team/app", "1", &image)];
    for name in
        ["../web", "/etc/web", "a/../../web", "web%2f..%2f..", "we b", "web?x=y", "..", "web#a"]
    {
        let server = Server::start(Kind::Debian);
        let target = server.target();
        let address = target.split_once("://").map_or(&*target, |(_, address)| address);
        let bundle = Bundle::simple(name, "1.0.0", &images);
        let package = desk.write(
            "evil.tar.gz",
            gzip(&tar(&[Entry::file("a/web_1.0.0.bundle.tar", bundle.tar())])),
        );
        let folder = desk.path().join("charts");
        for charts in [format!("dir:{}", folder.display()), format!("oci://{address}/charts")] {
            let run = desk.run(&["import", &package, "--to", &target, "--charts-to", &charts]);
            // A blank and the like are no path, and Helm takes them.
            let is_path = name.contains('/') || name == "..";
            assert!(!is_path || run.code == Some(1), "{name}: {}{}", run.out, run.err);
        }
        let asked = server.take();
        let elsewhere =
            |path: &str| path.contains("..") || path.contains("%2f") || !path.starts_with("/v2/");
        assert!(!asked.iter().any(|request| elsewhere(&request.path)), "{name}: {asked:#?}");
        let entries = std::fs::read_dir(&folder).into_iter().flatten();
        let charts = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "tgz"));
        assert!(charts.count() <= usize::from(!name.contains('/') && name != ".."), "{name}");
        let _ = std::fs::remove_dir_all(&folder);
        assert!(!desk.path().join("web-1.0.0.tgz").exists(), "{name}");
    }
}
