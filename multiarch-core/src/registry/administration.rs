//! The registry as an [`Administration`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Registry, auth::Scope, client::Client};
use crate::{
    chart::TargetName,
    error::Result,
    run::workers,
    store::{Administration, ImageStore, PushRights, Survey},
};

impl Registry {
    /// The first part of a repository's path, which is its project in registries that have projects.
    fn project_of(&self, repository: &str) -> String {
        let path = self.connection.address.repository(repository);
        path.split('/').next().unwrap_or_default().to_owned()
    }

    /// What the registry is, and who is logged in.
    fn describe(&self, kind: &str, client: &Client) -> Survey {
        let login = client.auth.greeting(self.connection.address.path());
        let lacks_login = login.is_none() && client.auth.wants_login();
        let login = login.map_or_else(|| "no login is known".into(), |login| login.describe());
        Survey { kind: format!("{kind}, which answers; {login}"), lacks_login, ..Survey::default() }
    }

    /// Asks one thing for each of several, at once, as long as the target as a whole can be asked.
    fn each<T: Sync, A: Send>(
        &self,
        all: &[T],
        ask: impl Fn(&T) -> Result<A> + Sync,
    ) -> Result<Vec<A>> {
        let context = &self.connection.connector.context;
        workers::ask(self.jobs(), all, context, ask)?.into_iter().collect()
    }
}

impl Administration for Registry {
    fn survey(&self, repositories: &BTreeSet<&str>) -> Result<Survey> {
        let client = self.connection.client()?;
        if !client.is_harbor() {
            return Ok(Survey {
                is_read_only: Some(false),
                may_collect_children: true,
                ..self.describe("a registry", &client)
            });
        }
        let asking = client.clone();
        let info = self.connection.runtime.run(async move { asking.system_info().await })?;
        let is_read_only = info.as_ref().and_then(|info| info.read_only);
        let info = info.unwrap_or_default();
        let version = info.harbor_version.as_deref().and_then(|text| text.split('-').next());
        // A name of one part is in no project: Harbor refuses it as a name.
        let is_in_project =
            |repository: &&&str| self.connection.address.repository(repository).contains('/');
        let in_projects = repositories.iter().filter(is_in_project);
        let project_of: BTreeMap<String, String> =
            in_projects.map(|r| ((*r).to_owned(), self.project_of(r))).collect();
        let names: BTreeSet<&String> = project_of.values().collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let found = self.each(&names, |name| {
            let (client, name) = (client.clone(), name.clone());
            self.connection.runtime.run(async move { client.project(&name).await })
        })?;
        let projects = names.into_iter().zip(found).collect();
        let kind = version.map_or("a Harbor".into(), |version| format!("Harbor {version}"));
        Ok(Survey {
            is_read_only,
            only_admins_create: info.project_creation_restriction.as_deref() == Some("adminonly"),
            project_of,
            projects,
            ..self.describe(&kind, &client)
        })
    }

    fn push_rights(&self, repositories: &BTreeSet<&str>) -> Result<PushRights> {
        let client = self.connection.client()?;
        if client.auth.service().is_none() {
            return Ok(PushRights::default());
        }
        // Harbor gives rights to projects, so that one token each is enough.
        let mut asked: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for repository in repositories {
            let key = match client.is_harbor() {
                true => self.project_of(repository),
                false => (*repository).to_owned(),
            };
            asked.entry(key).or_default().push(repository);
        }
        let asked: Vec<Vec<&str>> = asked.into_values().collect();
        let paths = asked.iter().map(|group| self.connection.address.repository(group[0]));
        client.auth.prepare(paths.map(|path| Scope::push(&path)));
        let answers = self.each(&asked, |group| {
            let (client, path) = (client.clone(), self.connection.address.repository(group[0]));
            // A token server that gives no token is met again by the request that needs one.
            let asking = async move { Ok(client.auth.may_push(&path).await.ok().flatten()) };
            self.connection.runtime.run(asking)
        })?;
        let mut rights = PushRights::default();
        let host = self.connection.address.host();
        for (group, may) in asked.iter().zip(answers) {
            match may {
                None => {}
                Some(true) => rights.granted += group.len(),
                Some(false) => {
                    let path = self.connection.address.repository(group[0]);
                    let error = client.auth.without_push_right(&path).at_host(host);
                    let refused = group.iter().map(|r| ((*r).to_owned(), error.clone()));
                    rights.refused.extend(refused);
                }
            }
        }
        Ok(rights)
    }

    fn immutable(&self, tags: &BTreeSet<&TargetName>) -> Result<Option<BTreeSet<TargetName>>> {
        let client = self.connection.client()?;
        let mut immutable = BTreeSet::new();
        if !client.is_harbor() {
            return Ok(Some(immutable));
        }
        let mut is_known = true;
        let mut by_project: BTreeMap<String, Vec<&TargetName>> = BTreeMap::new();
        for name in tags {
            by_project.entry(self.project_of(name.repository())).or_default().push(name);
        }
        for (project, names) in by_project {
            let asking = client.clone();
            let rules = async move { asking.has_immutable_rules(&project).await };
            if self.connection.runtime.run(rules)? == Some(false) {
                continue;
            }
            let ask = |name: &&TargetName| {
                let repository = self.connection.address.repository(name.repository());
                let (client, tag) = (client.clone(), name.tag().to_owned());
                self.connection
                    .runtime
                    .run(async move { client.is_immutable(&repository, &tag).await })
            };
            // Who may not ask for one may not ask for the others.
            let Some((first, rest)) = names.split_first() else { continue };
            let Some(is_immutable) = ask(first)? else {
                is_known = false;
                continue;
            };
            immutable.extend(is_immutable.then(|| (*first).clone()));
            let answers = self.each(rest, ask)?;
            let kept = rest.iter().zip(answers).filter(|(_, answer)| *answer == Some(true));
            immutable.extend(kept.map(|(name, _)| (*name).clone()));
        }
        Ok((is_known || !immutable.is_empty()).then_some(immutable))
    }

    fn create_project(&self, project: &str, public: bool) -> Result<()> {
        let client = self.connection.client()?;
        let project = project.to_owned();
        self.connection.runtime.run(async move { client.create_project(&project, public).await })
    }
}
