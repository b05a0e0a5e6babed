//! The installer's configuration file and commands.

use multiarch_testing::Fault;

use crate::{
    account::ADMIN,
    desk::{Desk, Run, multiarch},
    museum::{Manner, Museum},
    server::{Kind, Server},
};

/// A registry and a ChartMuseum that require passwords, and a desk with the packages.
struct Site {
    desk: Desk,
    server: Server,
    museum: Museum,
}

impl Site {
    fn new() -> Self {
        let desk = Desk::new();
        let server = Server::start(Kind::Debian);
        Self { desk, server, museum: Museum::start(Manner::Locked) }
    }

    fn config(&self, text: &str) -> String {
        let text = text
            .replace("REGISTRY", &self.server.address)
            .replace("ADMIN", ADMIN.name)
            .replace("SECRET", ADMIN.password)
            .replace("MUSEUM", &self.museum.address)
            .replace("AMD64", &self.desk.package("amd64"))
            .replace("ARM64", &self.desk.package("arm64"));
        self.desk.write("clusterConfig.yaml", text)
    }

    fn run(&self, words: &[&str]) -> Run {
        self.desk.run(words)
    }

    fn platforms(&self, name: &str) -> usize {
        self.server.manifest(name).matches("\"architecture\"").count().max(1)
    }
}

const EXTERNAL: &str = "\
apiVersion: provision.daocloud.io/v1alpha3
kind: ClusterConfig
metadata:
spec:
  clusterName: my-cluster
  masterNodes:
    - nodeName: \"g-master1\"
  imagesAndCharts:
    type: external
    externalImageRepo: http://REGISTRY
    externalImageRepoUsername: ADMIN
    externalImageRepoPassword: SECRET
    externalChartRepoType: chartmuseum
    externalChartRepo: http://MUSEUM
    externalChartRepoUsername: rootuser
    externalChartRepoPassword: rootpass123
  addonPackage:
    path: \"AMD64\"
";

