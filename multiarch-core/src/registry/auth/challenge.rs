//! The `WWW-Authenticate` challenge of a registry.

use std::collections::HashMap;

use reqwest::Url;

/// How the registry wants requests to be authenticated.
#[derive(Clone, Debug)]
pub(super) enum Challenge {
    None,
    Basic,
    Bearer { realm: Url, service: Option<String> },
}

impl Challenge {
    /// Reads one `WWW-Authenticate` value (RFC 9110, section 11.6.1).
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let realm = Url::parse(parameters.get("realm")?).ok()?;
        Some(Self::Bearer { realm, service: parameters.get("service").cloned() })
    }
}

fn parameters(text: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut characters = quoted.char_indices();
                let mut end = quoted.len();
                while let Some((at, character)) = characters.next() {
                    match character {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => value.extend(characters.next().map(|(_, c)| c)),
                        other => value.push(other),
                    }
                }
                (value, &quoted[end..])
            }
            None => {
                let (value, after) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        found.insert(name, value);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let text = r#"Bearer realm="https://a.io/token?x=1,2",service="s \"q\"", scope="repository:a:pull,push""#;
        let Some(Challenge::Bearer { realm, service }) = Challenge::parse(text) else {
            panic!("{text}")
        };
        assert_eq!(realm.as_str(), "https://a.io/token?x=1,2");
        assert_eq!(service.as_deref(), Some("s \"q\""));
        assert!(matches!(Challenge::parse("basic realm=x"), Some(Challenge::Basic)));
        assert!(Challenge::parse("Negotiate").is_none());
        assert!(Challenge::parse("").is_none());
        assert!(Challenge::parse("Bearer service=\"x\"").is_none());
        assert!(Challenge::parse("Bearer realm=\"unclosed").is_none());
    }
}
