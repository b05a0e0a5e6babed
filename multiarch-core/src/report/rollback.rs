//! What a rollback does with each tag, before and after it was done.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    chart::TargetName,
    error::{Error, Printable},
    image::{Digest, Document},
    plan::table,
    run::Context,
    store::ImageStore,
};

/// What a user allows a rollback to do beyond putting back what no other writer has changed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct RollbackOptions {
    /// Also put back tags that another writer has changed since. What they hold now is no longer at the tag.
    pub even_changed: bool,
    /// Also remove tags that the import has made, where the target removes tags.
    pub remove_new: bool,
}

/// Puts the tags back that an import has written, as a [`Snapshot`](crate::Snapshot) says. It serialises to JSON of
/// the schema [`Rollback::SCHEMA`], and prints as a table. Before [`Rollback::apply`] it says what would be done,
/// after it what was done.
///
/// ```
/// use multiarch_core::{Import, RollbackOptions, Target};
/// # let folder = tempfile::tempdir().expect("a folder");
/// # std::env::set_current_dir(folder.path()).expect("there");
/// # for arch in ["amd64", "arm64"] {
/// #     let bytes = multiarch_generator::demo_package(arch);
/// #     std::fs::write(format!("addon-{arch}.tar.gz"), bytes).expect("written");
/// # }
/// let import = |package| Import::into(Target::open("oci:store")?).package(package).plan();
/// import("addon-amd64.tar.gz")?.apply();
/// let plan = import("addon-arm64.tar.gz")?;
/// let snapshot = plan.snapshot(); // a value to be saved as JSON, before anything is written
/// let snapshot = snapshot.completed(&plan.apply());
///
/// let back = Import::into(Target::open("oci:store")?);
/// let rollback = back.rollback(&snapshot, RollbackOptions::default())?;
/// println!("{rollback}"); // nothing is written yet
/// assert!(rollback.apply().complete);
/// # Ok::<(), multiarch_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Rollback {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// The tags, sorted by name.
    pub tags: Vec<RollbackTag>,
    /// The charts that the import uploaded, which stay where they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<String>,
    /// True where every tag holds, or will hold, what the user asked for.
    pub complete: bool,
    /// The target, and what carries it out.
    #[serde(skip)]
    pub(crate) live: Return,
}

/// What carries a rollback out.
#[derive(Clone)]
pub(crate) struct Return {
    pub(crate) images: Arc<dyn ImageStore>,
    pub(crate) context: Context,
}

impl fmt::Debug for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Return")
    }
}

/// One tag of a rollback.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RollbackTag {
    /// The name.
    pub name: TargetName,
    /// What it held before the import; `None` where it did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What it holds now; `None` where it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Digest>,
    /// What is done with it.
    pub state: RollbackState,
    /// What the target no longer has of what the tag held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Digest>,
    /// Why it could not be read or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// What it held.
    #[serde(skip)]
    pub(crate) document: Option<Document>,
}

/// What a rollback does with a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RollbackState {
    /// It holds what it held before the import.
    AsBefore,
    /// It will be put back.
    ToPutBack,
    /// It was put back.
    PutBack,
    /// Another writer has changed it since the import; it stays.
    ChangedSince,
    /// The target no longer has what it held; it stays.
    Gone,
    /// The import made it; it stays.
    New,
    /// The import made it; it will be removed.
    ToRemove,
    /// The import made it; it was removed.
    Removed,
    /// It could not be read or written.
    Failed,
}

impl RollbackState {
    fn is_done(self) -> bool {
        !matches!(self, Self::ChangedSince | Self::Gone | Self::Failed)
    }

    fn text(self) -> &'static str {
        match self {
            Self::AsBefore => "as before",
            Self::ToPutBack => "to put back",
            Self::PutBack => "put back",
            Self::ChangedSince => "CHANGED SINCE",
            Self::Gone => "GONE",
            Self::New => "new, stays",
            Self::ToRemove => "to remove",
            Self::Removed => "removed",
            Self::Failed => "FAILED",
        }
    }
}

impl Rollback {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.rollback/v1";

    pub(crate) fn new(
        target: String,
        charts: Vec<String>,
        tags: Vec<RollbackTag>,
        live: Return,
    ) -> Self {
        let complete = tags.iter().all(|tag| tag.state.is_done());
        Self { schema: Self::SCHEMA, target, tags, charts, complete, live }
    }

    /// Errors of single tags.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.tags.iter().filter_map(|tag| tag.error.as_ref())
    }

    fn count(&self, state: RollbackState) -> usize {
        self.tags.iter().filter(|tag| tag.state == state).count()
    }
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &Option<Digest>| {
            digest.as_ref().map_or_else(|| "absent".into(), |d| d.to_string()[..19].to_owned())
        };
        let mut rows =
            vec![["TAG", "IMAGE", "NOW", "BEFORE THE IMPORT"].map(String::from).to_vec()];
        rows.extend(self.tags.iter().map(|tag| {
            let mut before = short(&tag.before);
            if !tag.missing.is_empty() {
                let missing: Vec<String> = tag.missing.iter().map(|d| d.to_string()).collect();
                before.push_str(&format!(" (without {})", missing.join(", ")));
            }
            vec![tag.state.text().into(), tag.name.to_string(), short(&tag.now), before]
        }));
        table(f, &rows)?;
        let counts = [
            (RollbackState::ToPutBack, "to put back"),
            (RollbackState::PutBack, "put back"),
            (RollbackState::AsBefore, "as before"),
            (RollbackState::ToRemove, "to remove"),
            (RollbackState::Removed, "removed"),
            (RollbackState::New, "new, which stay"),
            (RollbackState::ChangedSince, "changed since, which stay"),
            (RollbackState::Gone, "whose images are gone, which stay"),
            (RollbackState::Failed, "failed"),
        ];
        let counts = counts.into_iter().map(|(state, text)| (self.count(state), text));
        let counts: Vec<String> =
            counts.filter(|(n, _)| *n > 0).map(|(n, text)| format!("{n} {text}")).collect();
        let (tags, target) = (self.tags.len(), Printable(&self.target));
        writeln!(f, "\n{tags} tags in {target}: {}", counts.join(", "))
    }
}
