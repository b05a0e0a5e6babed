//! Which chart repository the charts of each folder of a package go to.
//!
//! Packages hold folders such as `addon`, `community` and `system`, with charts of one name in several of
//! them, which belong into repositories of their own.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::ChartAddress;
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    store::{ChartRepos, OpenCharts},
};

/// Stands for the folder's name in an address.
const FOLDER: &str = "{folder}";
const KNOWN_FOLDERS: [&str; 3] = ["addon", "community", "system"];

/// The addresses of chart repositories, for all folders or for single ones.
#[derive(Clone, Debug)]
pub(crate) struct ChartRoutes(Vec<ChartRoute>);

#[derive(Clone, Debug)]
struct ChartRoute {
    /// The folder that it is for; `None` for all that have no route of their own.
    folder: Option<String>,
    address: RouteAddress,
}

#[derive(Clone, Debug)]
enum RouteAddress {
    Fixed(ChartAddress),
    /// An address with [`FOLDER`] in it.
    Template(String),
}

impl From<ChartAddress> for ChartRoutes {
    fn from(address: ChartAddress) -> Self {
        Self(vec![ChartRoute { folder: None, address: RouteAddress::Fixed(address) }])
    }
}

impl FromStr for ChartRoutes {
    type Err = Error;

    /// Reads one address, or `FOLDER=ADDRESS` several times, with commas between.
    fn from_str(text: &str) -> Result<Self> {
        let mut routes = Vec::new();
        for text in split(text) {
            let (folder, address) = match folder_of(text) {
                Some((folder, address)) => (Some(folder.to_owned()), address),
                None => (None, text),
            };
            if address.replace(FOLDER, "").contains(['{', '}']) {
                let message = format!("{address:?} has braces in it that are not {FOLDER}");
                return Err(Error::new(ErrorKind::Usage, message));
            }
            let address = if address.contains(FOLDER) {
                address.replace(FOLDER, "folder").parse::<ChartAddress>()?;
                RouteAddress::Template(address.to_owned())
            } else {
                RouteAddress::Fixed(address.parse()?)
            };
            routes.push(ChartRoute { folder, address });
        }
        let mut taken = BTreeSet::new();
        let twice = routes.iter().find(|route| {
            // For folders a template, and another address for charts in no folder.
            let is_template = matches!(route.address, RouteAddress::Template(_));
            !taken.insert((&route.folder, is_template))
        });
        if let Some(twice) = twice {
            let whose = twice.folder.as_deref().unwrap_or("all folders");
            let message = format!("two chart repositories are given for {whose}");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(Self(routes))
    }
}

/// Splits at commas that a folder or an address follows; others may be part of a path.
fn split(text: &str) -> Vec<&str> {
    let begins = |text: &str| {
        let schemes = ["dir:", "oci://", "http://", "https://"];
        folder_of(text).is_some() || schemes.iter().any(|scheme| text.starts_with(scheme))
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) =
        rest.match_indices(',').map(|(at, _)| at).find(|at| begins(&rest[at + 1..]))
    {
        parts.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    parts.push(rest);
    parts
}

/// The folder and the address of `FOLDER=ADDRESS`.
fn folder_of(text: &str) -> Option<(&str, &str)> {
    let (folder, address) = text.split_once('=')?;
    let word = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (!folder.is_empty() && folder.chars().all(word)).then_some((folder, address))
}

impl ChartRoutes {
    /// Adds the routes of another text.
    pub(crate) fn and(self, text: &str) -> Result<Self> {
        format!("{self},{text}").parse()
    }

    /// Opens the chart repositories for these folders.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a folder without a chart repository.
    pub(crate) fn open<'f>(
        &self,
        folders: impl Iterator<Item = &'f str>,
        open: impl Fn(&ChartAddress) -> Result<OpenCharts>,
    ) -> Result<ChartRepos> {
        let mut repos = ChartRepos::new(self.to_string());
        let folders: BTreeSet<&str> = folders.collect();
        for &folder in &folders {
            let address = self.address(folder)?;
            repos.add(folder, &address.to_string(), || open(&address))?;
        }
        // Charts that have moved to another folder may still be in the others.
        repos.end_of_folders();
        // Of a template's, those of the folders that packages are known to have.
        for ChartRoute { folder, address } in &self.0 {
            let RouteAddress::Template(template) = address else { continue };
            for known in KNOWN_FOLDERS.iter().filter(|known| !folders.contains(**known)) {
                if folder.is_none()
                    && let Ok(address) = template.replace(FOLDER, known).parse()
                {
                    let address: ChartAddress = address;
                    repos.add(known, &address.to_string(), || open(&address))?;
                }
            }
        }
        let has_default = self.0.iter().any(|route| route.folder.is_none());
        for ChartRoute { folder, address } in &self.0 {
            if let Some(folder) = folder
                && has_default
                && !folders.contains(folder.as_str())
            {
                repos.note_unknown(folder);
            }
            if let (Some(folder), RouteAddress::Fixed(address)) = (folder, address) {
                repos.add(folder, &address.to_string(), || open(address))?;
            }
        }
        Ok(repos)
    }

    /// Opens all chart repositories, to look at what they hold.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where an address depends on the folder.
    pub(crate) fn open_all(
        &self,
        open: impl Fn(&ChartAddress) -> Result<OpenCharts>,
    ) -> Result<ChartRepos> {
        let mut repos = ChartRepos::new(self.to_string());
        for route in &self.0 {
            let RouteAddress::Fixed(address) = &route.address else {
                let message = "which folders there are is not known without a package";
                return Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::ChartFolder));
            };
            let folder = route.folder.as_deref().unwrap_or_default();
            repos.add(folder, &address.to_string(), || open(address))?;
        }
        Ok(repos)
    }

    fn address(&self, folder: &str) -> Result<ChartAddress> {
        let is_template = |route: &&ChartRoute| matches!(route.address, RouteAddress::Template(_));
        let fits = |route: &&ChartRoute| !(folder.is_empty() && is_template(route));
        let own = self.0.iter().find(|route| route.folder.as_deref() == Some(folder));
        let others = || self.0.iter().filter(|route| route.folder.is_none()).filter(fits);
        let route = own.or_else(|| others().find(is_template)).or_else(|| others().next());
        let unknown = |message: String| {
            Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::ChartFolder))
        };
        match route.map(|route| &route.address) {
            Some(RouteAddress::Fixed(address)) => Ok(address.clone()),
            Some(RouteAddress::Template(template)) => {
                template.replace(FOLDER, folder).parse().or_else(|_| {
                    unknown(format!("the folder {folder:?} cannot stand in the address {template}"))
                })
            }
            None if folder.is_empty() => {
                unknown("no chart repository is given for charts in no folder".into())
            }
            None => unknown(format!("no chart repository is given for the charts in {folder:?}")),
        }
    }
}

