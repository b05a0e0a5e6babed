//! Versions: opaque strings that are compared loosely.

use std::cmp::Ordering;

use semver::Version;

/// Compares two versions as semantic versions after coercion, because real charts have versions such as
/// `v1.2`, `90`, `6.5.007` and `10.2.0+738`. Build metadata decides last, and is compared as a number
/// where it is one. `None` where one of them is not a version.
pub(crate) fn compare_versions(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    let (a, b) = (coerce(a)?, coerce(b)?);
    Some(a.cmp_precedence(&b).then_with(|| compare_builds(a.build.as_str(), b.build.as_str())))
}

/// True where both are versions and `a` is the later one.
pub(crate) fn is_newer(a: &str, b: &str) -> bool {
    compare_versions(a, b) == Some(Ordering::Greater)
}

/// A chart's version as Helm reads it; `None` for a chart that Helm does not load.
pub(super) fn helm_version(text: &str) -> Option<Version> {
    coerce(text).filter(|_| text.len() <= 256 && !text.starts_with('V'))
}

fn compare_builds(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// Parses a version after dropping a leading `v` and leading zeros, and filling up to three numbers.
fn coerce(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut numbers = Vec::new();
    for number in core.split('.') {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = number.trim_start_matches('0');
        numbers.push(if number.is_empty() { "0" } else { number });
    }
    if numbers.len() > 3 {
        return None;
    }
    numbers.resize(3, "0");
    Version::parse(&format!("{}{rest}", numbers.join("."))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_order() {
        let ascending = [
            "0.9.0",
            "0.12.0",
            "0.12.1",
            "0.27.0-rc6",
            "0.27.0",
            "v1.2",
            "v4.9.0",
            "6.5.007",
            "6.5.8",
            "10.2.0",
            "10.2.0+738",
            "10.2.0+1000",
            "90",
        ];
        for pair in ascending.windows(2) {
            assert!(is_newer(pair[1], pair[0]), "{pair:?}");
            assert!(!is_newer(pair[0], pair[1]), "{pair:?}");
        }
        assert_eq!(compare_versions("v1.2.3", "1.2.3"), Some(Ordering::Equal));
        for odd in ["", "v", "1.2.3.4", "master", "1..2"] {
            assert_eq!(compare_versions(odd, "1.0.0"), None, "{odd}");
        }
    }
}
