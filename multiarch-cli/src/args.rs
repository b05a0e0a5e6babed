//! The words of the command line. Parsing touches nothing.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use multiarch_core::{
    Result,
    chart::{NameMode, Naming},
    fuse::{ConflictPolicy, IndexMode},
    plan::Options,
};

/// Make what offline packages install multi-architecture, without ever losing an architecture.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Bring packages into a target, fused with what is there
    #[command(after_help = "\
Examples:
  multiarch import addon-amd64.tar.gz addon-arm64.tar.gz --to oci:store
  multiarch import addon-arm64.tar.gz --to docker://harbor.example.com/platform --json > report.json
  multiarch import addon-arm64.tar.gz --to registry.example.com --charts-to http://charts.example.com:8081
  multiarch import -c clusterConfig.yaml

Credentials come from docker's or podman's configuration (credential helpers included), from
MULTIARCH_USERNAME and MULTIARCH_PASSWORD (for charts first MULTIARCH_CHARTS_USERNAME and
MULTIARCH_CHARTS_PASSWORD), or from clusterConfig.yaml.")]
    Import(Import),
    /// Fuse packages into what an earlier import brought, in the installer's own words
    #[command(after_help = "\
Example:
  multiarch import-addon -c clusterConfig.yaml --addon-path=addon-offline-full-package-v0.9.0-arm64.tar.gz")]
    ImportAddon(ImportAddon),
    /// Import the packages that clusterConfig.yaml names, in the installer's own words: nothing else of
    /// a cluster is created
    #[command(after_help = "\
Example:
  multiarch cluster-create -c clusterConfig.yaml -m manifest.yaml -d -j13")]
    ClusterCreate(ClusterCreate),
    /// Show what an import would do, and write nothing
    #[command(after_help = "\
Examples:
  multiarch plan addon-arm64.tar.gz --to oci:store
  multiarch plan addon-arm64.tar.gz --to oci:store -o plan.json && multiarch apply plan.json")]
    Plan(Plan),
    /// Do what a saved plan says, if it would still be the same
    #[command(after_help = "Example:\n  multiarch apply plan.json")]
    Apply(Apply),
    /// Show what packages hold
    #[command(after_help = "Example:\n  multiarch inspect addon-amd64.tar.gz")]
    Inspect(Inspect),
    /// Show what a target holds: image by architecture, and chart by architecture
    #[command(after_help = "\
Examples:
  multiarch status --to oci:store
  multiarch status addon-amd64.tar.gz --to docker://harbor.example.com
  multiarch status --to registry.example.com --charts-to http://charts.example.com:8081")]
    Status(Status),
}

impl Verb {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Import(verb) => verb.work.show.json,
            Self::ImportAddon(verb) => verb.work.show.json,
            Self::ClusterCreate(verb) => verb.work.show.json,
            Self::Plan(verb) => verb.work.show.json,
            Self::Apply(verb) => verb.show.json,
            Self::Inspect(verb) => verb.show.json,
            Self::Status(verb) => verb.show.json,
        }
    }
}

