//! Importing charts: relocated and uploaded after their images, or blocked with a reason.

use std::sync::{Arc, Mutex};

use multiarch_core::{ChartAction, ChartState, Error, ErrorKind, Finding, Naming, Options, Result};
use multiarch_generator::{Bundle, Entry, Image, demo_package, tar};
use proptest::prelude::*;

use super::{
    place::{
        Place, REGISTRY, bundle, chart, import, options, package, plan, rendered, state, target,
    },
    runs::{Folder, open},
};
use crate::{
    chart::{Chart, ChartFiles, Hint, PackedChart, parse_hints, relocate},
    chartrepo::ChartAddress,
    store::ChartRepo,
};

#[test]
fn only_image_references_change() {
    let folder = Folder::new();
    let package = open(&folder.write("a-amd64.tar.gz", demo_package("amd64")));
    let report = import(std::slice::from_ref(&package), &target(&folder), &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    for bundle in package.bundles() {
        let before = package.chart_files(bundle).expect("files");
        let after = chart(&folder, &format!("{}.tgz", bundle.chart())).expect("uploaded");
        for (path, content) in before.iter().filter(|(path, _)| *path != "values.yaml") {
            assert_eq!(after.get(path), Some(content), "{}: {path}", bundle.chart());
        }
        assert_eq!(before.iter().count(), after.iter().count());
    }
    let mesh = chart(&folder, "mesh-2.9.0+3.tgz").expect("uploaded");
    let values = String::from_utf8_lossy(mesh.get("values.yaml").expect("values")).into_owned();
    assert_eq!(values, format!("core:\n  hub: {REGISTRY} # 镜像\n"));
    assert_eq!(rendered(&mesh)[1], format!("{REGISTRY}/mesh/pilot:v1"));
}

#[test]
fn a_missing_value_blocks_its_chart_alone() {
    let folder = Folder::new();
    let (good, bad) = (Image::new("amd64", "good"), Image::new("amd64", "bad"));
    let package = package(
        &folder,
        "p-amd64.tar.gz",
        &[
            bundle(
                "bad",
                "- \"{{ .i.r }}/{{ .i.p }}:{{ .i.gone }}\"\n",
                "i: {r: quay.io, p: demo/bad}\n",
                &[("quay.io/demo/bad:<no value>", &bad)],
            ),
            Bundle::simple("good", "1.0.0", &[("i", "quay.io", "demo/good", "v1", &good)]),
        ],
    );
    let report = import(&[package], &target(&folder), &options());
    assert!(!report.complete);
    assert_eq!(state(&report, "good-1.0.0"), Some(ChartState::Uploaded));
    assert_eq!(state(&report, "bad-1.0.0"), None);
    assert!(chart(&folder, "bad-1.0.0.tgz").is_none());
    let error = report.errors().next().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Hint);
    assert!(error.message().contains(".i.gone"), "{error}");
}

#[test]
fn a_digest_pin_becomes_the_tag_that_holds_the_image() {
    let folder = Folder::new();
    let (amd64, arm64) = (Image::new("amd64", "pin"), Image::new("arm64", "pin"));
    let pin = "5b".repeat(32);
    let values = format!("image: gcr.io/k/m@sha256:{pin}\n");
    let of = |image: &Image| bundle("pinned", "- \"{{ .image }}\"\n", &values, &[("", image)]);
    let first = package(&folder, "p-v1.0.0-amd64.tar.gz", &[of(&amd64)]);
    let second = package(&folder, "p-v1.0.0-arm64.tar.gz", &[of(&arm64)]);
    let target = target(&folder);
    assert!(import(&[first], &target, &options()).complete);
    let report = import(&[second], &target, &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    let stored = chart(&folder, "pinned-1.0.0.tgz").expect("uploaded");
    assert_eq!(rendered(&stored), [format!("{REGISTRY}/k/m:pinned-5b5b5b5b5b5b")]);
    assert_eq!(report.charts[0].coverage.all_images_for.len(), 2);
}

#[test]
fn a_digest_of_its_own_is_reported() {
    let folder = Folder::new();
    let image = Image::new("amd64", "pin");
    let values = format!("i: {{r: quay.io, p: a/b, d: 'sha256:{}'}}\n", "5b".repeat(32));
    let hints = "- \"{{ .i.r }}/{{ .i.p }}@{{ .i.d }}\"\n";
    let package =
        package(&folder, "p.tar.gz", &[bundle("pinned", hints, &values, &[("", &image)])]);
    let report = import(&[package], &target(&folder), &options());
    assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::Hint));
    assert!(chart(&folder, "pinned-1.0.0.tgz").is_none());
    assert!(report.images.is_empty(), "a blocked chart sends nothing");
}

