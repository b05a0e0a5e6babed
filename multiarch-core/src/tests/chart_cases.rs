//! Charts whose kind is known from reports of users. What is right was established with Helm.

use multiarch_core::{
    ChartState, ErrorKind, Finding, ImageState, Import, NameMode, Naming, Options, Report, Target,
};
use multiarch_generator::{Bundle, Entry, Image, gzip, tar};

use super::{
    place::{REGISTRY, bundle, chart, import, options, package, plan, rendered, state, target},
    runs::{Folder, open},
};

const HINT: &str = "- \"{{ .i.registry }}/{{ .i.repository }}:{{ .i.tag }}\"\n";

/// The names of the images that are in the target after an import.
fn names_of(report: &Report) -> Vec<String> {
    let there = report.images.iter().filter(|image| image.state != ImageState::Failed);
    there.map(|image| image.name.to_string()).collect()
}

fn values(tag: &str) -> String {
    format!("i: {{registry: quay.io, repository: team/app, tag: '{tag}'}}\n")
}

/// ingress-nginx and others have a `digest` beside the tag, which their templates append.
#[test]
fn a_digest_beside_the_tag_is_emptied() {
    let folder = Folder::new();
    let pin = format!("sha256:{}", "a".repeat(64));
    let values =
        format!("i: {{registry: quay.io, repository: team/app, tag: '1.0', digest: '{pin}'}}\n");
    let package_of = |arch: &str| {
        let image = Image::new(arch, "app");
        let bundle = bundle("c", HINT, &values, &[("quay.io/team/app:1.0", &image)]);
        package(&folder, &format!("p-{arch}.tar.gz"), &[bundle])
    };
    let place = target(&folder);
    let report = import(&[package_of("amd64")], &place, &options());
    assert!(report.complete);
    let emptied =
        Finding::DigestBeside { chart: "c-1.0.0".into(), value: ".i.digest".into(), emptied: true };
    assert_eq!(report.findings, [emptied]);
    let stored = chart(&folder, "c-1.0.0.tgz").expect("stored");
    let stored = String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
    assert_eq!(stored, values.replace("quay.io", REGISTRY).replace(&format!("'{pin}'"), "''"));
    // The same chart is recognised, although its digest is gone.
    let report = import(&[package_of("arm64")], &place, &options());
    assert_eq!(state(&report, "c-1.0.0"), Some(ChartState::Present));
    assert_eq!(report.findings, []);
}

/// Releases that tag v3.16.5-amd64 and v3.16.5-arm64 instead of making an index.
#[test]
fn different_charts_of_one_version_are_told() {
    let folder = Folder::new();
    let package_of = |arch: &str, tag: &str, more: &str| {
        let image = Image::new(arch, "app");
        let values = values(tag) + more;
        let bundle = bundle("c", HINT, &values, &[(&format!("quay.io/team/app:{tag}"), &image)]);
        package(&folder, &format!("p-{arch}-{tag}.tar.gz"), &[bundle])
    };
    let packages = [package_of("amd64", "1-amd64", ""), package_of("arm64", "1-arm64", "")];
    let report = import(&packages, &target(&folder), &options());
    let differ =
        |f: &Finding| matches!(f, Finding::ChartsDiffer { chart, .. } if chart == "c-1.0.0");
    assert!(report.findings.iter().any(differ), "{:?}", report.findings);
    assert!(!report.complete, "one of the images is rendered by no chart");
    let error = report.errors().next().expect("an error");
    assert_eq!(error.kind(), ErrorKind::ChartConflict);
    // One of them is uploaded, with its image.
    assert_eq!(state(&report, "c-1.0.0"), Some(ChartState::Uploaded));
    // Where the images of both are rendered, a difference is worth a note only.
    let folder_two = Folder::new();
    let packages = [package_of("amd64", "1", ""), package_of("arm64", "1", "x: 1\n")];
    let report = import(&packages, &target(&folder_two), &options());
    assert!(report.complete && report.findings.iter().any(differ), "{:?}", report.findings);
}

