//! What the administration of a target says before anything is written to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    chart::TargetName,
    error::{Error, Result},
};

/// What a target can say of itself and of its projects beyond its images. A server that says nothing leaves all of
/// it open: what is unknown is no obstacle.
pub(crate) trait Administration: Send + Sync {
    /// Asks for what concerns these repositories, before their tags are read.
    ///
    /// # Errors
    /// Where the target as a whole cannot be asked.
    fn survey(&self, repositories: &BTreeSet<&str>) -> Result<Survey>;

    /// What is known of the right to write to these repositories, without writing.
    ///
    /// # Errors
    /// Where the target as a whole cannot be asked.
    fn push_rights(&self, repositories: &BTreeSet<&str>) -> Result<PushRights> {
        let _ = repositories;
        Ok(PushRights::default())
    }

    /// Those of these tags that a rule keeps as they are; `None` where the login may not ask.
    ///
    /// # Errors
    /// Where the target as a whole cannot be asked.
    fn immutable(&self, tags: &BTreeSet<&TargetName>) -> Result<Option<BTreeSet<TargetName>>> {
        let _ = tags;
        Ok(Some(BTreeSet::new()))
    }

    /// Makes a project, which may be there already.
    ///
    /// # Errors
    /// Where it is not there afterwards.
    fn create_project(&self, project: &str, public: bool) -> Result<()> {
        let (_, _) = (project, public);
        Ok(())
    }
}

/// What is known of the right to write to repositories.
#[derive(Clone, Debug, Default)]
pub(crate) struct PushRights {
    /// Those that the login may not write to, each with the reason.
    pub(crate) refused: BTreeMap<String, Error>,
    /// How many it may write to.
    pub(crate) granted: usize,
}

/// What a target says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// What it is, for people, with its version where that is known.
    pub(crate) kind: String,
    /// It takes no writes at the moment; `None` where it does not say.
    pub(crate) is_read_only: Option<bool>,
    /// It wants a login, and none is known.
    pub(crate) lacks_login: bool,
    /// Only its administrators make projects.
    pub(crate) only_admins_create: bool,
    /// The project of each repository, where the target has projects that a push does not make.
    pub(crate) project_of: BTreeMap<String, String>,
    /// What is known of each project.
    pub(crate) projects: BTreeMap<String, Project>,
    /// The bytes that are free where the target is a directory.
    pub(crate) free_bytes: Option<u64>,
    /// Its garbage collection may delete manifests that only an index lists.
    pub(crate) may_collect_children: bool,
}

/// What is known of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// `None` where that is not known.
    pub(crate) exists: Option<bool>,
    /// The most bytes that it may hold, and those that it holds.
    pub(crate) quota: Option<(u64, u64)>,
    /// The login may not ask for the quota.
    pub(crate) hides_quota: bool,
}

impl Survey {
    /// That of a store of a program's own, which says nothing.
    pub(crate) fn of_own_store() -> Self {
        Self { kind: "a store".into(), is_read_only: Some(false), ..Self::default() }
    }

    /// The project of a repository, where the target has projects.
    pub(crate) fn project(&self, repository: &str) -> Option<(&String, &Project)> {
        let name = self.project_of.get(repository)?;
        Some((name, self.projects.get(name)?))
    }

    /// True where the project of a repository is known not to be there.
    pub(crate) fn lacks_project(&self, repository: &str) -> bool {
        self.project(repository).is_some_and(|(_, project)| project.exists == Some(false))
    }

    /// The projects that are not there.
    pub(crate) fn missing_projects(&self) -> impl Iterator<Item = &String> {
        let missing = self.projects.iter().filter(|(_, project)| project.exists == Some(false));
        missing.map(|(name, _)| name)
    }
}
