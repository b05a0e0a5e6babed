//! The words of the command line. Parsing touches nothing.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use multiarch_core::{
    Result,
    apply::Cancel,
    fuse::{ConflictPolicy, IndexMode},
    plan::Options,
    target::{Target, registry::RegistryOptions},
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

Credentials come from docker's or podman's configuration (credential helpers included), or from
MULTIARCH_USERNAME and MULTIARCH_PASSWORD.")]
    Import(Import),
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
  multiarch status addon-amd64.tar.gz --to oci:store")]
    Status(Status),
}

impl Verb {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Import(verb) => verb.work.show.json,
            Self::Plan(verb) => verb.work.show.json,
            Self::Apply(verb) => verb.show.json,
            Self::Inspect(verb) => verb.show.json,
            Self::Status(verb) => verb.show.json,
        }
    }
}

/// What an import and its plan have in common.
#[derive(Debug, ClapArgs)]
pub(crate) struct Work {
    /// Packages: files or directories, any number, any mix of architectures, in any order
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) to: To,
    #[command(flatten)]
    pub(crate) fusion: Fusion,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) work: Work,
    /// Count findings, such as an image of another architecture than its package says, as failures
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
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
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct To {
    /// Where images go: docker://HOST:PORT/PATH (port and path may be left out, and https://, http://
    /// or nothing may stand in front), or oci:DIR, an OCI layout directory, which is created where it is missing
    #[arg(long = "to", value_name = "TARGET")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Connection {
    /// Trust these certificates, too, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Do not verify this host's certificate, and let it speak plain HTTP
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) insecure: Vec<String>,
    /// How many requests are made at once
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

impl To {
    /// Opens the target; nothing is sent yet.
    pub(crate) fn open(&self, cancel: &Cancel) -> Result<Target> {
        self.connection.open(&self.target, cancel)
    }
}

impl Connection {
    pub(crate) fn open(&self, target: &str, cancel: &Cancel) -> Result<Target> {
        let mut options = RegistryOptions::default();
        options.ca_files.clone_from(&self.ca);
        options.insecure_hosts.clone_from(&self.insecure);
        options.cancel = cancel.clone();
        Target::open(target, options)
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
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

impl Fusion {
    pub(crate) fn options(&self, jobs: Option<NonZeroUsize>) -> Options {
        let mut options = Options::default();
        options.jobs = jobs;
        options.fuse.on_conflict = match self.on_conflict {
            OnConflict::Incoming => ConflictPolicy::Incoming,
            OnConflict::Existing => ConflictPolicy::Existing,
            OnConflict::Fail => ConflictPolicy::Fail,
        };
        options.fuse.index = match self.index {
            Index::WhenNeeded => IndexMode::WhenNeeded,
            Index::Always => IndexMode::Always,
        };
        options
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
