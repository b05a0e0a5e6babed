//! The command line. Parsing it has no effects.

mod selection;
mod shared;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use selection::SelectionArgs;
pub(crate) use shared::{Color, Connection, Keep, NamingArgs, Show, Style, To, Work, folder};

/// Fuse single-architecture offline packages into multi-architecture images; no architecture is lost
#[derive(Debug, Parser)]
#[command(
    name = "multiarch",
    version,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 everything asked for is in the target, or nothing is wrong with it; 1 something is not; 2 wrong use, and
nothing was written."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Import packages into a target, fusing them with the images that it already has
    #[command(after_help = "\
Examples:
  multiarch import addon-amd64.tar.gz addon-arm64.tar.gz --to oci:store
  multiarch import addon-arm64.tar.gz --to docker://harbor.example.com/platform --json > report.json
  multiarch import addon-arm64.tar.gz --to registry.example.com --charts-to http://charts.example.com:8081
  multiarch import -c clusterConfig.yaml
  multiarch import addon-arm64.tar.gz --to oci:store --charts 'insight*' --charts '!insight-agent'

Credentials come from docker's or podman's configuration (credential helpers included), from
MULTIARCH_USERNAME and MULTIARCH_PASSWORD (for charts first MULTIARCH_CHARTS_USERNAME and
MULTIARCH_CHARTS_PASSWORD), or from clusterConfig.yaml.")]
    Import(Import),
    /// Fuse packages into an earlier import, with the installer's own command line
    #[command(after_help = "\
Example:
  multiarch import-addon -c clusterConfig.yaml --addon-path=addon-offline-full-package-v0.9.0-arm64.tar.gz")]
    ImportAddon(ImportAddon),
    /// Import the packages that clusterConfig.yaml names, with the installer's own command line; nothing
    /// else of a cluster is created
    #[command(after_help = "\
Example:
  multiarch cluster-create -c clusterConfig.yaml -m manifest.yaml -d -j13")]
    ClusterCreate(ClusterCreate),
    /// Import the images of the installer's base package, with the installer's own command line; its files and
    /// its packages of the operating system stay where they are
    #[command(after_help = "\
Example:
  multiarch import-artifact -c clusterConfig.yaml --offline-path=offline-v0.44.0-arm64.tar")]
    ImportArtifact(ImportArtifact),
    /// Check what an import needs, without writing anything: servers and logins, projects, rights, quota, space
    #[command(after_help = "\
Examples:
  multiarch check addon-arm64.tar.gz --to docker://harbor.example.com --charts-to http://charts.example.com
  multiarch check --to registry.example.com

Every import begins with the same checks. Without packages, only the servers and the logins are checked.")]
    Check(Check),
    /// Show what an import would do, without writing anything
    #[command(after_help = "\
Examples:
  multiarch plan addon-arm64.tar.gz --to oci:store
  multiarch plan addon-arm64.tar.gz --to oci:store -o plan.json && multiarch apply plan.json")]
    Plan(Plan),
    /// Apply a saved plan, if a new plan would still be the same
    #[command(after_help = "Example:\n  multiarch apply plan.json")]
    Apply(Apply),
    /// Look for what is wrong with a target: lost images and layers, collapsed tags, images that no node can run,
    /// charts that name what is not there
    #[command(after_help = "\
Examples:
  multiarch doctor --to docker://harbor.example.com --charts-to http://charts.example.com
  multiarch doctor addon-amd64.tar.gz addon-arm64.tar.gz --to registry.example.com --repair

With packages, tags are also compared with what the packages hold. --repair puts back what is missing and the packages
hold, and removes nothing. Exit code: 1 where a node cannot pull or run what it should, otherwise 0.")]
    Doctor(Doctor),
    /// Put the tags back that an import has written, as the snapshot says that it kept before
    #[command(after_help = "\
Examples:
  multiarch rollback snapshot.json --dry-run
  multiarch rollback snapshot.json

An import names the file of its snapshot at its end; where none is named to it, it keeps the last 20 in
$XDG_STATE_HOME/multiarch/snapshots, or ~/.local/state/multiarch/snapshots. Tags that another writer has changed since stay as they are, and so
do tags that the import has made, and charts.")]
    Rollback(Rollback),
    /// Show what packages contain
    #[command(after_help = "Example:\n  multiarch inspect addon-amd64.tar.gz")]
    Inspect(Inspect),
    /// Show which architectures each image and each chart has in a target
    #[command(after_help = "\
Examples:
  multiarch status --to oci:store
  multiarch status addon-amd64.tar.gz --to docker://harbor.example.com
  multiarch status --to registry.example.com --charts-to http://charts.example.com:8081")]
    Status(Status),
    /// Call a function of the C library, for programs that run this command instead of linking it: standard
    /// input is a JSON object with the documents `options`, `plan` (for apply) and `text` (for config), standard
    /// output the result, or an error
    #[command(after_help = "\
Example:
  echo '{\"options\": {\"target\": \"oci:store\"}}' | multiarch call status

