//! Version ranges of dependencies, as Helm reads them: the grammar of the Go package
//! `github.com/Masterminds/semver`.
//!
//! It differs from Cargo's in what a bare version means (that version), in wildcards (`1.X`, `2`), in what a
//! space separates, and in pre-releases: they fit a range only where one of its versions is one, too.

use semver::{Prerelease, Version};

use crate::limit;

/// A range such as `^1.2`, `1.x`, `>= 1.2, < 2 || 3.0.0` or `1.2 - 2.3`.
#[derive(Clone, Debug)]
pub(super) struct VersionRange(Vec<Vec<Comparator>>);

#[derive(Clone, Debug)]
struct Comparator {
    operator: Operator,
    /// With zeros for what is left open.
    version: Version,
    precision: Precision,
}

/// How much of a comparator's version is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// The longer ones first, so that the first that fits is meant.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl VersionRange {
    /// Reads a range; `None` for another text, an empty one among them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if limit::VERSION_RANGE.check(text.len()).is_err() {
            return None;
        }
        let text = without_hyphens(text);
        let alternatives: Vec<&str> = text.split("||").collect();
        if limit::VERSION_ALTERNATIVES.check(alternatives.len()).is_err() {
            return None;
        }
        alternatives.into_iter().map(all_of).collect::<Option<_>>().map(Self)
    }

    /// True where the version is in the range.
    pub(super) fn matches(&self, version: &Version) -> bool {
        self.0.iter().any(|all| {
            let pre_releases = all.iter().any(|one| !one.version.pre.is_empty());
            (pre_releases || version.pre.is_empty()) && all.iter().all(|one| one.matches(version))
        })
    }
}

impl Comparator {
    fn matches(&self, version: &Version) -> bool {
        let (own, given) = (&self.version, self.precision);
        let order = version.cmp_precedence(own);
        match self.operator {
            Operator::Equal if given == Precision::Patch => order.is_eq(),
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => match given {
                Precision::Nothing | Precision::Patch => order.is_ne(),
                _ if own.major != version.major => true,
                Precision::Minor => own.minor != version.minor || own.pre != version.pre,
                Precision::Major => false,
            },
            Operator::Greater => match given {
                Precision::Nothing | Precision::Patch => order.is_gt(),
                Precision::Major => version.major > own.major,
                Precision::Minor => (version.major, version.minor) > (own.major, own.minor),
            },
            Operator::GreaterEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessEqual => match given {
                Precision::Patch => order.is_le(),
                Precision::Major => version.major <= own.major,
                _ => (version.major, version.minor) <= (own.major, own.minor),
            },
            Operator::Caret => self.caret(version),
        }
    }

    /// `~1.2.3` and `~1.2` end before 1.3, `~1` ends before 2.
    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        let zero = (own.major, own.minor, own.patch) == (0, 0, 0);
        if version.cmp_precedence(own).is_lt() {
            return false;
        }
        if zero && matches!(self.precision, Precision::Nothing | Precision::Patch) {
            return true;
        }
        version.major == own.major
            && (version.minor == own.minor || self.precision == Precision::Major)
    }

    /// `^1.2.3` ends before 2, `^0.2.3` before 0.3, `^0.0.3` before 0.0.4.
    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.cmp_precedence(own).is_lt() {
            return false;
        }
        if own.major > 0 || self.precision == Precision::Major {
            return version.major == own.major;
        }
        if own.minor > 0 || self.precision == Precision::Minor {
            return (version.major, version.minor) == (0, own.minor);
        }
        (version.major, version.minor, version.patch) == (0, 0, own.patch)
    }
}

/// Comparators between spaces or commas, which must all match.
fn all_of(text: &str) -> Option<Vec<Comparator>> {
    let (mut all, mut rest) = (Vec::new(), text.trim_matches(is_space));
    loop {
        let (operator, after) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)))
            .unwrap_or((Operator::Equal, rest));
        let after = after.trim_start_matches(is_space);
        let end = version_end(after)?;
        all.push(comparator(operator, &after[..end])?);
        let after = &after[end..];
        let next = after.trim_start_matches(is_space);
        if next.is_empty() {
            return Some(all);
        }
        rest = match next.strip_prefix(',') {
            Some(next) => next.trim_start_matches(is_space),
            None if next.len() < after.len() => next,
            None => return None,
        };
    }
}

