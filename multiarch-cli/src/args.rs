//! The words of the command line. Parsing touches nothing.

mod shared;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

pub(crate) use shared::{Connection, NamingArgs, Show, Style, To, Work};

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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn words_are_consistent() {
        Args::command().debug_assert();
    }
}
