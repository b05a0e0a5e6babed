//! The logins at one host.

use crate::config::Credentials;

/// A login, and where it was found.
#[derive(Clone, Debug)]
pub(in crate::registry) struct Login {
    pub(in crate::registry) credentials: Credentials,
    /// User and password beside a token, for a token server that takes no such token.
    pub(in crate::registry) password: Option<(String, String)>,
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
    /// Headers that each request to the host gets.
    pub(in crate::registry) headers: Vec<(String, String)>,
    /// Places that hold no login for the host.
    searched: Vec<String>,
    /// Places that could not be read.
    problems: Vec<String>,
}

impl Logins {
    pub(in crate::registry) fn one(credentials: Credentials, origin: &str) -> Self {
        let mut logins = Self::default();
        logins.add("", credentials, None, origin.to_owned());
        logins
    }

    /// Adds a login, unless there is one for the same path: the first place counts.
    pub(super) fn add(
        &mut self,
        path: &str,
        credentials: Credentials,
        password: Option<(String, String)>,
        origin: String,
    ) {
        if self.logins.iter().all(|(known, _)| known != path) {
            self.logins.push((path.to_owned(), Login { credentials, password, origin }));
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

    /// The login with which the host is greeted: that for the target's path, or else any.
    pub(in crate::registry) fn for_greeting(&self, path: &str) -> Option<&Login> {
        self.of(path).or_else(|| self.logins.first().map(|(_, login)| login))
    }

    /// What a refused request was sent with, as a part of a sentence.
    pub(in crate::registry) fn describe(&self, used: Option<&Login>) -> String {
        let none = || match self.searched.is_empty() {
            true => String::new(),
            false => format!(", as there is none for this host in {}", self.searched.join(", ")),
        };
        match (used, self.problems.is_empty()) {
            (Some(login), true) => format!("logged in as {}", login.describe()),
            (None, true) => format!("sent without a login{}", none()),
            (Some(login), false) => {
                format!("logged in as {}, because {}", login.describe(), self.problems.join("; "))
            }
            (None, false) => {
                format!("sent without a login, because {}{}", self.problems.join("; "), none())
            }
        }
    }

    /// True where a place that may hold a login could not be read.
    pub(in crate::registry) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_wins() {
        let mut logins = Logins::default();
        for path in ["", "a/b", "a"] {
            let login = Credentials::basic(format!("of {path}"), "secret");
            logins.add(path, login, None, "FILE".into());
        }
        logins.add("a", Credentials::basic("later", "secret"), None, "OTHER".into());
        for (repository, user) in
            [("a/b/c", "of a/b"), ("a/b", "of a/b"), ("a/x", "of a"), ("ab", "of ")]
        {
            let text = logins.describe(logins.of(repository));
            assert_eq!(text, format!("logged in as the user {user:?} of FILE"), "{repository}");
        }
        let mut only_path = Logins::default();
        only_path.add("a", Credentials::basic("u", "p"), None, "FILE".into());
        assert!(only_path.of("b").is_none() && only_path.for_greeting("b").is_some());
    }
}
