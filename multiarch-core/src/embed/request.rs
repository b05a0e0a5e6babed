//! The document of options: what the builder of an import takes, as JSON.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::login;
use crate::{Cancel, Error, ErrorKind, Import, Meter, OpenOptions, Options, Plan, Result, Target};

/// The document of options, `multiarch.options/v1`. A member that is not listed is refused, so that a misspelt
/// one is no option that silently has no effect.
///
/// Each call asks for what it does once, with a meter that it reports to and a cancel that stops it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Name and version of the form; it may be left out.
    schema: Option<String>,
    /// Paths of packages.
    pub(super) packages: Vec<PathBuf>,
    /// Where images go.
    target: Option<String>,
    /// Where charts go; each string as `--charts-to` takes it.
    charts_to: OneOrMore,
    /// The login for images.
    credentials: Option<Value>,
    /// The login for charts.
    chart_credentials: Option<Value>,
    /// The folder for indexes of packages; without it none are kept.
    cache: Option<PathBuf>,
    /// Whether `inspect` looks for the architecture of programs.
    read_programs: bool,
    /// The options of `multiarch-core`, as a plan holds them.
    pub(super) options: Options,
}

/// A string, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    /// As one text; `None` for an empty list.
    fn joined(&self) -> Option<String> {
        match self {
            Self::One(one) => Some(one.clone()),
            Self::More(more) => (!more.is_empty()).then(|| more.join(",")),
        }
    }
}

impl Request {
    /// Name and version of the form.
    pub const SCHEMA: &'static str = "multiarch.options/v1";

    /// Reads the document.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for what is no such document. It shows no credentials.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |e| Error::caused_by(ErrorKind::Usage, "the options cannot be read", e);
        let value: Value = serde_json::from_str(text).map_err(wrong)?;
        // A list would be taken for the members in their order.
        for place in ["", "/options", "/options/names", "/options/fuse"] {
            if value.pointer(place).is_some_and(|value| !value.is_object()) {
                let place = if place.is_empty() { "the whole" } else { place };
                let message = format!("the options cannot be read: {place} is no JSON object");
                return Err(Error::new(ErrorKind::Usage, message));
            }
        }
        let request: Self = serde_json::from_str(text).map_err(wrong)?;
        match &request.schema {
            Some(schema) if schema != Self::SCHEMA => {
                let message = format!("options of schema {schema}, not {}", Self::SCHEMA);
                Err(Error::new(ErrorKind::Usage, message))
            }
            _ => Ok(request),
        }
    }

    /// The import that the document describes. Opens and asks nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`].
    pub(super) fn builder(self, meter: &Meter, cancel: &Cancel) -> Result<Import> {
        let target = self.target.as_deref();
        let target = target.ok_or_else(|| Error::new(ErrorKind::Usage, "no target is given"))?;
        let mut import = Import::into(Target::open(target)?).options(self.options.clone());
        if let Some(charts) = self.charts_to.joined() {
            import = import.charts_to(&charts)?;
        }
        import.check()?;
        let import = self.packages.iter().fold(import, Import::package);
        self.in_context(import, meter, cancel)
    }

    /// The import of a saved plan, which says itself what goes where: the document adds how servers are
    /// reached. Target, chart repository and packages may be named again, but not be others.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`].
    pub(super) fn builder_of(self, saved: &Plan, meter: &Meter, cancel: &Cancel) -> Result<Import> {
        let other = |what: &str| {
            Err(Error::new(
                ErrorKind::Usage,
                format!("the plan has another {what} than the options"),
            ))
        };
        let target = self.target.as_deref().map(Target::open).transpose()?;
        if target.is_some_and(|target| target.to_string() != saved.target) {
            return other("target");
        }
        let import = Import::from_saved_plan(saved)?;
        if let Some(charts) = self.charts_to.joined() {
            let named = Import::into(Target::open(&saved.target)?).charts_to(&charts)?;
            if named.chart_address() != import.chart_address() {
                return other("chart repository");
            }
        }
        let planned = || saved.packages.iter().map(|package| PathBuf::from(&package.path));
        if !self.packages.is_empty() && !self.packages.iter().cloned().eq(planned()) {
            return other("list of packages");
        }
        let import = import.options(self.reaching_servers(&saved.options));
        self.in_context(import, meter, cancel)
    }

    /// The plan's options, with what belongs to this machine from the document.
    fn reaching_servers(&self, saved: &Options) -> Options {
        let (mut options, here) = (saved.clone(), self.options.clone());
        options.ca_files = here.ca_files;
        options.insecure_hosts = here.insecure_hosts;
        options.client_certificate = here.client_certificate;
        options.client_key = here.client_key;
        options.auth_file = here.auth_file;
        options.limit_rate = here.limit_rate;
        options.jobs = here.jobs;
        options
    }

    fn in_context(self, import: Import, meter: &Meter, cancel: &Cancel) -> Result<Import> {
        let mut import = import.meter(meter).cancel(cancel);
        if let Some(folder) = self.cache {
            import = import.cache(folder);
        }
        if let Some(login) = &self.credentials {
            import = import.credentials(login::read(login, "credentials")?);
        }
        if let Some(login) = &self.chart_credentials {
            import = import.chart_credentials(login::read(login, "chart_credentials")?);
        }
        Ok(import)
    }

    /// How the packages are opened to look at them.
    pub(super) fn open_options(&self, meter: &Meter, cancel: &Cancel) -> OpenOptions {
        let mut options = OpenOptions::new().meter(meter).cancel(cancel);
        if self.read_programs {
            options = options.read_programs();
        }
        match &self.cache {
            Some(folder) => options.cache(folder),
            None => options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        let import = |request: Request| request.builder(&Meter::new(), &Cancel::new());
        let error = Request::parse(text).and_then(import).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("", "EOF"),
            ("[]", "the whole is no JSON object"),
            (r#"{"options": {"fuse": []}}"#, "/options/fuse is no JSON object"),
            (r#"{"targt": "oci:a"}"#, "unknown field `targt`"),
            (r#"{"options": {"overwrite_charts": true}}"#, "unknown field `overwrite_charts`"),
            (r#"{"options": {"fuse": {"x": 1}}}"#, "unknown field `x`"),
            (r#"{"target": "oci:a", "target": "oci:b"}"#, "duplicate field `target`"),
            (r#"{"schema": "multiarch.options/v9"}"#, "multiarch.options/v9"),
            (r#"{"charts_to": 1}"#, "a text or a list of texts"),
            ("{}", "no target"),
            (r#"{"target": "ftp://a"}"#, "ftp://"),
            (r#"{"target": "oci:a", "charts_to": "dir:b"}"#, "a directory is no registry"),
            (r#"{"target": "oci:a"} x"#, "trailing characters"),
        ] {
            assert!(error_of(text).contains(part), "{text}: {}", error_of(text));
        }
    }

    #[test]
    fn no_error_shows_a_secret() {
        for login in [
            r#""hush""#,
            r#"["hush"]"#,
            r#"{"username": "u", "pasword": "hush"}"#,
            r#"{"username": "u"}"#,
            r#"{"password": "hush"}"#,
            r#"{"username": "u", "password": "hush", "access_token": "hush"}"#,
        ] {
            let text = format!(r#"{{"target": "oci:a", "credentials": {login}}}"#);
            let error = error_of(&text);
            assert!(error.contains("credentials") && !error.contains("hush"), "{error}");
        }
    }
}