/// What every import and its plan have in common.
#[derive(Debug, ClapArgs)]
pub(crate) struct Work {
    #[command(flatten)]
    pub(crate) to: To,
    #[command(flatten)]
    pub(crate) naming: NamingArgs,
    #[command(flatten)]
    pub(crate) fusion: Fusion,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Import {
    /// Packages: files or directories, any number, any mix of architectures, in any order; without,
    /// those that clusterConfig.yaml names
    #[arg(required_unless_present = "config", value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    /// Count findings, such as an image of another architecture than its package says, as failures
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportAddon {
    /// A package to fuse into what is there; may be given several times
    #[arg(long, required = true, value_name = "PACKAGE")]
    pub(crate) addon_path: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) installer: Installer,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ClusterCreate {
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) installer: Installer,
}

/// Words of the installer that change nothing here.
#[derive(Debug, ClapArgs)]
pub(crate) struct Installer {
    /// The installer's list of components; the addon part does not need it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Say where images and charts go
    #[arg(short, long)]
    pub(crate) debug: bool,
    /// Steps of the installer; no effect
    #[arg(short = 'j', value_name = "STEPS")]
    pub(crate) steps: Option<String>,
    /// Always so; no effect
    #[arg(long, hide = true)]
    pub(crate) multi_arch: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// Packages: files or directories, any number, any mix of architectures, in any order; without,
    /// those that clusterConfig.yaml names
    #[arg(required_unless_present = "config", value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    /// Save the plan as JSON, for `multiarch apply`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Apply {
    /// A plan that `multiarch plan -o` saved
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// The clusterConfig.yaml that the plan was made with, for its credentials
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// Packages: files or directories
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Packages whose charts are to be shown, too
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) to: To,
    #[command(flatten)]
    pub(crate) naming: NamingArgs,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct To {
    /// Where images go: docker://HOST:PORT/PATH (port and path may be left out, and https://, http://
    /// or nothing may stand in front), or oci:DIR, an OCI layout directory, which is created where it is missing
    #[arg(long = "to", required_unless_present = "config", value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, recognised), or
    /// dir:DIR; without, charts are not uploaded
    #[arg(long, value_name = "REPO")]
    pub(crate) charts_to: Option<String>,
    /// The installer's clusterConfig.yaml: packages, target and chart repository where they are not
    /// given here, and credentials
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What images are called.
#[derive(Debug, ClapArgs)]
pub(crate) struct NamingArgs {
    /// How the names of images follow from their original ones
    #[arg(long, value_enum, default_value_t = Names::Registry)]
    pub(crate) names: Names,
    /// The path for --names repository and prefix-repository
    #[arg(long, value_name = "PATH")]
    pub(crate) repository: Option<String>,
    /// Where the cluster pulls images from, if not by the target's own address: charts name it
    #[arg(long, value_name = "HOST[:PORT][/PATH]")]
    pub(crate) registry: Option<String>,
    /// Replace charts of the same name and version
    #[arg(long)]
    pub(crate) overwrite_charts: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Names {
    /// quay.io/a/b becomes HOST/a/b
    Registry,
    /// quay.io/a/b becomes HOST/PATH/b
    Repository,
    /// quay.io/a/b becomes HOST/PATH/a/b
    PrefixRepository,
    /// quay.io/a/b becomes HOST/quay.io/a/b
    PrefixRegistry,
    /// As prefix-registry, written into the charts' registry values alone
    AppendOrigin,
}

impl NamingArgs {
    pub(crate) fn naming(&self) -> Result<Naming> {
        let mode = match self.names {
            Names::Registry => NameMode::Registry,
            Names::Repository => NameMode::Repository,
            Names::PrefixRepository => NameMode::PrefixRepository,
            Names::PrefixRegistry => NameMode::PrefixRegistry,
            Names::AppendOrigin => NameMode::AppendOrigin,
        };
        Naming::new(mode, self.repository.as_deref())
    }
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Connection {
    /// Trust these certificates, too, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Do not verify this host's certificate, and let it speak plain HTTP
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) insecure: Vec<String>,
    /// At most so many requests at once to one server; without, 16, and fewer where it refuses more
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How progress is shown, on standard error
    #[arg(long, value_enum, default_value_t = Style::Auto, value_name = "STYLE")]
    progress: Style,
    /// Keep no index of the packages for the next run
    #[arg(long)]
    pub(crate) no_cache: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Style {
    /// A bar on a terminal, lines otherwise
    Auto,
    /// A line every ten seconds
    Lines,
    /// A JSON object a line, every second
    Json,
    /// Not at all, as with --quiet
    None,
}

impl Show {
    pub(crate) fn style(&self) -> Style {
        if self.quiet { Style::None } else { self.progress }
    }

    /// Where indexes of packages are kept: the user's cache folder.
    pub(crate) fn cache(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        let set =
            |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
        folder.is_absolute().then(|| folder.join("multiarch"))
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Fusion {
    /// What happens where a tag holds another image for an incoming platform
    #[arg(long, value_enum, default_value_t = OnConflict::Incoming)]
    pub(crate) on_conflict: OnConflict,
    /// When a single image is written as an index of one
    #[arg(long, value_enum, default_value_t = Index::WhenNeeded)]
    pub(crate) index: Index,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnConflict {
    /// The incoming image replaces it, for that platform alone
    Incoming,
    /// What is there stays
    Existing,
    /// That image is left alone, and the run fails
    Fail,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Index {
    /// Once there are two platforms
    WhenNeeded,
    /// From the start
    Always,
}

impl Work {
    pub(crate) fn options(&self) -> Result<Options> {
        let mut options = Options::default();
        options.names = self.naming.naming()?;
        options.registry.clone_from(&self.naming.registry);
        options.overwrite_charts = self.naming.overwrite_charts;
        options.jobs = self.to.connection.jobs;
        options.fuse.on_conflict = match self.fusion.on_conflict {
            OnConflict::Incoming => ConflictPolicy::Incoming,
            OnConflict::Existing => ConflictPolicy::Existing,
            OnConflict::Fail => ConflictPolicy::Fail,
        };
        options.fuse.index = match self.fusion.index {
            Index::WhenNeeded => IndexMode::WhenNeeded,
            Index::Always => IndexMode::Always,
        };
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn words_are_consistent() {
        Args::command().debug_assert();
    }
}
