//! The options that several verbs share.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args as ClapArgs, ValueEnum};
use multiarch_core::{ConflictPolicy, IndexMode, NameMode, Naming, Options, Result};

use super::SelectionArgs;

/// The options of `import`, `plan`, and the installer's verbs.
#[derive(Debug, ClapArgs)]
pub(crate) struct Work {
    #[command(flatten)]
    pub(crate) to: To,
    #[command(flatten)]
    pub(crate) naming: NamingArgs,
    #[command(flatten)]
    pub(crate) select: SelectionArgs,
    #[command(flatten)]
    pub(crate) fusion: Fusion,
    #[command(flatten)]
    pub(crate) show: Show,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct To {
    /// Where images go: docker://HOST:PORT/PATH (port, path and docker:// may be left out;
    /// https:// and http:// are understood), or oci:DIR, an OCI layout directory, which is created if it is
    /// missing
    #[arg(long = "to", required_unless_present = "config", value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// Where charts go: oci://HOST/PATH, http(s)://HOST/PATH (ChartMuseum or Harbor, detected), or
    /// dir:DIR; by default charts are not uploaded. Where each folder of a package has a chart repository
    /// of its own, an address with {folder} in it, or FOLDER=REPO several times
    #[arg(long, value_name = "[FOLDER=]REPO")]
    pub(crate) charts_to: Vec<String>,
    /// The installer's clusterConfig.yaml, for credentials, and for packages, target and chart
    /// repository that are not given here
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// How images are named in the target, and which charts are replaced.
#[derive(Debug, ClapArgs)]
pub(crate) struct NamingArgs {
    /// How the names of images are derived from their original names
    #[arg(long, value_enum, default_value_t = Names::Registry)]
    pub(crate) names: Names,
    /// The path for --names repository and prefix-repository
    #[arg(long, value_name = "PATH")]
    pub(crate) repository: Option<String>,
    /// The registry that charts name, if the cluster does not pull by the target's own address
    #[arg(long, value_name = "HOST[:PORT][/PATH]")]
    pub(crate) registry: Option<String>,
    /// Replace charts of the same name and version in the chart repository
    #[arg(long)]
    pub(crate) overwrite_charts: bool,
    /// Also relocate values that name an image of the package although no hint says so
    #[arg(long)]
    pub(crate) rewrite_unhinted: bool,
    /// Import the images of a chart that cannot be relocated, too, under the names of the mode
    #[arg(long)]
    pub(crate) images_of_blocked_charts: bool,
    /// Render each relocated chart with helm and its default values, and leave it out where it names an
    /// image that is not in the target
    #[arg(long)]
    pub(crate) render: bool,
    /// The helm for --render, by default the one in the PATH
    #[arg(long, value_name = "FILE", requires = "render")]
    pub(crate) helm: Option<PathBuf>,
    /// The name of images that their file does not name, such as those of `docker save ID`; FILE=REF where
    /// there are several such files
    #[arg(long = "name", value_name = "[FILE=]REF")]
    pub(crate) image_names: Vec<String>,
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
    /// Like prefix-registry, but only the charts' registry values change
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
    /// Also trust these certificates, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// Do not verify this host's certificate, and allow plain HTTP
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) insecure: Vec<String>,
    /// Show this certificate, in PEM, to the target and the chart repository where they ask for one
    #[arg(long, value_name = "FILE")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM, if the file with the certificate does not hold it
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Take logins from this file only, in the form of docker's config.json; by default those of podman
    /// and docker are used
    #[arg(long, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,
    /// Send at most N bytes of blobs a second, over all connections; with k, M or G, N thousand, million
    /// or milliard
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(crate) limit_rate: Option<NonZeroU64>,
    /// At most N requests at once to one server, by default 16; fewer if the server refuses that many
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

/// Bytes a second: `500k`, `10M`, `1G`, or a number.
fn rate(text: &str) -> std::result::Result<NonZeroU64, String> {
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        Some((at, 'g' | 'G')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    bytes.and_then(NonZeroU64::new).ok_or_else(|| "a number above 0, such as 500k or 10M".into())
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// List everything, also what stays as it is
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Whether states and errors are coloured; by default on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// How progress is shown on standard error
    #[arg(long, value_enum, default_value_t = Style::Auto, value_name = "STYLE")]
    progress: Style,
    /// Do not keep an index of the packages for the next run
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// The snapshot by which an import can be taken back.
#[derive(Debug, ClapArgs)]
pub(crate) struct Keep {
    /// Where to keep what the tags held before, for `multiarch rollback`; by default in the user's state folder,
    /// where the last 20 are kept
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Keep no snapshot
    #[arg(long, conflicts_with = "snapshot")]
    pub(crate) no_snapshot: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Style {
    /// A bar on a terminal, lines otherwise
    Auto,
    /// A line every ten seconds
    Lines,
    /// A line with a JSON object every second
    Json,
    /// No progress, as with --quiet
    None,
}

impl Show {
    pub(crate) fn style(&self) -> Style {
        if self.quiet { Style::None } else { self.progress }
    }

    /// The folder for indexes of packages, in the user's cache folder; `None` where none may be kept.
    pub(crate) fn cache(&self) -> Option<PathBuf> {
        if self.no_cache { None } else { folder("XDG_CACHE_HOME", ".cache") }
    }
}

/// Our folder in one of the user's ([XDG base directories]): the one that the variable names, or the one at
/// `default` in the home folder.
///
/// [XDG base directories]: https://specifications.freedesktop.org/basedir-spec/0.8/
pub(crate) fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set(variable).or_else(|| Some(set("HOME")?.join(default)))?;
    folder.is_absolute().then(|| folder.join("multiarch"))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Fusion {
    /// What to do if a tag already has another image for an incoming platform
    #[arg(long, value_enum, default_value_t = OnConflict::Incoming)]
    pub(crate) on_conflict: OnConflict,
    /// When to write a single image as an index of one
    #[arg(long, value_enum, default_value_t = Index::WhenNeeded)]
    pub(crate) index: Index,
    /// Ask for every layer of the images that the target lists already, and send what is missing
    #[arg(long)]
    pub(crate) verify: bool,
    /// Give each image of an index a tag of its own, for a registry whose garbage collection deletes
    /// manifests without a tag
    #[arg(long)]
    pub(crate) keep_children_tagged: bool,
    /// Create the projects that the images need and the registry does not have (Harbor)
    #[arg(long)]
    pub(crate) create_projects: bool,
    /// Let everyone pull from the projects that are created; by default only their members may
    #[arg(long, requires = "create_projects")]
    pub(crate) public_projects: bool,
    /// Begin also where a quota, a disk or a read-only mode stands in the way
    #[arg(long)]
    pub(crate) anyway: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnConflict {
    /// The incoming image replaces it, for that platform only
    Incoming,
    /// The existing image stays
    Existing,
    /// The tag stays as it is, and the run fails
    Fail,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Index {
    /// Only when there are two platforms or more
    WhenNeeded,
    /// Always
    Always,
}

impl Work {
    pub(crate) fn options(&self) -> Result<Options> {
        let mut options = Options::default();
        options.names = self.naming.naming()?;
        options.registry.clone_from(&self.naming.registry);
        options.overwrite_charts = self.naming.overwrite_charts;
        options.rewrite_unhinted = self.naming.rewrite_unhinted;
        options.images_of_blocked_charts = self.naming.images_of_blocked_charts;
        options.render = self.naming.render;
        options.helm.clone_from(&self.naming.helm);
        options.image_names.clone_from(&self.naming.image_names);
        options.select = self.select.selection()?;
        options.verify = self.fusion.verify;
        options.keep_children_tagged = self.fusion.keep_children_tagged;
        options.create_projects = self.fusion.create_projects;
        options.public_projects = self.fusion.public_projects;
        options.anyway = self.fusion.anyway;
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