/// A chart that was saved without its images needs them in the target.
#[test]
fn a_chart_without_its_images() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let whole = Bundle::simple("app", "1.0.0", &[("i", "quay.io", "demo/app", "v1", &image)]);
    let mut bare = Bundle { chart: "bare".into(), ..whole.clone() };
    bare.images = None;
    let target = target(&folder);
    let first = package(&folder, "bare.tar.gz", &[bare.clone()]);
    let report = import(&[first], &target, &options());
    assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::Missing));
    assert!(chart(&folder, "bare-1.0.0.tgz").is_none());
    // It can be imported together with its images, or after them.
    let both = package(&folder, "both.tar.gz", &[bare.clone(), whole]);
    assert!(import(&[both], &target, &options()).complete);
    let later = package(&folder, "later.tar.gz", &[bare]);
    let report = import(&[later], &target, &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert!(chart(&folder, "bare-1.0.0.tgz").is_some());
}

/// A chart repository that fails as configured, and records the charts that are put into it.
#[derive(Default)]
struct Failing {
    puts: Mutex<Vec<String>>,
    reads_fail: bool,
    conflicts: bool,
}

impl ChartRepo for Failing {
    fn get(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>> {
        if self.reads_fail {
            return Err(Error::new(ErrorKind::Server, "the server answers 500"));
        }
        Ok(None)
    }

    fn put(&self, chart: &PackedChart, _: bool) -> Result<()> {
        self.puts.lock().expect("a lock").push(chart.file_name());
        if self.conflicts {
            return Err(Error::new(ErrorKind::ChartConflict, "there already"));
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_chart_that_cannot_be_read_is_not_taken_for_absent() {
    let folder = Folder::new();
    let package = open(&folder.write("a-amd64.tar.gz", demo_package("amd64")));
    let repo = Arc::new(Failing { reads_fail: true, ..Failing::default() });
    let target = Place::new(ChartAddress::of_repo("failing", repo.clone()));
    let report = import(&[package], &target, &options());
    assert!(!report.complete);
    assert!(repo.puts.lock().expect("a lock").is_empty());
    assert_eq!(report.tags_written, 0, "a blocked chart sends nothing");
}

#[test]
fn a_refused_upload_fails_its_chart() {
    let folder = Folder::new();
    let package = open(&folder.write("a-amd64.tar.gz", demo_package("amd64")));
    let repo = Arc::new(Failing { conflicts: true, ..Failing::default() });
    let target = Place::new(ChartAddress::of_repo("failing", repo));
    let report = import(&[package], &target, &options());
    assert_eq!(state(&report, "web-1.2.0"), Some(ChartState::NotUploaded));
    assert!(!report.complete);
    assert_eq!(report.tags_written, 6, "its images are there all the same");
}

#[test]
fn charts_of_two_packages_are_the_same_in_any_order() {
    let image = |architecture: &str| Image::new(architecture, "app");
    let of = |architecture: &str, comment: &str| {
        let image = image(architecture);
        let mut bundle =
            Bundle::simple("app", "1.0.0", &[("i", "quay.io", "demo/app", "v1", &image)]);
        bundle.values.push_str(comment);
        bundle
    };
    let mut results = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let folder = Folder::new();
        let packages = [
            package(
                &folder,
                "addon-offline-full-package-v1.0.0-amd64.tar.gz",
                &[of("amd64", "# old\n")],
            ),
            package(
                &folder,
                "addon-offline-full-package-v1.1.0-arm64.tar.gz",
                &[of("arm64", "# new\n")],
            ),
        ];
        let [a, b] = packages;
        let packages = if order == [0, 1] { vec![a, b] } else { vec![b, a] };
        assert!(import(&packages, &target(&folder), &options()).complete);
        let stored = chart(&folder, "app-1.0.0.tgz").expect("uploaded");
        let values =
            String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
        assert!(values.ends_with("# new\n"), "the later package's: {values}");
        results.push(std::fs::read(folder.path().join("charts/app-1.0.0.tgz")).expect("read"));
    }
    assert_eq!(results[0], results[1]);
}

#[test]
fn an_upgrade_says_which_charts_have_which_architectures() {
    let folder = Folder::new();
    let target = target(&folder);
    for architecture in ["amd64", "arm64"] {
        let package =
            open(&folder.write(&format!("a-{architecture}.tar.gz"), demo_package(architecture)));
        assert!(import(&[package], &target, &options()).complete);
    }
    // A newer version of one chart, so far for one architecture.
    let image = Image::new("arm64", "web2");
    let newer = Bundle::simple(
        "web",
        "1.3.0",
        &[("app", "quay.m.daocloud.io", "demo/web", "v1.3.0", &image)],
    );
    let newer = package(&folder, "addon-v2-arm64.tar.gz", &[newer]);
    let report = import(&[newer], &target, &options());
    let coverage = &report.charts[0].coverage;
    assert_eq!(
        coverage.all_images_for.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["linux/arm64"]
    );
    let status = target.import(&[], &options()).status().expect("status");
    let of =
        |name: &str| status.charts.iter().find(|c| c.chart == name).expect(name).coverage.clone();
    assert_eq!(of("web-1.2.0").all_images_for.len(), 2);
    assert_eq!(of("web-1.3.0").all_images_for.len(), 1);
    assert_eq!(of("queue-90").some_images_for.len(), 1);
}

#[test]
fn a_stored_chart_without_our_names_is_planned_for_replacement() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = Bundle::simple("app", "1.0.0", &[("i", "quay.io", "demo/app", "v1", &image)]);
    let package = package(&folder, "p.tar.gz", &[bundle]);
    // The original chart, as in a mirror of the vendor's repository.
    let original = package.chart_files(&package.bundles()[0]).expect("files");
    let target = target(&folder);
    let packed = PackedChart::new(&original).expect("packed");
    target.repo().put(&packed, false).expect("stored");
    let packages = [package];
    let options = options();
    let plan = plan(&packages, &target, &options);
    assert_eq!(plan.charts[0].upload.as_ref().map(|u| u.action), Some(ChartAction::Replace));
    assert!(plan.findings.iter().any(|f| matches!(f, Finding::ChartReplaced { .. })));
    assert!(plan.apply().complete);
    let stored = chart(&folder, "app-1.0.0.tgz").expect("replaced");
    assert_eq!(rendered(&stored), [format!("{REGISTRY}/demo/app:v1")]);
}

#[test]
fn planning_writes_nothing() {
    let folder = Folder::new();
    let packages = [open(&folder.write("a-amd64.tar.gz", demo_package("amd64")))];
    let (target, options) = (target(&folder), options());
    let plan = plan(&packages, &target, &options);
    assert_eq!(plan.charts.iter().filter(|chart| chart.upload.is_some()).count(), 5);
    assert!(!folder.path().join("charts").exists());
}

proptest! {
    /// For hints that share any values: where there is a solution, every hint renders its name with all
    /// edits in place, and in mode prefix-registry different images keep different names.
    #[test]
    fn solutions_hold_for_all_hints_together(
        shapes in proptest::collection::vec((0..3usize, 0..3usize, 0..4usize), 1..6),
        mode in 0..5usize,
    ) {
        let mut text = String::new();
        for (registry, repository, shape) in &shapes {
            text.push_str(&match shape {
                0 => format!("- \"{{{{ .r{registry} }}}}/{{{{ .p{repository} }}}}:{{{{ .t }}}}\"\n"),
                1 => format!("- \"{{{{ .r{registry} }}}}/{{{{ .p{repository} }}}}/x{repository}:{{{{ .t }}}}\"\n"),
                2 => format!("- \"{{{{ .w{registry} }}}}:{{{{ .t }}}}\"\n"),
                _ => format!("- \"{{{{ .w{registry} }}}}/y{repository}:{{{{ .t }}}}-z\"\n"),
            });
        }
        let values = "t: v1\nr0: quay.io\nr1: docker.io\nr2: m.io/docker.io\np0: a/b\np1: c\np2: d/e/f\n\
                      w0: quay.io/a\nw1: g/h\nw2: m.io/k/l\n";
        let mut files = ChartFiles::default();
        files.insert("Chart.yaml", &b"name: c\nversion: 1.0.0\n"[..]);
        files.insert("values.yaml", values.as_bytes());
        let values = Chart::load(&files).expect("a chart").merged_values().expect("values");
        let hints: Vec<Hint> = parse_hints(text.as_bytes()).expect("hints");
        use multiarch_core::NameMode::{AppendOrigin, PrefixRegistry, PrefixRepository, Registry, Repository};
        let mode = [Registry, Repository, PrefixRepository, PrefixRegistry, AppendOrigin][mode];
        let path = matches!(mode, Repository | PrefixRepository).then_some("p/q");
        let naming = Naming::new(mode, path).expect("a naming");
        if let Ok(solved) = relocate(&hints, &values, &naming, REGISTRY) {
            let mut edited = values.clone();
            for (path, value) in &solved.edits {
                prop_assert_eq!(path.len(), 1);
                edited.insert(path[0].clone(), value.clone().into());
            }
            for (hint, name) in hints.iter().zip(&solved.names) {
                prop_assert_eq!(hint.render(&edited).expect("renders"), format!("{REGISTRY}/{name}"));
            }
            if mode == PrefixRegistry {
                for (i, a) in hints.iter().enumerate() {
                    for (j, b) in hints.iter().enumerate().skip(i + 1) {
                        let different = a.render(&values).ok() != b.render(&values).ok();
                        prop_assert!(!different || solved.names[i] != solved.names[j], "{} {}", a, b);
                    }
                }
            }
        }
    }
}

/// A merge (`<<`) overrules the keys before it, so an edit must come after it.
#[test]
fn a_merge_does_not_undo_an_edit() {
    let image = Image::new("amd64", "app");
    for values in [
        "base: &b {r: quay.io, p: a/b, t: v1}\ni:\n  <<: *b\n  pullPolicy: Always\n",
        "base: &b {r: quay.io, p: a/b, t: v1}\ni: {r: ghcr.io, <<: *b}\n",
        "base: &b {r: quay.io, p: a/b, t: v1}\nother: &o {t: v2}\ni: {<<: [*b, *o]}\n",
    ] {
        let folder = Folder::new();
        let hints = "- \"{{ .i.r }}/{{ .i.p }}:{{ .i.t }}\"\n";
        let package = package(
            &folder,
            "p.tar.gz",
            &[bundle("c", hints, values, &[("quay.io/a/b:v1", &image)])],
        );
        let report = import(&[package], &target(&folder), &options());
        assert!(report.complete, "{values}: {:?}", report.errors().collect::<Vec<_>>());
        let stored = chart(&folder, "c-1.0.0.tgz").expect("uploaded");
        let text = String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
        let (merge, edit) =
            (text.rfind("<<").expect("a merge"), text.rfind(REGISTRY).expect("an edit"));
        assert!(merge < edit, "{text}");
    }
}

/// A stored chart that names another image, or another tag of it, does not decide the name.
#[test]
fn a_stored_name_of_another_image_is_not_taken() {
    let folder = Folder::new();
    let target = target(&folder);
    let of = |tag: &str, repository: &str| {
        let image = Image::new("amd64", &format!("{repository}{tag}"));
        Bundle::simple("app", "1.0.0", &[("i", "quay.io", repository, tag, &image)])
    };
    let import = |name: &str, bundle: Bundle, options: &Options| {
        import(&[package(&folder, name, &[bundle])], &target, options)
    };
    assert!(import("one.tar.gz", of("v1", "app/server"), &options()).complete);
    for other in [of("v2", "app/server"), of("v1", "other/thing")] {
        let report = import("two.tar.gz", other.clone(), &options());
        if other.values.contains("v2") {
            assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::ChartConflict));
        }
        assert!(report.images.iter().all(|image| image.name.to_string() != "app/server:v1"));
    }
    let mut overwrite = options();
    overwrite.overwrite_charts = true;
    assert!(import("three.tar.gz", of("v2", "app/server"), &overwrite).complete);
    let stored = chart(&folder, "app-1.0.0.tgz").expect("replaced");
    assert_eq!(rendered(&stored), [format!("{REGISTRY}/app/server:v2")]);
}

