//! The words that several verbs share.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use multiarch_core::{ConflictPolicy, IndexMode, NameMode, Naming, Options, Result};

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
