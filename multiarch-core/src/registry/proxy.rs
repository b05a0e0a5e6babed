//! Which proxy leads to a server, as the environment says: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
//! `NO_PROXY`, in capitals or not.
//!
//! The HTTP library reads them, too, but knows neither `NO_PROXY=*` beside other entries nor an entry
//! with a port, which is how people copy a registry's address.

use std::net::IpAddr;

use ipnet::IpNet;

/// The proxies of the environment, each with the variable that names it.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// Servers that are reached without a proxy, separated by commas or blanks.
    excluded: String,
}

/// A proxy, as a variable names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) variable: String,
    /// Its address, with a scheme; it may hold a password.
    pub(super) address: String,
}

impl Proxy {
    /// curl and Go take an address without a scheme for that of an HTTP proxy.
    fn new(variable: &str, value: &str) -> Self {
        let has_scheme = value.contains("://");
        let address = if has_scheme { value.into() } else { format!("http://{value}") };
        Self { variable: variable.to_owned(), address }
    }

    /// True for a kind of proxy that we can use. Others are ignored by the HTTP library, and a request
    /// would go where the user does not want it.
    pub(super) fn is_known(&self) -> bool {
        let scheme = self.address.split("://").next().unwrap_or_default().to_ascii_lowercase();
        matches!(scheme.as_str(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h")
    }
}

impl Proxies {
    pub(super) fn of_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            [name.to_owned(), name.to_uppercase()].into_iter().find_map(|name| {
                let value = variable(&name).filter(|value| !value.trim().is_empty())?;
                Some(Proxy::new(&name, value.trim()))
            })
        };
        let excluded = variable("no_proxy").or_else(|| variable("NO_PROXY"));
        let all = get("all_proxy");
        Self {
            http: get("http_proxy").or_else(|| all.clone()),
            https: get("https_proxy").or(all),
            excluded: excluded.unwrap_or_default(),
        }
    }

    /// The proxy's address for a server; `None` where it is reached directly.
    pub(super) fn of(&self, scheme: &str, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if scheme == "https" { &self.https } else { &self.http }.as_ref()?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let excluded = self.excluded.split([',', ' ', '\t']).any(|entry| {
            let entry = entry.trim().to_ascii_lowercase();
            !entry.is_empty() && excludes(&entry, &host, port)
        });
        (!excluded).then_some(proxy)
    }
}

/// Whether an entry of `NO_PROXY` means a server: `*`, an address, a network, or a domain with all
/// below it; an address or domain may have a port.
fn excludes(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    if let Ok(network) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| network.contains(&address));
    }
    let (name, only_port) = match entry.rsplit_once(':') {
        // Colons of an IPv6 address without brackets are no port's.
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
            let Ok(digits) = digits.parse::<u16>() else { return false };
            (name, Some(digits))
        }
        _ => (entry, None),
    };
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    if let Ok(excluded) = name.parse::<IpAddr>() {
        return address == Some(excluded);
    }
    let domain = name.trim_start_matches('*').trim_matches('.');
    let below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    !domain.is_empty() && address.is_none() && (host == domain || below())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Go's `golang.org/x/net/http/httpproxy` and curl decide; where they differ (`.corp` and `corp`
    /// itself), a server that either of them excludes is excluded.
    #[test]
    fn excluded_servers() {
        for (excluded, host, port, direct) in [
            ("*", "a.corp", 443, true),
            ("x, *", "a.corp", 443, true),
            ("a.corp", "a.corp", 5000, true),
            ("a.corp", "b.a.corp", 443, true),
            ("a.corp", "ba.corp", 443, false),
            (".corp", "a.corp", 443, true),
            (".corp", "corp", 443, true),
            ("*.corp", "a.corp", 443, true),
            ("*.corp", "acorp", 443, false),
            ("A.Corp", "a.corp", 443, true),
            ("a.corp:5000", "a.corp", 5000, true),
            ("a.corp:5000", "a.corp", 5001, false),
            ("x a.corp", "a.corp", 443, true),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.1.2.3:80", "10.1.2.3", 80, true),
            ("10.1.2.3:80", "10.1.2.3", 81, false),
            ("0.0.1", "10.0.0.1", 80, false),
            ("fd00::/8", "[fd00::1]", 443, true),
            ("[fd00::1]:80", "[fd00::1]", 80, true),
            ("fd00::1", "[fd00::1]", 80, true),
            ("a.corp:x", "a.corp", 80, false),
            (",", "a.corp", 80, false),
        ] {
            let proxy = Proxy::new("HTTP_PROXY", "proxy:1");
            let http = Some(proxy.clone());
            let proxies = Proxies { http, https: None, excluded: excluded.into() };
            let expected = (!direct).then_some(&proxy);
            assert_eq!(
                proxies.of("http", host, port),
                expected,
                "NO_PROXY={excluded}, {host}:{port}"
            );
        }
    }

    #[test]
    fn variables() {
        let of = |set: &[(&str, &str)], scheme| {
            let variable = |name: &str| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            };
            Proxies::read(variable).of(scheme, "h", 1).map(|proxy| proxy.address.clone())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[("HTTPS_PROXY", "p:1")], "https"), some("http://p:1"));
        assert_eq!(of(&[("HTTPS_PROXY", "p:1")], "http"), None);
        assert_eq!(
            of(&[("https_proxy", "p:1"), ("HTTPS_PROXY", "q:1")], "https"),
            some("http://p:1")
        );
        assert_eq!(of(&[("ALL_PROXY", "socks5h://p:1")], "http"), some("socks5h://p:1"));
        assert_eq!(of(&[("http_proxy", " "), ("NO_PROXY", "*")], "http"), None);
    }

    #[test]
    fn kinds_of_proxies() {
        for (value, known) in [
            ("proxy:1", true),
            ("http://proxy:1", true),
            ("SOCKS5://proxy:1", true),
            ("socks5h://proxy:1", true),
            ("socket5://proxy:1", false),
            ("socks://proxy:1", false),
            ("ftp://proxy:1", false),
        ] {
            assert_eq!(Proxy::new("ALL_PROXY", value).is_known(), known, "{value}");
        }
    }
}