/// The incumbent does not upload every chart; those that it did upload say how it named images.
#[test]
fn charts_that_are_not_stored_are_named_as_those_that_are() {
    let folder = Folder::new();
    let package_of = |arch: &str| {
        let (a, b) = (Image::new(arch, "a"), Image::new(arch, "b"));
        let bundles = [
            Bundle::simple("a", "1.0.0", &[("i", "quay.io", "team/a", "v1", &a)]),
            Bundle::simple("b", "1.0.0", &[("i", "quay.io", "team/b", "v1", &b)]),
        ];
        package(&folder, &format!("p-{arch}.tar.gz"), &bundles)
    };
    let place = target(&folder);
    let names = Naming::new(NameMode::PrefixRegistry, None).expect("a naming");
    let earlier = Options { names: names.clone(), ..options() };
    assert!(import(&[package_of("amd64")], &place, &earlier).complete);
    std::fs::remove_file(folder.path().join("charts/b-1.0.0.tgz")).expect("removed");
    let report = import(&[package_of("arm64")], &place, &options());
    assert!(report.complete);
    let learned = Finding::NamesLearned { names, charts: vec!["b-1.0.0".into()] };
    assert_eq!(report.findings, [learned]);
    assert_eq!(names_of(&report), ["quay.io/team/a:v1", "quay.io/team/b:v1"]);
    assert!(report.images.iter().all(|image| image.platforms.len() == 2), "{report}");
    let stored = chart(&folder, "b-1.0.0.tgz").expect("stored");
    assert_eq!(rendered(&stored), [format!("{REGISTRY}/quay.io/team/b:v1")]);
}

/// A global value is seen in each subchart's values, which is no reason to take the chart for another one.
#[test]
fn a_chart_with_a_global_and_subcharts_is_recognised() {
    let folder = Folder::new();
    let package_of = |arch: &str| {
        let image = Image::new(arch, "app");
        let hints = "- \"{{ .global.hub }}/{{ .s.repository }}:{{ .s.tag }}\"\n";
        let mut bundle =
            bundle("c", hints, "global: {hub: quay.io}\n", &[("quay.io/team/app:v1", &image)]);
        for (path, text) in [
            ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"),
            ("charts/s/values.yaml", "repository: team/app\ntag: v1\n"),
        ] {
            bundle.files.push((path.into(), text.into()));
        }
        package(&folder, &format!("p-{arch}.tar.gz"), &[bundle])
    };
    let place = target(&folder);
    assert!(import(&[package_of("amd64")], &place, &options()).complete);
    let report = import(&[package_of("arm64")], &place, &options());
    assert_eq!(state(&report, "c-1.0.0"), Some(ChartState::Present));
    assert_eq!(report.findings, []);
}

/// istiod's template takes the image's value alone where it has a slash in it.
#[test]
fn the_registry_changes_alone_wherever_it_can() {
    let image = Image::new("amd64", "pilot");
    let hints = "- \"{{ .hub }}/{{ .pilot.image }}:{{ .tag }}\"\n";
    let original = "hub: quay.io/istio\npilot: {image: pilot}\ntag: 1.17.1\n";
    for (mode, path, hub) in [
        (NameMode::Registry, None, ""),
        (NameMode::PrefixRegistry, None, "/quay.io/istio"),
        (NameMode::Repository, Some("p/q"), "/p/q"),
        (NameMode::PrefixRepository, Some("p"), "/p/istio"),
    ] {
        let folder = Folder::new();
        let reference = "quay.io/istio/pilot:1.17.1";
        let package = package(
            &folder,
            "p-amd64.tar.gz",
            &[bundle("c", hints, original, &[(reference, &image)])],
        );
        let names = Naming::new(mode, path).expect("a naming");
        let report = import(&[package], &target(&folder), &Options { names, ..options() });
        assert!(report.complete, "{mode:?}");
        let stored = chart(&folder, "c-1.0.0.tgz").expect("stored");
        let values =
            String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
        assert_eq!(
            values,
            original.replace("quay.io/istio", &format!("{REGISTRY}{hub}")),
            "{mode:?}"
        );
    }
}

#[test]
fn a_value_that_no_hint_reads_is_reported_and_relocated_when_asked() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let original = values("v1") + "job: {image: 'quay.io/team/app:v1'}\n";
    let bundle = bundle("c", HINT, &original, &[("quay.io/team/app:v1", &image)]);
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let unhinted = |rewritten| Finding::Unhinted {
        chart: "c-1.0.0".into(),
        values: vec![".job.image".into()],
        reference: "quay.io/team/app:v1".into(),
        rewritten,
        can_be_rewritten: true,
    };
    let report = import(std::slice::from_ref(&package), &target(&folder), &options());
    assert_eq!(report.findings, [unhinted(false)]);
    let other = Folder::new();
    let place = target(&other);
    // Also after an import without the option.
    assert!(import(std::slice::from_ref(&package), &place, &options()).complete);
    let options = Options { rewrite_unhinted: true, ..options() };
    let report = import(std::slice::from_ref(&package), &place, &options);
    assert_eq!(report.findings, [unhinted(true)]);
    let stored = chart(&other, "c-1.0.0.tgz").expect("stored");
    let values = String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
    assert_eq!(values, original.replace("quay.io", REGISTRY));
    let report = import(&[package], &place, &options);
    assert_eq!((state(&report, "c-1.0.0"), report.findings), (Some(ChartState::Present), vec![]));
}

