//! Finding credentials: what was given, the environment, docker's and podman's configuration.

use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::Connector;
use crate::{
    config::Credentials,
    error::{Error, ErrorKind, Result},
};

/// Environment variables for all registries of a run.
const USER: &str = "MULTIARCH_USERNAME";
const PASSWORD: &str = "MULTIARCH_PASSWORD";

/// The credentials for a host; `None` where there are none, which may be right.
///
/// A configuration that is there but cannot be read is an error: going on without would end in a
/// refusal that says nothing of the cause.
pub(super) fn find(connector: &Connector, host: &str) -> Result<Option<Credentials>> {
    if let Some(credentials) = &connector.credentials {
        return Ok(Some(credentials.clone()));
    }
    if let (Ok(user), Ok(password)) = (std::env::var(USER), std::env::var(PASSWORD)) {
        return Ok(Some(Credentials::basic(user, password)));
    }
    for server in [host.to_owned(), format!("https://{host}"), format!("http://{host}")] {
        for lookup in [docker_credential::get_credential, docker_credential::get_podman_credential]
        {
            match lookup(&server) {
                Ok(DockerCredential::UsernamePassword(user, password)) if !user.is_empty() => {
                    return Ok(Some(Credentials::basic(user, password)));
                }
                Ok(DockerCredential::IdentityToken(token)) => {
                    return Ok(Some(Credentials::IdentityToken(token)));
                }
                Ok(DockerCredential::UsernamePassword(..)) => {}
                Err(error) => broken(&error, host)?,
            }
        }
    }
    Ok(None)
}

/// Tells an absent configuration from a broken one. The helper's output is not repeated: it may hold
/// a secret.
fn broken(error: &CredentialRetrievalError, host: &str) -> Result<()> {
    let what = match error {
        CredentialRetrievalError::HelperCommunicationError => "the credential helper cannot be run",
        CredentialRetrievalError::MalformedHelperResponse => {
            "the credential helper's answer cannot be read"
        }
        CredentialRetrievalError::CredentialDecodingError => "the credentials cannot be decoded",
        _ => return Ok(()),
    };
    let message = format!("docker's configuration: {what}");
    Err(Error::new(ErrorKind::Unauthorized, message).at_host(host))
}
