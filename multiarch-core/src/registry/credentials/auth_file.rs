//! The files in which docker and podman keep logins
//! ([containers-auth.json(5)](https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md)).

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use crate::config::Credentials;

/// Logins are written with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `auth.json` and `config.json`. Members may be `null`, which counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<StoredLogin>>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    creds_store: Option<String>,
    /// Docker sends these with each request to a registry.
    #[serde(default, rename = "HttpHeaders")]
    pub(super) http_headers: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
struct StoredLogin {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    identitytoken: Option<String>,
    #[serde(default)]
    registrytoken: Option<String>,
}

/// A login in a file, for all repositories of a host below a path, which may be empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundLogin {
    pub(super) path: String,
    /// `None` for an entry that cannot be decoded.
    pub(super) credentials: Option<Credentials>,
    /// User and password beside a token.
    pub(super) password: Option<(String, String)>,
}

impl AuthFile {
    /// Reads a file; the text of an error repeats nothing of the file.
    pub(super) fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        // `podman login` and others make an empty file first.
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let broken = |e: serde_json::Error| format!("line {}, column {}", e.line(), e.column());
        serde_json::from_slice(text).map_err(|e| format!("not the JSON of logins ({})", broken(e)))
    }

    /// The form of `.dockercfg`: the entries alone.
    pub(super) fn parse_old(text: &[u8]) -> std::result::Result<Self, String> {
        let auths = serde_json::from_slice(text).map_err(|e| {
            format!("not the JSON of logins (line {}, column {})", e.line(), e.column())
        })?;
        Ok(Self { auths: Some(auths), ..Self::default() })
    }

    /// The program that keeps the logins for a host.
    pub(super) fn helper(&self, host: &str) -> Option<&str> {
        let helpers = self.cred_helpers.iter().flatten();
        let own =
            helpers.filter(|(key, _)| is_host(key, host)).find_map(|(_, name)| name.as_deref());
        own.or(self.creds_store.as_deref()).filter(|name| !name.is_empty())
    }

    /// The logins that the file itself holds for a host.
    pub(super) fn logins(&self, host: &str) -> Vec<FoundLogin> {
        let entries = self.auths.iter().flatten();
        let entries =
            entries.filter_map(|(key, entry)| Some((path_of(key, host)?, entry.as_ref()?)));
        entries.filter_map(|(path, entry)| entry.read(path)).collect()
    }
}

impl StoredLogin {
    /// `None` for an entry that holds nothing: docker leaves those where a helper keeps the login.
    fn read(&self, path: &str) -> Option<FoundLogin> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let found = |credentials, password| {
            Some(FoundLogin { path: path.to_owned(), credentials, password })
        };
        let pair = match set(&self.auth) {
            Some(auth) => match decode(&auth) {
                Some(pair) => Some(pair),
                None => return found(None, None),
            },
            None => set(&self.username).map(|user| (user, set(&self.password).unwrap_or_default())),
        };
        if let Some(token) = set(&self.registrytoken) {
            return found(Some(Credentials::AccessToken(token)), None);
        }
        if let Some(token) = set(&self.identitytoken) {
            let pair = pair.filter(|(user, password)| !user.is_empty() && !password.is_empty());
            return found(Some(Credentials::IdentityToken(token)), pair);
        }
        let (user, password) = pair?;
        found((!user.is_empty()).then(|| Credentials::basic(user, password)), None)
    }
}

/// `user:password` in base64. A password may hold colons, and some tools end it with zero bytes.
fn decode(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

fn is_host(key: &str, host: &str) -> bool {
    path_of(key, host).is_some_and(str::is_empty)
}

/// The path of a key that is for this host. Docker also writes keys as URLs, and appends `/v1/`.
fn path_of<'k>(key: &'k str, host: &str) -> Option<&'k str> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (name, path) = match bare.unwrap_or(key).split_once('/') {
        Some((name, path)) => (name, path.trim_end_matches('/')),
        None => (bare.unwrap_or(key), ""),
    };
    let docker_hub = ["docker.io", "index.docker.io", "registry-1.docker.io"];
    let same = name.eq_ignore_ascii_case(host)
        || docker_hub.contains(&name) && docker_hub.contains(&host)
        || without_default_port(name).eq_ignore_ascii_case(without_default_port(host));
    let is_version = bare.is_some() && matches!(path, "v1" | "v2");
    same.then_some(if is_version { "" } else { path })
}

fn without_default_port(host: &str) -> &str {
    host.strip_suffix(":443").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(text: &str) -> Vec<(String, Option<Credentials>)> {
        let file = AuthFile::parse(text.as_bytes()).expect(text);
        file.logins("h:1").into_iter().map(|found| (found.path, found.credentials)).collect()
    }

    #[test]
    fn entries() {
        let basic = |user: &str, password: &str| Some(Credentials::basic(user, password));
        // echo -n u:p | base64; the second without padding, the third with a colon in the password.
        for (entry, expected) in [
            (r#"{"auth":"dTpw"}"#, Some(basic("u", "p"))),
            (r#"{"auth":"dTpwcA"}"#, Some(basic("u", "pp"))),
            (r#"{"auth":"dTpwOnA="}"#, Some(basic("u", "p:p"))),
            (r#"{"auth":"","username":"u","password":"p"}"#, Some(basic("u", "p"))),
            (r#"{"auth":null,"username":"u","password":null}"#, Some(basic("u", ""))),
            (
                r#"{"auth":"dTpw","identitytoken":"t"}"#,
                Some(Some(Credentials::IdentityToken("t".into()))),
            ),
            (r#"{"registrytoken":"t"}"#, Some(Some(Credentials::AccessToken("t".into())))),
            (r#"{"auth":"dTpw","identitytoken":""}"#, Some(basic("u", "p"))),
            (r#"{"auth":"no base64!"}"#, Some(None)),
            (r#"{"email":"x"}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let found = logins(&format!(r#"{{"auths":{{"h:1":{entry},"other":null}}}}"#));
            let found = found.into_iter().next().map(|(_, credentials)| credentials);
            assert_eq!(found, expected, "{entry}");
        }
    }

    #[test]
    fn keys() {
        for (key, path) in [
            ("h:1", Some("")),
            ("H:1", Some("")),
            ("https://h:1", Some("")),
            ("https://h:1/", Some("")),
            ("http://h:1/v1/", Some("")),
            ("h:1/platform/x", Some("platform/x")),
            ("h", None),
            ("h:1.example.com", None),
        ] {
            assert_eq!(path_of(key, "h:1"), path, "{key}");
        }
        assert_eq!(path_of("https://index.docker.io/v1/", "docker.io"), Some(""));
        assert_eq!(path_of("h", "h:443"), Some(""));
    }

    #[test]
    fn files() {
        for text in ["", " \n", "{}", r#"{"auths":null,"credHelpers":null,"credsStore":null}"#] {
            assert_eq!(logins(text), [], "{text:?}");
        }
        let broken = AuthFile::parse(br#"{"auths": {"h": "secret"#).expect_err("cut");
        assert!(broken.contains("line 1") && !broken.contains("secret"), "{broken}");
        let file = AuthFile::parse(br#"{"credsStore":"all","credHelpers":{"h:1":"own","x":""}}"#);
        let file = file.expect("JSON");
        assert_eq!(
            (file.helper("h:1"), file.helper("y"), file.helper("x")),
            (Some("own"), Some("all"), None)
        );
        let old = AuthFile::parse_old(br#"{"h:1":{"auth":"dTpw"}}"#).expect("JSON");
        assert_eq!(old.logins("h:1").len(), 1);
    }
}
