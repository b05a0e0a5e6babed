//! A small package for tests and examples, with the difficulties of real ones.

use crate::{
    archive::{Entry, gzip, tar},
    bundle::{Bundle, images_tar},
    image::{Image, Layer},
};

/// The file name of a package.
pub fn package_name(version: &str, architecture: &str) -> String {
    format!("addon-offline-full-package-{version}-{architecture}.tar.gz")
}

/// A package of five charts for amd64, and of four for arm64. It has images that charts share, an amd64
/// image in the arm64 package, a chart without images, a chart for amd64 only, hints with literal text,
/// and a subchart.
pub fn demo_package(architecture: &str) -> Vec<u8> {
    let shared = Image::new(architecture, "cache");
    let variant = if architecture == "arm64" { "v8" } else { "" };
    let layers = vec![Layer::gzip("app", &format!("web on {architecture}\n"))];
    let web = Image::of(architecture, variant, layers);
    let mut bundles = vec![
        Bundle::simple(
            "web",
            "1.2.0",
            &[
                ("app", "quay.m.daocloud.io", "demo/web", "v1.2.0", &web),
                ("cache", "docker.m.daocloud.io", "library/cache", "7-alpine", &shared),
            ],
        ),
        Bundle::simple(
            "queue",
            "90",
            &[
                (
                    "queue",
                    "ghcr.m.daocloud.io",
                    "demo/queue",
                    "2.0",
                    &Image::new(architecture, "queue"),
                ),
                ("cache", "docker.m.daocloud.io", "library/cache", "7-alpine", &shared),
            ],
        ),
        // This image exists for amd64 only, so the arm64 package has it for amd64, too.
        Bundle::simple(
            "bench",
            "0.1.5",
            &[("bench", "docker.io", "demo/bench", "0.4.0", &Image::new("amd64", "bench"))],
        ),
        mesh(architecture),
        Bundle { chart: "base".into(), version: "1.17.1".into(), ..Bundle::default() },
    ];
    if architecture != "amd64" {
        bundles.retain(|bundle| bundle.chart != "queue");
    }
    let mut entries: Vec<Entry> = bundles
        .iter()
        .map(|bundle| Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar()))
        .collect();
    entries.push(Entry::file("./charts-syncer", "#!/bin/sh\n"));
    gzip(&tar(&entries))
}

/// One registry key for several images, literal path and tag text, values in a subchart.
fn mesh(architecture: &str) -> Bundle {
    let (proxy, pilot) = (Image::new(architecture, "proxy"), Image::new(architecture, "pilot"));
    Bundle {
        chart: "mesh".into(),
        version: "2.9.0+3".into(),
        hints: "# two images of one hub\n\
                - \"{{ .core.hub }}/{{ .core.path }}/proxy:{{ .core.tag }}-ubuntu\"\n\
                - \"{{ .core.hub }}/{{ .core.path }}/pilot:{{ .core.tag }}\"\n\
                - \"{{ .core.hub }}/{{ .core.path }}/pilot:{{ .core.tag }}\"\n"
            .into(),
        values: "core:\n  hub: m.daocloud.io/docker.io # 镜像\n".into(),
        files: vec![
            ("charts/core/Chart.yaml".into(), "name: core\nversion: 0.1.0\n".into()),
            ("charts/core/values.yaml".into(), "hub: docker.io\npath: mesh\ntag: v1\n".into()),
        ],
        images: Some(images_tar(&[
            ("m.daocloud.io/docker.io/mesh/pilot:v1", &pilot),
            ("m.daocloud.io/docker.io/mesh/proxy:v1-ubuntu", &proxy),
        ])),
    }
}
