//! Limits of charts, their values and their hints.

use multiarch_generator::{Entry, gzip, tar};

use super::ends_between;
use crate::{
    chart::{Chart, ChartFiles, PackedChart, Values, parse_hints},
    error::{ErrorKind, Result},
    limit,
    plan::StoredChart,
};

fn chart(files: &[(&str, Vec<u8>)]) -> ChartFiles {
    let mut all = ChartFiles::default();
    all.insert("Chart.yaml", &b"name: c\nversion: 1.0.0\n"[..]);
    for (path, content) in files {
        all.insert(*path, content.as_slice());
    }
    all
}

fn packed(files: &ChartFiles) -> Vec<u8> {
    PackedChart::new(files).expect("packs").bytes().to_vec()
}

/// Each level, and each chart beside another, counts against one limit.
#[test]
fn limit_of_chart() {
    let large = |mebibytes: usize| packed(&chart(&[("README.md", vec![0; mebibytes << 20])]));
    let beside = |last: usize| {
        let files = [
            ("charts/a.tgz", large(30)),
            ("charts/b.tgz", large(30)),
            ("charts/c.tgz", large(last)),
        ];
        Chart::load(&chart(&files))
    };
    ends_between(beside(3), beside(4));
    let nested = (0..3).fold(large(1), |inner, _| {
        packed(&chart(&[("charts/s.tgz", inner), ("README.md", vec![0; 25 << 20])]))
    });
    let error = Chart::load(&chart(&[("charts/s.tgz", nested)])).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// Headers are not files, and take memory all the same.
#[test]
fn limit_of_chart_headers() {
    let unpacked = |entries: usize| {
        let files: Vec<Entry> = (0..entries).map(|i| Entry::file(format!("c/{i}"), "")).collect();
        ChartFiles::unpack(&gzip(&tar(&files)))
    };
    assert!(unpacked(32_000).is_ok());
    // Those of 64 MiB and 16 MiB more.
    assert!(unpacked((80 << 20) / 512 + 10).is_err());
}

#[test]
fn limit_of_subchart_depth() {
    let nested = |depth: usize| {
        let inner =
            (0..depth).fold(chart(&[]), |inner, _| chart(&[("charts/s.tgz", packed(&inner))]));
        Chart::load(&inner)
    };
    ends_between(nested(16), nested(17));
}

#[test]
fn limit_of_hints() {
    let hints = |count: usize| {
        let list: String = (0..count).map(|i| format!("- '{{{{ .a{i} }}}}'\n")).collect();
        parse_hints(list.as_bytes())
    };
    ends_between(hints(1_000), hints(1_001));
}

#[test]
fn limit_of_hint() {
    let hint = |length: usize| {
        parse_hints(format!("- '{{{{ .{} }}}}'\n", "a".repeat(length - 7)).as_bytes())
    };
    ends_between(hint(4096), hint(4097));
}

#[test]
fn limit_of_subcharts() {
    let with = |count: usize| {
        let names: Vec<String> = (0..count).map(|i| format!("charts/s{i}/Chart.yaml")).collect();
        let subchart = b"name: s\nversion: 1.0.0\n".to_vec();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), subchart.clone())).collect();
        Chart::load(&chart(&files))
    };
    ends_between(with(500), with(501));
}

#[test]
fn limit_of_dependencies() {
    let with = |count: usize| {
        let list: String = (0..count).map(|i| format!("{{name: s{i}, version: 1.0.0}},")).collect();
        let text = format!("name: c\nversion: 1.0.0\ndependencies: [{list}]\n");
        let mut files = chart(&[]);
        files.insert("Chart.yaml", text.as_bytes());
        Chart::load(&files)
    };
    ends_between(with(500), with(501));
}

/// Aliases multiply values, and so do globals.
#[test]
fn limit_of_merged_values() {
    let aliases = |count: usize| {
        let list: String = (0..count)
            .map(|i| format!("{{name: s, version: 1.0.0, alias: a{i}, repository: ''}},"))
            .collect();
        let text = format!("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{list}]\n");
        let values: String = (0..10_000).map(|i| format!("v{i}: 1\n")).collect();
        let mut files = chart(&[
            ("charts/s/Chart.yaml", b"apiVersion: v2\nname: s\nversion: 1.0.0\n".to_vec()),
            ("charts/s/values.yaml", values.into_bytes()),
        ]);
        files.insert("Chart.yaml", text.as_bytes());
        Chart::load(&files)?.merged_values()
    };
    ends_between(aliases(7), aliases(40));
    let globals = |count: usize| {
        let values: String = (0..count).map(|i| format!("  v{i}: 1\n")).collect();
        let names: Vec<String> = (0..100).map(|i| format!("charts/s{i}/Chart.yaml")).collect();
        let subchart = |i: usize| format!("name: s{i}\nversion: 1.0.0\n").into_bytes();
        let subcharts = names.iter().enumerate().map(|(i, name)| (name.as_str(), subchart(i)));
        let values = ("values.yaml", format!("global:\n{values}").into_bytes());
        let files: Vec<_> = subcharts.chain([values]).collect();
        Chart::load(&chart(&files))?.merged_values()
    };
    ends_between(globals(700), globals(4_000));
}