#[test]
fn the_manuals_two_commands() {
    let site = Site::new();
    let config = site.config(EXTERNAL);
    let created = site.run(&["cluster-create", "-c", &config, "-m", "manifest.yaml", "-d", "-j13"]);
    assert_eq!(created.code, Some(0), "{}", created.err);
    assert!(created.err.contains("only the addon packages are imported"), "{}", created.err);
    assert!(created.err.contains(&site.museum.address), "{}", created.err);
    assert!(!created.err.contains("rootpass123") && !created.out.contains("rootpass123"));
    assert_eq!((site.platforms("demo/web:v1.2.0"), site.museum.writes()), (1, 5));
    let path = format!("--addon-path={}", site.desk.package("arm64"));
    let fused = site.run(&["import-addon", "-c", &config, &path]);
    assert_eq!(fused.code, Some(0), "{}", fused.err);
    assert_eq!((site.platforms("demo/web:v1.2.0"), site.museum.writes()), (2, 5));
    // The manual misspells the command like this.
    let again = site.run(&["import", "-addon", "-c", &config, &path, "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(again.json()["tags_written"], 0);
    let status = site.run(&["status", "-c", &config, "--json"]).json();
    let charts = status["charts"].as_array().expect("charts");
    let web = charts.iter().find(|chart| chart["chart"] == "web-1.2.0").expect("web");
    assert_eq!(web["all_images_for"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_spelling_of_the_file() {
    for (what, text) in [
        ("a list of packages", EXTERNAL.replace("path: \"AMD64\"", "path: [\"AMD64\", ARM64]")),
        ("the older key", EXTERNAL.replace("addonPackage:\n    path:", "addonOfflinePackagePath:")),
        ("everything at the top", EXTERNAL.replace("spec:\n", "").replace("\n  ", "\n")),
        ("v1alpha1", EXTERNAL.replace("v1alpha3", "v1alpha1")),
        (
            "the other spelling of the credentials",
            EXTERNAL
                .replace("externalChartRepoUsername", "externalChartUsername")
                .replace("externalChartRepoPassword", "externalChartMuseumPassword"),
        ),
        ("CRLF", EXTERNAL.replace('\n', "\r\n")),
    ] {
        let site = Site::new();
        let config = site.config(&text);
        let run = site.run(&["import", "-c", &config, "-q"]);
        assert_eq!(run.code, Some(0), "{what}: {}", run.err);
        assert_eq!(site.museum.writes(), 5, "{what}");
        let platforms = if what.starts_with("a list") { 2 } else { 1 };
        assert_eq!(site.platforms("demo/web:v1.2.0"), platforms, "{what}");
    }
}

#[test]
fn flags_win_over_the_file() {
    let site = Site::new();
    let config = site.config(EXTERNAL);
    let target = site.desk.target();
    let arm64 = site.desk.package("arm64");
    let words = ["import", &arm64, "-c", &config, "--to", &target, "--json", "-q"];
    let run = site.run(&words);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.json()["target"], target);
    assert_eq!(
        site.museum.writes(),
        0,
        "the file's chart repository belongs to the file's registry"
    );
    let run = site.run(&["plan", "-c", &config, "--charts-to", "dir:charts", "--json", "-q"]);
    assert_eq!(run.json()["charts_to"], "dir:charts", "{}", run.err);
}

/// The builtin services run on the bootstrap node, and are identified by its ports.
#[test]
fn builtin() {
    let site = Site::new();
    let port = |address: &str| address.rsplit(':').next().expect("a port").to_owned();
    let text = format!(
        "kind: ClusterConfig\nspec:\n  imagesAndCharts: {{type: buitin}}\n  bootstrapNode: 127.0.0.1\n  \
         tinderKind: {{registryPort: {}, chartmuseumPort: {}}}\n  addonPackage: {{path: AMD64}}\n",
        port(&site.server.address),
        port(&site.museum.address),
    );
    let config = site.config(&text);
    let run = site.run(&["import", "-c", &config, "-q"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!((site.platforms("demo/web:v1.2.0"), site.museum.writes()), (1, 5));
}

#[test]
fn wrong_files_say_what_is_wrong_and_where() {
    let site = Site::new();
    for (what, text, said) in [
        ("no YAML", "a: [".into(), "no YAML"),
        ("another kind", EXTERNAL.replace("ClusterConfig", "Manifest"), ".kind"),
        (
            "another type",
            EXTERNAL.replace("type: external", "type: extern"),
            ".spec.imagesAndCharts.type",
        ),
        (
            "no registry",
            EXTERNAL.replace("externalImageRepo:", "imageRepo:"),
            ".spec.imagesAndCharts.externalImageRepo is missing",
        ),
        (
            "nowhere",
            EXTERNAL.replace("imagesAndCharts", "other"),
            ".spec.imagesAndCharts is missing",
        ),
        (
            "no package",
            EXTERNAL.replace("addonPackage", "other"),
            ".spec.addonPackage.path is missing",
        ),
        (
            "the vendor's service",
            EXTERNAL.replace("type: external", "type: official-service"),
            "official-service",
        ),
        (
            "half a credential",
            EXTERNAL.replace("    externalChartRepoUsername: rootuser\n", ""),
            ".spec.imagesAndCharts.externalChartRepoUsername is missing",
        ),
        (
            "jfrog",
            EXTERNAL.replace("chartmuseum", "jfrog"),
            ".spec.imagesAndCharts.externalChartRepoType",
        ),
    ] {
        let config = site.config(&text);
        let run = site.run(&["import", "-c", &config]);
        assert_eq!(run.code, Some(2), "{what}: {}", run.err);
        assert!(
            run.err.contains(said) && run.err.contains("clusterConfig.yaml"),
            "{what}: {}",
            run.err
        );
        assert!(!run.err.contains(ADMIN.password), "{what}: {}", run.err);
    }
    assert_eq!(site.run(&["import-addon", "-c", "nowhere.yaml", "--addon-path=x"]).code, Some(2));
    assert_eq!(site.run(&["import-addon", "--addon-path=x"]).code, Some(2));
    assert_eq!(site.museum.writes(), 0);
}

#[test]
fn the_files_password_is_used_and_the_environment_wins() {
    let desk = Desk::new();
    let server = Server::protected(Kind::Debian, |_| Fault::Nothing);
    let museum = Museum::start(Manner::Locked);
    let site = Site { desk, server, museum };
    let config = site.config(EXTERNAL);
    let words = ["import", "-c", &config, "-q"];
    let run = site.run(&words);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let wrong = Run::of(
        multiarch().args(words).env("MULTIARCH_USERNAME", "nobody").env("MULTIARCH_PASSWORD", "x"),
    );
    assert_eq!(wrong.code, Some(1), "{}", wrong.err);
}