#[test]
fn a_chart_that_is_not_listed_or_damaged_is_repaired() {
    let folder = Folder::new();
    let target = target(&folder);
    let packages = [open(&folder.write("a-amd64.tar.gz", demo_package("amd64")))];
    assert!(import(&packages, &target, &options()).complete);
    let charts = folder.path().join("charts");
    let index = std::fs::read(charts.join("index.yaml")).expect("an index");
    // As after a run that was killed between writing the chart and the index.
    std::fs::remove_file(charts.join("index.yaml")).expect("removed");
    assert!(import(&packages, &target, &options()).complete);
    assert_eq!(std::fs::read(charts.join("index.yaml")).expect("an index"), index);
    // A damaged chart is only overwritten where that is asked for.
    let whole = std::fs::read(charts.join("web-1.2.0.tgz")).expect("a chart");
    std::fs::write(charts.join("web-1.2.0.tgz"), b"").expect("written");
    let report = import(&packages, &target, &options());
    assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::ChartConflict));
    let mut overwrite = options();
    overwrite.overwrite_charts = true;
    let report = import(&packages, &target, &overwrite);
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(std::fs::read(charts.join("web-1.2.0.tgz")).expect("a chart"), whole);
}

#[test]
fn nothing_is_sent_where_charts_cannot_go() {
    let folder = Folder::new();
    let packages = [open(&folder.write("a-amd64.tar.gz", demo_package("amd64")))];
    let target = Place::new("dir:/proc/nowhere".parse().expect("a repository"));
    let report = import(&packages, &target, &options());
    assert!(!report.complete);
    assert_eq!((report.blobs_sent, report.tags_written), (0, 0));
    assert_eq!(report.errors().next().map(Error::kind), Some(ErrorKind::Io));
}