The documents are those of multiarch.h; what is read holds logins, which so are in no list of processes.")]
    Call(Call),
    /// Write manual pages, or completions for a shell
    #[command(after_help = "\
Examples:
  multiarch generate man man1
  multiarch generate bash > /etc/bash_completion.d/multiarch")]
    Generate(Generate),
}

impl Verb {
    /// How its result is shown; `None` for a verb whose result is always JSON, or for no one to read.
    pub(crate) fn show(&self) -> Option<&Show> {
        Some(match self {
            Self::Import(verb) => &verb.work.show,
            Self::ImportAddon(verb) => &verb.work.show,
            Self::ClusterCreate(verb) => &verb.work.show,
            Self::ImportArtifact(verb) => &verb.work.show,
            Self::Check(verb) => &verb.work.show,
            Self::Plan(verb) => &verb.work.show,
            Self::Apply(verb) => &verb.show,
            Self::Doctor(verb) => &verb.work.show,
            Self::Rollback(verb) => &verb.show,
            Self::Inspect(verb) => &verb.show,
            Self::Status(verb) => &verb.show,
            Self::Call(_) | Self::Generate(_) => return None,
        })
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Import {
    /// Packages: files or directories, any number, any mix of architectures, in any order; by default
    /// those that clusterConfig.yaml names
    #[arg(required_unless_present = "config", value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) keep: Keep,
    /// Fail on findings, such as an image of another architecture than its package declares
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportAddon {
    /// A package to fuse into an earlier import; may be given several times
    #[arg(long, required = true, value_name = "PACKAGE")]
    pub(crate) addon_path: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) installer: Installer,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ClusterCreate {
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) installer: Installer,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArtifact {
    /// A base package whose images are imported: its file, or the folder that it was unpacked to; may be
    /// given several times
    #[arg(long, required = true, value_name = "PACKAGE")]
    pub(crate) offline_path: Vec<PathBuf>,
    /// An image of the operating system's installation disk; no effect
    #[arg(long, value_name = "FILE")]
    pub(crate) iso_path: Vec<PathBuf>,
    /// Packages of the operating system; no effect
    #[arg(long, value_name = "FILE")]
    pub(crate) os_pkgs_path: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) installer: Installer,
}

/// The installer's options, accepted so that its command lines work; only `--debug` has an effect.
#[derive(Debug, ClapArgs)]
pub(crate) struct Installer {
    /// The installer's list of components; no effect
    #[arg(short, long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Print where images and charts go
    #[arg(short, long)]
    pub(crate) debug: bool,
    /// The installer's steps; no effect
    #[arg(short = 'j', value_name = "STEPS")]
    pub(crate) steps: Option<String>,
    /// Always on; no effect
    #[arg(long, hide = true)]
    pub(crate) multi_arch: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    /// Packages: files or directories, any number, any mix of architectures, in any order; by default
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
pub(crate) struct Check {
    /// Packages: files or directories, any number, any mix of architectures, in any order
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
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
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Packages that the target should hold
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    /// Put back what is missing and the packages hold
    #[arg(long, requires = "packages")]
    pub(crate) repair: bool,
    /// Look into layers of at most 16 MiB for the architecture of their programs; always done in a directory
    #[arg(long)]
    pub(crate) elf: bool,
    /// Fail on warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) keep: Keep,
    #[command(flatten)]
    pub(crate) work: Work,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rollback {
    /// A snapshot that an import kept
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) snapshot: PathBuf,
    /// Only show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also put back tags that another writer has changed since the import
    #[arg(long)]
    pub(crate) even_changed: bool,
    /// Also remove tags that the import has made, where the target removes tags
    #[arg(long)]
    pub(crate) remove_new: bool,
    /// The clusterConfig.yaml that the import was made with, for its credentials
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
    /// Look into the layers of every image for the architecture of its programs
    #[arg(long)]
    pub(crate) elf: bool,
    #[command(flatten)]
    pub(crate) select: SelectionArgs,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Packages whose charts are shown, too
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) to: To,
    #[command(flatten)]
    pub(crate) naming: NamingArgs,
    /// Ask for every layer of the images that the tags list, too
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) select: SelectionArgs,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Generate {
    /// What
    #[command(subcommand)]
    pub(crate) what: Generated,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Generated {
    /// A manual page for each verb, into a folder
    Man {
        /// The folder, which is created if it is missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Completions for bash, to standard output
    Bash,
    /// Completions for zsh, to standard output
    Zsh,
    /// Completions for fish, to standard output
    Fish,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Call {
    /// The function
    #[arg(value_enum)]
    pub(crate) function: Function,
    /// How progress is shown on standard error
    #[arg(long, value_enum, default_value_t = Style::None, value_name = "STYLE")]
    pub(crate) progress: Style,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Function {
    /// What the library can do
    Capabilities,
    /// Check options
    OptionsCheck,
    /// The options that a clusterConfig.yaml means
    Config,
    /// What packages hold
    Inspect,
    /// What the target holds
    Status,
    /// What an import would do
    Plan,
    /// Compare the target with packages
    Verify,
    /// Import packages
    Import,
    /// Do what a plan says
    Apply,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
