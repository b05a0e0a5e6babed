//! The logins at one host.

use crate::config::Credentials;

/// A login, and where it was found.
#[derive(Clone, Debug)]
pub(in crate::registry) struct Login {
    pub(in crate::registry) credentials: Credentials,
    /// Where it was found, for messages.
    pub(super) origin: String,
}

impl Login {
    /// Whose login it is, and where it was found.
    pub(in crate::registry) fn describe(&self) -> String {
        match &self.credentials {
            Credentials::Basic { user, .. } => format!("the user {user:?} of {}", self.origin),
            _ => format!("the token of {}", self.origin),
        }
    }
}

/// The logins at one host, each for the repositories below its path, and what the search for them met.
#[derive(Clone, Debug, Default)]
pub(in crate::registry) struct Logins {
    /// The longest path first; an empty one is for all repositories.
    logins: Vec<(String, Login)>,
    /// Places that hold no login for the host.
    searched: Vec<String>,
    /// Places that could not be read.
    problems: Vec<String>,
}

impl Logins {
    pub(super) fn one(credentials: Credentials, origin: &str) -> Self {
        let mut logins = Self::default();
        logins.add("", credentials, origin.to_owned());
        logins
    }

    /// Adds a login, unless there is one for the same path: the first place counts.
    pub(super) fn add(&mut self, path: &str, credentials: Credentials, origin: String) {
        if self.logins.iter().all(|(known, _)| known != path) {
            self.logins.push((path.to_owned(), Login { credentials, origin }));
            self.logins.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        }
    }

    pub(super) fn note_searched(&mut self, place: String) {
        self.searched.push(place);
    }

    pub(super) fn note_problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    pub(super) fn has_one_for_all(&self) -> bool {
        self.logins.iter().any(|(path, _)| path.is_empty())
    }

    /// The login for a repository.
    pub(in crate::registry) fn of(&self, repository: &str) -> Option<&Login> {
        let covers = |path: &str| {
            path.is_empty()
                || repository
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.logins.iter().find(|(path, _)| covers(path)).map(|(_, login)| login)
    }

    /// The login with which the host is greeted: the one for a path, or any, since a host that knows
    /// nobody has nothing to show.
    pub(in crate::registry) fn for_greeting(&self, path: &str) -> Option<&Login> {
        self.of(path).or_else(|| self.logins.first().map(|(_, login)| login))
    }

    /// What a refused request was sent with, as a part of a sentence.
    pub(in crate::registry) fn describe(&self, used: Option<&Login>) -> String {
        let mut text = match used {
            Some(login) => format!("logged in as {}", login.describe()),
            None if self.searched.is_empty() => "sent without a login".to_owned(),
            None => format!(
                "sent without a login, as there is none for this host in {}",
                self.searched.join(", ")
            ),
        };
        for problem in &self.problems {
            text.push_str(&format!("; {problem}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_wins() {
        let mut logins = Logins::default();
        for path in ["", "a/b", "a"] {
            logins.add(path, Credentials::basic(format!("of {path}"), "secret"), "FILE".into());
        }
        logins.add("a", Credentials::basic("later", "secret"), "OTHER".into());
        for (repository, user) in
            [("a/b/c", "of a/b"), ("a/b", "of a/b"), ("a/x", "of a"), ("ab", "of ")]
        {
            let text = logins.describe(logins.of(repository));
            assert_eq!(text, format!("logged in as the user {user:?} of FILE"), "{repository}");
        }
        let mut only_path = Logins::default();
        only_path.add("a", Credentials::basic("u", "p"), "FILE".into());
        assert!(only_path.of("b").is_none() && only_path.for_greeting("b").is_some());
    }
}
