//! What a request needs the right to do.

use std::collections::BTreeSet;

/// The scopes of a token ([token scopes]) that a request needs.
///
/// [token scopes]: https://distribution.github.io/distribution/spec/auth/scope/
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::registry) struct Scope {
    names: BTreeSet<String>,
    /// The repository, or the path, whose login is used.
    place: String,
    writes: bool,
}

impl Scope {
    fn of(repository: &str, actions: &str, writes: bool) -> Self {
        let names = [format!("repository:{repository}:{actions}")].into();
        Self { names, place: repository.to_owned(), writes }
    }

    pub(in crate::registry) fn pull(repository: &str) -> Self {
        Self::of(repository, "pull", false)
    }

    pub(in crate::registry) fn push(repository: &str) -> Self {
        Self::of(repository, "pull,push", true)
    }

    pub(in crate::registry) fn delete(repository: &str) -> Self {
        Self::of(repository, "pull,push,delete", true)
    }

    pub(in crate::registry) fn catalog() -> Self {
        Self { names: ["registry:catalog:*".into()].into(), ..Self::default() }
    }

    /// No right at all: for the greeting of a registry, and for other servers.
    pub(in crate::registry) fn none(place: &str, writes: bool) -> Self {
        Self { names: BTreeSet::new(), place: place.to_owned(), writes }
    }

    /// A mount also reads another repository.
    pub(in crate::registry) fn and_pull(mut self, repository: &str) -> Self {
        self.names.insert(format!("repository:{repository}:pull"));
        self
    }

    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The names that a challenge gives for this scope, with what this scope needs to do there.
    ///
    /// A registry behind a proxy may know the repository by another name. Its challenge for a read names
    /// fewer actions than the write needs that comes next.
    pub(super) fn as_challenged(&self, challenged: &[String]) -> BTreeSet<String> {
        let actions = if self.writes { "pull,push" } else { "pull" };
        let extended = challenged.iter().map(|name| match name.rsplit_once(':') {
            Some((repository, asked)) if repository.starts_with("repository:") => {
                let ours = actions.split(',').filter(|ours| asked.split(',').all(|a| a != *ours));
                let all: Vec<&str> =
                    asked.split(',').filter(|a| !a.is_empty()).chain(ours).collect();
                format!("{repository}:{}", all.join(","))
            }
            _ => name.clone(),
        });
        extended.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_may_name_the_repository_otherwise() {
        let names = |scope: Scope, challenged: &str| -> Vec<String> {
            scope.as_challenged(&[challenged.to_owned()]).into_iter().collect()
        };
        for (scope, challenged, asked) in [
            (Scope::pull("a"), "repository:x/a:pull", "repository:x/a:pull"),
            (Scope::push("a"), "repository:x/a:pull", "repository:x/a:pull,push"),
            (Scope::push("a"), "repository:a:push", "repository:a:push,pull"),
            (Scope::push("a"), "repository:h:1/a:pull,push", "repository:h:1/a:pull,push"),
            (Scope::none("", true), "artifact-repository:o/r:push", "artifact-repository:o/r:push"),
        ] {
            assert_eq!(names(scope, challenged), [asked]);
        }
    }
}