#[test]
fn the_images_of_a_blocked_chart_come_when_asked() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = bundle("c", HINT, "i: {}\n", &[("quay.io/team/app:v1", &image)]);
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let place = target(&folder);
    let report = import(std::slice::from_ref(&package), &place, &options());
    assert!(!report.complete && names_of(&report).is_empty());
    let options = Options { images_of_blocked_charts: true, ..options() };
    let report = import(&[package], &place, &options);
    assert!(!report.complete && state(&report, "c-1.0.0").is_none());
    assert_eq!(names_of(&report), ["team/app:v1"]);
}

/// The packages of 2026 have folders with charts of one name in them.
#[test]
fn each_folder_has_its_chart_repository() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    let package_of = |name: &str, bundles: &[(&str, &Bundle)]| {
        let entries: Vec<Entry> = bundles
            .iter()
            .map(|(place, bundle)| {
                Entry::file(format!("{place}/{}", bundle.file_name()), bundle.tar())
            })
            .collect();
        open(&folder.write(name, gzip(&tar(&entries))))
    };
    let chart_of = |version: &str, arch: &str| {
        let image = Image::new(arch, version);
        Bundle::simple("istiod", version, &[("i", "quay.io", "istio/pilot", version, &image)])
    };
    let to = format!("addon=dir:{},dir:{}/{{folder}}", at("own").display(), at("all").display());
    let run = |packages: &[std::sync::Arc<multiarch_core::Package>], options: Options| {
        let target = Target::open(&format!("oci:{}", at("store").display())).expect("a target");
        let import = Import::into(target).options(options).charts_to(&to).expect("repositories");
        packages.iter().cloned().fold(import, Import::opened).plan().expect("planned").apply()
    };
    let (addon, community) = (chart_of("1.30.3", "amd64"), chart_of("1.17.1", "amd64"));
    let first =
        package_of("p-v1.0.0-amd64.tar.gz", &[("addon", &addon), ("community", &community)]);
    let names = Naming::new(NameMode::PrefixRegistry, None).expect("a naming");
    let report = run(&[first], Options { names, ..options() });
    assert!(report.complete, "{report}");
    let folders: Vec<_> = report.charts.iter().map(|chart| chart.folder.as_deref()).collect();
    assert_eq!(folders, [Some("addon"), Some("community")]);
    assert!(at("own/istiod-1.30.3.tgz").exists() && at("all/community/istiod-1.17.1.tgz").exists());
    // The next package has moved a chart to another folder: its images keep their names.
    let moved = chart_of("1.30.3", "arm64");
    let report = run(&[package_of("p-v1.1.0-arm64.tar.gz", &[("system", &moved)])], options());
    assert!(report.complete, "{report}");
    assert!(at("all/system/istiod-1.30.3.tgz").exists());
    assert_eq!(report.images[0].name.to_string(), "quay.io/istio/pilot:1.30.3");
    assert_eq!(report.images[0].platforms.len(), 2, "{report}");
}

#[test]
fn a_folder_without_a_chart_repository_is_an_error() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = bundle("c", HINT, &values("v1"), &[("quay.io/team/app:v1", &image)]);
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let import = Import::into(Target::open("oci:store").expect("a target")).options(options());
    let import = import.charts_to("community=dir:charts").expect("a repository");
    let error = import.opened(package).plan().expect_err("no repository for addon");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains("addon"), "{error}");
}

/// Helm loads subcharts by rules of its own; a chart that it does not load is left out by name.
#[test]
fn charts_that_helm_refuses_are_left_out() {
    for (files, version, part) in [
        (vec![], "10.2.0_738", "10.2.0_738"),
        (vec![("charts/README.md", "# Charts\n")], "1.0.0", "charts/README.md"),
        (
            vec![
                ("requirements.yaml", "dependencies: [{name: s, version: '*'}]\n"),
                ("charts/a/Chart.yaml", "name: s\nversion: 1.0.0\n"),
                ("charts/b/Chart.yaml", "name: s\nversion: 1.2.0\n"),
            ],
            "1.0.0",
            "by chance",
        ),
    ] {
        let folder = Folder::new();
        let image = Image::new("amd64", "app");
        let mut bundle = bundle("c", HINT, &values("v1"), &[("quay.io/team/app:v1", &image)]);
        bundle.version = version.into();
        bundle.files = files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
        let plan = plan(&[package], &target(&folder), &options());
        let problem = plan.charts[0].problems.first().expect(part);
        assert!(problem.to_string().contains(part), "{problem}");
    }
}

