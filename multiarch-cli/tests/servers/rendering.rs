//! `--render`: charts are rendered with real Helm before they count as complete.

use multiarch_generator::{Bundle, Entry, Image, gzip, images_tar, tar};

use crate::desk::{Desk, Run};

const HINT: &str = "- \"{{ .i.registry }}/{{ .i.repository }}:{{ .i.tag }}\"\n";
const VALUES: &str = "i: {registry: quay.io, repository: team/app, tag: v1}\n";
const OWN: &str = "{{ .Values.i.registry }}/{{ .Values.i.repository }}:{{ .Values.i.tag }}";

/// Imports a chart whose pod runs these images, and renders it.
fn import(values: &str, images: &[&str], more: &[&str]) -> Run {
    import_at(&Desk::new(), values, images, more)
}

fn import_at(desk: &Desk, values: &str, images: &[&str], more: &[&str]) -> Run {
    let containers: String =
        images.iter().map(|image| format!("  - name: c\n    image: \"{image}\"\n")).collect();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n{containers}"
    );
    let bundle = Bundle {
        chart: "c".into(),
        version: "1.0.0".into(),
        hints: HINT.into(),
        values: values.into(),
        files: vec![("templates/pod.yaml".into(), pod)],
        images: Some(images_tar(&[("quay.io/team/app:v1", &Image::new("amd64", "app"))])),
    };
    let entry = Entry::file(format!("addon/{}", bundle.file_name()), bundle.tar());
    let package = desk.write("p-amd64.tar.gz", gzip(&tar(&[entry])));
    let helm = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/helm");
    let target = desk.target();
    let words = ["import", "-q", "--json", &package, "--to", &target, "--charts-to", "dir:charts"];
    let render: &[&str] =
        if more.contains(&"--helm") { &["--render"] } else { &["--render", "--helm", helm] };
    let words = [&words[..], &["--registry", "r.example.com"], render, more];
    desk.run(&words.concat())
}

#[test]
fn what_helm_renders_decides() {
    let run = import(VALUES, &[OWN], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.json()["charts"][0]["rendered_images"], 1);
    // An image that no hint and no value names.
    let run = import(VALUES, &[OWN, "docker.io/library/busybox:1"], &[]);
    let report = run.json();
    assert_eq!((run.code, &report["charts"][0]["upload"]), (Some(1), &serde_json::Value::Null));
    assert!(run.err.contains("docker.io/library/busybox:1"), "{}", run.err);
    assert_eq!(report["images"].as_array().map(Vec::len), Some(0), "a blocked chart sends nothing");
    // One that is below the registry, and in no package.
    let run = import(VALUES, &["{{ .Values.i.registry }}/team/other:v1"], &[]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.err.contains("team/other:v1"), "{}", run.err);
}

#[test]
fn a_value_without_a_hint_is_relocated_when_asked() {
    let values = format!("{VALUES}job: {{image: 'quay.io/team/app:v1'}}\n");
    let images = [OWN, "{{ .Values.job.image }}"];
    let run = import(&values, &images, &[]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    let run = import(&values, &images, &["--rewrite-unhinted"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains(".job.image"), "{}", run.err);
}

/// A template insists on the digest that relocation empties.
#[test]
fn a_chart_that_relocation_breaks_is_left_out() {
    let values = format!(
        "i: {{registry: quay.io, repository: team/app, tag: v1, digest: 'sha256:{}'}}\n",
        "a".repeat(64)
    );
    let run = import(&values, &[OWN, "{{ required `a digest` .Values.i.digest }}"], &[]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.err.contains("renders the original chart"), "{}", run.err);
}

#[test]
fn a_chart_that_needs_values_is_checked_by_its_hints() {
    let image = "{{ required \"the zone is needed\" .Values.zone }}";
    let run = import(VALUES, &[image], &[]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let chart = &run.json()["charts"][0];
    assert_eq!((&chart["hints"], &chart["rendered_images"]), (&1.into(), &serde_json::Value::Null));
    assert!(run.err.contains("the zone is needed"), "{}", run.err);
}

/// What is rendered is the chart that the cluster gets: the stored one, where it stays.
#[test]
fn a_stored_chart_is_rendered_as_it_is() {
    let desk = Desk::new();
    let values = format!("{VALUES}job: {{image: 'quay.io/team/app:v1'}}\n");
    let images = [OWN, "{{ .Values.job.image }}"];
    // Stored without the check.
    let words = ["--helm", concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/helm")];
    let stored = import_at(&desk, &values, &[OWN], &words);
    assert_eq!(stored.code, Some(0), "{}", stored.err);
    let other = import_at(&desk, &values, &images, &words);
    assert_eq!(
        other.code,
        Some(0),
        "another chart stays, and renders what is there: {}",
        other.err
    );
    let with_overwriting = [&words[..], &["--overwrite-charts"]].concat();
    let replaced = import_at(&desk, &values, &images, &with_overwriting);
    assert_eq!(replaced.code, Some(1), "{}", replaced.out);
}

#[test]
fn a_digest_in_a_rendered_reference_is_not_the_tags() {
    let pinned = format!("{OWN}@sha256:{}", "a".repeat(64));
    let run = import(VALUES, &[&pinned], &[]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.err.contains("with a digest"), "{}", run.err);
}

#[test]
fn a_program_that_is_not_helm() {
    for program in ["/bin/true", "/bin/echo", "/bin/false", "/nonexistent/helm"] {
        let run = import(VALUES, &[OWN], &["--helm", program]);
        assert_eq!(run.code, Some(2), "{program}: {}", run.out);
        assert!(run.err.contains(program), "{program}: {}", run.err);
    }
}