impl fmt::Display for ChartRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, ChartRoute { folder, address }) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(",")?;
            }
            if let Some(folder) = folder {
                write!(f, "{folder}=")?;
            }
            match address {
                RouteAddress::Fixed(address) => address.fmt(f)?,
                RouteAddress::Template(template) => f.write_str(template)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(routes: &str, folder: &str) -> Result<String> {
        routes.parse::<ChartRoutes>()?.address(folder).map(|address| address.to_string())
    }

    #[test]
    fn each_folder_has_its_repository() {
        let all = "addon=dir:a,community=dir:b/{folder},dir:rest";
        for (folder, expected) in [
            ("addon", "dir:a"),
            ("community", "dir:b/community"),
            ("x", "dir:rest"),
            ("", "dir:rest"),
        ] {
            assert_eq!(address(all, folder).expect(folder), expected);
            assert_eq!(all.parse::<ChartRoutes>().expect(all).to_string(), all);
        }
        assert_eq!(address("dir:a,b/c=d", "x").expect("one"), "dir:a,b/c=d");
        assert_eq!(address("dir:{folder}", "x").expect("one"), "dir:x");
        assert_eq!(address("dir:{folder}", "").expect_err("no folder").kind(), ErrorKind::Usage);
        assert_eq!(address("a=dir:a", "b").expect_err("no route").kind(), ErrorKind::Usage);
        assert!("a=dir:a,a=dir:b".parse::<ChartRoutes>().is_err());
        assert!("a=".parse::<ChartRoutes>().is_err());
        let one: ChartRoutes = "a=dir:a".parse().expect("a route");
        assert_eq!(one.and("dir:b").expect("two").to_string(), "a=dir:a,dir:b");
    }
}