/// A package holds the images of a subchart that is off by default, so that it can be switched on.
#[test]
fn a_subchart_that_is_switched_off_is_relocated_too() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let hints = "- \"{{ .s.registry }}/{{ .s.repository }}:{{ .s.tag }}\"\n";
    let mut bundle =
        bundle("c", hints, "s: {enabled: false}\n", &[("quay.io/team/app:v1", &image)]);
    let dependencies = "dependencies: [{name: s, version: '*', condition: s.enabled}]\n";
    for (path, text) in [
        ("requirements.yaml", dependencies),
        ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"),
        ("charts/s/values.yaml", "registry: quay.io\nrepository: team/app\ntag: v1\n"),
    ] {
        bundle.files.push((path.into(), text.into()));
    }
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let place = target(&folder);
    let report = import(std::slice::from_ref(&package), &place, &options());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    let stored = chart(&folder, "c-1.0.0.tgz").expect("stored");
    let values = String::from_utf8_lossy(stored.get("values.yaml").expect("values")).into_owned();
    assert_eq!(values, format!("s: {{registry: \"{REGISTRY}\", enabled: false}}\n"));
    let report = import(&[package], &place, &options());
    assert_eq!((state(&report, "c-1.0.0"), report.findings), (Some(ChartState::Present), vec![]));
}

#[test]
fn what_no_hint_and_no_chart_covers_is_told() {
    let folder = Folder::new();
    let (app, sidecar) = (Image::new("amd64", "app"), Image::new("amd64", "sidecar"));
    let images = [("quay.io/team/app:v1", &app), ("quay.io/team/sidecar:v2", &sidecar)];
    let values = values("v1") + "sums: {agent: 'sha256:" + &"a".repeat(64) + "'}\n";
    let mut bundle = bundle("c", HINT, &values, &images);
    bundle
        .files
        .push(("requirements.yaml".into(), "dependencies: [{name: s, version: '*'}]\n".into()));
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let report = import(&[package], &target(&folder), &options());
    assert!(report.complete);
    let chart = "c-1.0.0".to_owned();
    let because = "charts/ does not have its dependencies: s".to_owned();
    assert_eq!(
        report.findings,
        [
            Finding::DigestBeside {
                chart: chart.clone(),
                value: ".sums.agent".into(),
                emptied: false
            },
            Finding::HelmRefuses { chart: chart.clone(), because },
            Finding::Unhinted {
                chart,
                values: vec![],
                reference: "quay.io/team/sidecar:v2".into(),
                rewritten: false,
                can_be_rewritten: false,
            },
        ]
    );
}

#[test]
fn a_schema_that_does_not_allow_the_registry_leaves_the_chart_out() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let mut bundle = bundle("c", HINT, &values("v1"), &[("quay.io/team/app:v1", &image)]);
    let schema = r#"{"properties": {"i": {"properties": {"registry": {"enum": ["quay.io"]}}}}}"#;
    bundle.files.push(("values.schema.json".into(), schema.into()));
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let plan = plan(&[package], &target(&folder), &options());
    let problem = plan.charts[0].problems.first().expect("blocked").to_string();
    assert!(problem.contains(".i.registry") && problem.contains("values.schema.json"), "{problem}");
}

/// In two runs, as in one, the reason is that the other chart does not name this one's images.
#[test]
fn another_chart_that_is_stored_is_told_by_what_it_does_not_name() {
    let folder = Folder::new();
    let package_of = |tag: &str| {
        let image = Image::new("amd64", tag);
        let reference = format!("quay.io/team/app:{tag}");
        let bundle = bundle("c", HINT, &values(tag), &[(&reference, &image)]);
        package(&folder, &format!("p-amd64-{tag}.tar.gz"), &[bundle])
    };
    let place = target(&folder);
    assert!(import(&[package_of("v1")], &place, &options()).complete);
    let report = import(&[package_of("v2")], &place, &options());
    let error = report.errors().next().expect("blocked");
    assert_eq!(error.kind(), ErrorKind::ChartConflict);
    assert!(error.message().ends_with("does not name team/app:v2"), "{error}");
}

#[test]
fn a_folder_that_no_package_has_is_told() {
    let folder = Folder::new();
    let image = Image::new("amd64", "app");
    let bundle = bundle("c", HINT, &values("v1"), &[("quay.io/team/app:v1", &image)]);
    let package = package(&folder, "p-amd64.tar.gz", &[bundle]);
    let at = |name: &str| format!("dir:{}", folder.path().join(name).display());
    let import = Import::into(Target::open("oci:store").expect("a target")).options(options());
    let import =
        import.charts_to(&at("all")).and_then(|i| i.charts_to(&format!("adon={}", at("x"))));
    let plan = import.expect("repositories").opened(package).plan().expect("planned");
    let unknown = Finding::FolderUnknown { folder: "adon".into(), known: vec!["addon".into()] };
    assert_eq!(plan.findings, [unknown]);
}