fn comparator(operator: Operator, text: &str) -> Option<Comparator> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let pre = match rest.strip_prefix('-') {
        Some(pre) => pre.split('+').next().unwrap_or_default(),
        None => "",
    };
    let mut version = Version::new(0, 0, 0);
    version.pre = Prerelease::new(pre).ok()?;
    let fields = [&mut version.major, &mut version.minor, &mut version.patch];
    let mut precision = [Precision::Major, Precision::Minor, Precision::Patch].into_iter();
    let mut given = Precision::Nothing;
    for (field, number) in fields.into_iter().zip(numbers.split('.')) {
        // What follows a wildcard is not looked at.
        if matches!(number, "x" | "X" | "*") {
            break;
        }
        *field = number.parse().ok()?;
        given = precision.next()?;
    }
    Some(Comparator { operator, version, precision: given })
}

/// The end of the version that a text begins with: up to three numbers or wildcards, and what follows a
/// hyphen and a plus sign.
fn version_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'x' | b'X' | b'*' | b'|');
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let after = |at: usize, is: &dyn Fn(&u8) -> bool| {
        let length = bytes[at..].iter().take_while(|b| is(b)).count();
        (length > 0).then_some(at + length)
    };
    let mut end = after(usize::from(text.starts_with('v')), &number)?;
    for _ in 0..2 {
        end = match bytes.get(end) {
            Some(b'.') => after(end + 1, &number).unwrap_or(end),
            _ => end,
        };
    }
    for sign in [b'-', b'+'] {
        if bytes.get(end) == Some(&sign)
            && let Some(mut words) = after(end + 1, &word)
        {
            while bytes.get(words) == Some(&b'.')
                && let Some(next) = after(words + 1, &word)
            {
                words = next;
            }
            end = words;
        }
    }
    Some(end)
}

/// Writes ranges such as `1.2 - 2.3` as two comparators.
fn without_hyphens(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        match hyphenated(rest) {
            Some((from, to, length)) => {
                out.push_str(&format!(">= {from}, <= {to} "));
                rest = &rest[length..];
            }
            None => {
                // A version is taken as a whole, so that no range begins in its middle.
                let length = version_end(rest)
                    .unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    out
}

/// The two versions of a hyphenated range at the beginning of a text, and its length.
fn hyphenated(text: &str) -> Option<(&str, &str, usize)> {
    let spaces = |text: &str| text.len() - text.trim_start_matches(is_space).len();
    let begin = spaces(text);
    let first = &text[begin..];
    let from = &first[..version_end(first)?];
    let after = &first[from.len()..];
    let hyphen = after.trim_start_matches(is_space).strip_prefix('-')?;
    let second = hyphen.trim_start_matches(is_space);
    if spaces(after) == 0 || spaces(hyphen) == 0 {
        return None;
    }
    let to = &second[..version_end(second)?];
    let rest = &second[to.len()..];
    Some((from, to, text.len() - rest.len() + spaces(rest)))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges and versions, with the answer of Helm's own reader; made by `ci/tools/helm/answers`.
    const ANSWERS: &str = include_str!("../../tests/helm/version_ranges.txt");

    #[test]
    fn ranges_match_what_helm_matches() {
        let mut count = 0;
        for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split('\t');
            let (range, fits) = (fields.next().expect(line), fields.next().expect(line));
            let version = fields.next().expect(line);
            let is_in = |version: &str| -> bool {
                let version = crate::chart::version::helm_version(version);
                let range = VersionRange::parse(range);
                version.is_some_and(|version| range.is_some_and(|range| range.matches(&version)))
            };
            assert_eq!(is_in(version), fits == "true", "{line:?}");
            count += 1;
        }
        assert!(count > 5_000, "{count}");
    }
}