/// Two runs upload the same chart at once, and one of them has a Chart.lock more.
#[test]
fn the_same_chart_from_a_parallel_run_is_no_conflict() {
    struct Racing(Mutex<Option<Vec<u8>>>);
    impl ChartRepo for Racing {
        fn get(&self, _: &str, _: &str) -> Result<Option<Vec<u8>>> {
            Ok(self.0.lock().expect("a lock").clone())
        }
        fn put(&self, chart: &PackedChart, _: bool) -> Result<()> {
            // The other run's chart: the same files and a Chart.lock.
            let mut files = ChartFiles::unpack(chart.bytes()).expect("a chart");
            files.insert("Chart.lock", &b"digest: x\n"[..]);
            let other = PackedChart::new(&files).expect("packed");
            *self.0.lock().expect("a lock") = Some(other.bytes().to_vec());
            Err(Error::new(ErrorKind::ChartConflict, "there already"))
        }
        fn list(&self) -> Result<Vec<(String, String)>> {
            Ok(Vec::new())
        }
    }
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = Bundle::simple("app", "1.0.0", &[("i", "quay.io", "demo/app", "v1", &image)]);
    let packages = [package(&folder, "p.tar.gz", &[bundle])];
    let repo = Arc::new(Racing(Mutex::default()));
    let target = Place::new(ChartAddress::of_repo("racing", repo));
    let report = import(&packages, &target, &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
}

/// A chart is not uploaded where its images could not be sent.
#[test]
fn a_chart_whose_images_failed_is_not_uploaded() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = Bundle::simple("app", "1.0.0", &[("i", "quay.io", "demo/app", "v1", &image)]);
    let content = tar(&[Entry::file(bundle.file_name(), bundle.tar())]);
    let path = folder.write("p.tar", &content);
    let packages = [open(&path)];
    let (target, options) = (target(&folder), options());
    let plan = plan(&packages, &target, &options);
    // The layers are damaged after the plan was made.
    let layer = &image.layers[0].blob;
    let at = content.windows(layer.len()).position(|window| window == layer).expect("the layer");
    let mut damaged = content;
    damaged[at + layer.len() / 2] ^= 1;
    std::fs::write(&path, damaged).expect("written");
    let report = plan.apply();
    assert_eq!(state(&report, "app-1.0.0"), Some(ChartState::NotUploaded));
    assert!(!report.complete && chart(&folder, "app-1.0.0.tgz").is_none());
}