fn values(text: &str) -> Result<Values> {
    let chart = Chart::load(&chart(&[("values.yaml", text.into())]))?;
    chart.merged_values()
}

#[test]
fn limit_of_yaml_values() {
    let list = |count: usize| values(&format!("a: [{}1]", "1,".repeat(count)));
    ends_between(list(199_000), list(200_000));
    // Anchors around anchors are copies, too.
    let anchors: String = (0..60).map(|i| format!("&a{i} [")).collect();
    let nested = format!("a: {anchors}{}{}", "~,".repeat(20_000), "]".repeat(60));
    assert_eq!(values(&nested).expect_err("too many").kind(), ErrorKind::TooLarge);
}

#[test]
fn limit_of_yaml_text() {
    let long = "x".repeat(1 << 20);
    let aliases =
        |count: usize| values(&format!("a: &a {long}\nl: [{}]\n", vec!["*a"; count].join(",")));
    ends_between(aliases(15), aliases(17));
}

#[test]
fn limit_of_yaml_depth() {
    let nested = |depth: usize| values(&format!("a: {}1{}", "[".repeat(depth), "]".repeat(depth)));
    ends_between(nested(190), nested(201));
}

#[test]
fn limit_of_version_range() {
    let range = |length: usize| depends_on(&format!(">=1.0.0{}", " ".repeat(length - 7)));
    assert!(range(512) && !range(513));
}

#[test]
fn limit_of_version_alternatives() {
    let range = |count: usize| depends_on(&vec![">=1.0.0"; count].join("||"));
    assert!(range(32) && !range(33));
}

/// True where a subchart of version 1.2.0 is taken for a dependency on this range: then it gets the alias.
fn depends_on(range: &str) -> bool {
    let dependency = format!("{{name: s, alias: other, version: '{range}', repository: ''}}");
    let parent = format!("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{dependency}]\n");
    let mut files =
        chart(&[("charts/s/Chart.yaml", b"apiVersion: v2\nname: s\nversion: 1.2.0\n".to_vec())]);
    files.insert("charts/s/values.yaml", &b"from: s\n"[..]);
    files.insert("Chart.yaml", parent.as_bytes());
    let values = Chart::load(&files).and_then(|chart| chart.merged_values());
    values.expect("a chart").contains_key("other")
}

/// A text that is within its limits, in each of many subcharts and charts; each subchart is a table of its own.
#[test]
fn limit_of_charts_values() {
    let values = format!("a: [{}]\n", "{b: c},".repeat(1000));
    let subchart = packed(&chart(&[("values.yaml", values.into())]));
    let mut memory = limit::CHARTS_VALUES.budget();
    let mut load = |charts: usize| {
        let names: Vec<String> = (0..charts).map(|i| format!("charts/s{i}.tgz")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), subchart.clone())).collect();
        Chart::load_within(&chart(&files), &mut memory)
    };
    // Each takes some 0.7 MiB.
    ends_between(load(100), load(50));
}

#[test]
fn limit_of_stored_charts() {
    let stored = packed(&chart(&[("README.md", vec![0; 15 << 20])]));
    let mut memory = limit::STORED_CHARTS.budget();
    let mut unpack = |count: usize| {
        (0..count).try_for_each(|_| StoredChart::unpack(&stored, &mut memory).map(drop))
    };
    assert!(unpack(6).is_ok());
    let error = unpack(1).expect_err("too large");
    assert!(error.cause().is_some_and(|cause| cause.to_string().contains("chart repository")));
}

#[test]
fn limit_of_yaml_source() {
    let text = |size: usize| values(&format!("a: b\n#{}", "x".repeat(size - 6)));
    ends_between(text(5 << 20), text((5 << 20) + 1));
}

#[test]
fn limit_of_hinted_values() {
    let hints = |count: usize| {
        let text: String = (0..1000).map(|i| format!("a{i}: b\n")).collect();
        let chart = Chart::load(&chart(&[("values.yaml", text.into())]))?;
        let hint = parse_hints(b"- '{{ .a0 }}'")?;
        chart.check_hints(&vec![hint[0].clone(); count])
    };
    ends_between(hints(4000), hints(4001));
}
