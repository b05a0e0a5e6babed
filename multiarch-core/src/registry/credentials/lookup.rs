//! Finds the logins at a host: given ones, then the environment, then the files of podman and docker.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{auth_file::AuthFile, helper, login::Logins};
use crate::{
    config::Credentials,
    error::{Error, ErrorKind, Result},
    registry::{Connector, user_file},
    run::Cancel,
};

/// Environment variables; they apply to all servers of a run, the first to those of charts only.
const OF_CHARTS: [&str; 2] = ["MULTIARCH_CHARTS_USERNAME", "MULTIARCH_CHARTS_PASSWORD"];
const OF_ALL: [&str; 2] = ["MULTIARCH_USERNAME", "MULTIARCH_PASSWORD"];

/// The logins at a host; none if no place has any, which may be right.
///
/// A place that cannot be read is no error yet: the host may want no login. It is named where the host
/// refuses a request.
///
/// # Errors
/// [`ErrorKind::Usage`] where the file that the user names cannot be read.
pub(in crate::registry) fn find(connector: &Connector, host: &str) -> Result<Logins> {
    if let Some(Credentials::Anonymous) = &connector.credentials {
        return Ok(Logins::default());
    }
    if let Some(credentials) = &connector.credentials {
        return Ok(Logins::one(credentials.clone(), "the configuration"));
    }
    let of_charts = [OF_CHARTS].into_iter().filter(|_| connector.is_for_charts);
    for [user, password] in of_charts.chain([OF_ALL]) {
        if let (Ok(name), Ok(secret)) = (std::env::var(user), std::env::var(password)) {
            let origin = format!("{user} and {password}");
            return Ok(Logins::one(Credentials::basic(name, secret), &origin));
        }
    }
    let (mut logins, asked) = (Logins::default(), (host, &connector.context.cancel));
    if let Some(path) = &connector.auth_file {
        let text = user_file::read(path)
            .map_err(|e| Error::caused_by(ErrorKind::Usage, "the file with logins", e));
        let file = text.and_then(|text| {
            AuthFile::parse(&text).map_err(|why| Error::new(ErrorKind::Usage, why))
        });
        read(&mut logins, &file.map_err(|e| e.at_path(path.display()))?, path, asked);
        return Ok(logins);
    }
    for (path, parse) in places() {
        match user_file::read(&path) {
            Ok(text) => match parse(&text) {
                Ok(file) => read(&mut logins, &file, &path, asked),
                Err(why) => logins.note_problem(format!("{}: {why}", path.display())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                logins.note_searched(format!("{} (not there)", path.display()));
            }
            Err(error) => logins.note_problem(format!("{}: {error}", path.display())),
        }
        if logins.has_one_for_all() {
            break;
        }
    }
    Ok(logins)
}

type Parse = fn(&[u8]) -> std::result::Result<AuthFile, String>;

/// The files, in the order of containers-auth.json(5); a file that `REGISTRY_AUTH_FILE` names is the
/// only one.
fn places() -> Vec<(PathBuf, Parse)> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = set("REGISTRY_AUTH_FILE") {
        return vec![(path, AuthFile::parse)];
    }
    let home = set("HOME");
    let runtime = set("XDG_RUNTIME_DIR");
    let config = set("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let docker = set("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
    let podman =
        runtime.into_iter().chain(config).map(|folder| folder.join("containers/auth.json"));
    let docker = docker.into_iter().map(|folder| folder.join("config.json"));
    let old = home.into_iter().map(|home| (home.join(".dockercfg"), AuthFile::parse_old as Parse));
    podman.chain(docker).map(|path| (path, AuthFile::parse as Parse)).chain(old).collect()
}

/// Takes what one file says about a host. A helper's login comes before the file's own.
fn read(logins: &mut Logins, file: &AuthFile, path: &Path, (host, cancel): (&str, &Cancel)) {
    logins.headers.extend(file.http_headers.iter().flatten().map(|(n, v)| (n.clone(), v.clone())));
    let mut is_found = false;
    if let Some(name) = file.helper(host) {
        match helper::ask(name, host, cancel) {
            Ok(Some(credentials)) => {
                let origin = format!("docker-credential-{name} ({})", path.display());
                logins.add("", credentials, None, origin);
                is_found = true;
            }
            Ok(None) => {}
            Err(problem) => logins.note_problem(problem),
        }
    }
    for found in file.logins(host) {
        let origin = path.display().to_string();
        match found.credentials {
            Some(credentials) => {
                logins.add(&found.path, credentials, found.password, origin);
            }
            None => {
                logins.note_problem(format!("{origin}: the login for {host} cannot be decoded"))
            }
        }
        is_found = true;
    }
    if !is_found {
        logins.note_searched(path.display().to_string());
    }
}