/// A stored chart renders names that no mode gives and that are not in the target: it is replaced.
#[test]
fn a_stored_chart_with_missing_names_is_replaced() {
    let folder = Folder::new();
    let target = target(&folder);
    let (app, tool) = (Image::new("amd64", "app"), Image::new("amd64", "tool"));
    let of = |registry: &str, first: &str, second: &str| {
        let (first, second) = (format!("{first}/app"), format!("{second}/tool"));
        let images = [("i", registry, &*first, "v1", &app), ("j", registry, &*second, "v1", &tool)];
        Bundle::simple("app", "1.0.0", &images)
    };
    let gone = package(&folder, "gone.tar.gz", &[of(REGISTRY, "gone", "lost")]);
    let files = gone.chart_files(&gone.bundles()[0]).expect("files");
    let packed = PackedChart::new(&files).expect("packed");
    target.repo().put(&packed, false).expect("stored");
    let given = package(&folder, "p.tar.gz", &[of("quay.io", "demo", "demo")]);
    let report = import(&[given], &target, &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    assert_eq!(state(&report, "app-1.0.0"), Some(ChartState::Replaced));
    let stored = chart(&folder, "app-1.0.0.tgz").expect("replaced");
    let expected = ["app", "tool"].map(|name| format!("{REGISTRY}/demo/{name}:v1"));
    assert_eq!(rendered(&stored), expected);
}
