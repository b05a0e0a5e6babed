//! Reads YAML as Helm does: YAML 1.1 scalars as `sigs.k8s.io/yaml` resolves them, every number a float,
//! the last of duplicate keys.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::{
    error::{Error, ErrorKind, Result},
    limit::{Budget, Limit, REPO_INDEX_VALUES, YAML_DEPTH, YAML_SOURCE, YAML_TEXT, YAML_VALUES},
};

/// Reads the first document of a YAML text; an empty text is null.
pub(crate) fn parse(text: &[u8]) -> Result<Value> {
    YAML_SOURCE.check(text.len())?;
    parse_within(text, YAML_VALUES)
}

/// The same for the index of a chart repository.
pub(crate) fn parse_index(text: &[u8]) -> Result<Value> {
    parse_within(text, REPO_INDEX_VALUES)
}

fn parse_within(text: &[u8], values: Limit) -> Result<Value> {
    let text = decoded(text)?;
    let text = &*without_tabs(&text);
    let bytes = YAML_TEXT.budget().raised(2 * text.len() as u64);
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: HashMap::new(), values: values.budget(), bytes };
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(Value::Null),
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            event => return reader.value(event, 0),
        }
    }
}

/// The characters of a YAML text without its byte order mark, which says whether it is UTF-16.
pub(super) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let of_utf16 = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let units = bytes.chunks(2).map(|pair| number([pair[0], *pair.get(1).unwrap_or(&0)]));
        let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
        text.map(Cow::Owned)
            .map_err(|e| Error::caused_by(ErrorKind::Malformed, "not UTF-16 text", e))
    };
    let text = match bytes {
        [0xff, 0xfe, text @ ..] => of_utf16(text, u16::from_le_bytes)?,
        [0xfe, 0xff, text @ ..] => of_utf16(text, u16::from_be_bytes)?,
        _ => {
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(text)
                .map_err(|e| Error::caused_by(ErrorKind::Malformed, "not UTF-8 text", e))?;
            Cow::Borrowed(text)
        }
    };
    let is_refused = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if text.contains(is_refused) {
        let message = "the text has control characters in it, which YAML does not allow";
        return Err(Error::new(ErrorKind::Malformed, message));
    }
    Ok(text)
}

/// The same text with blanks in place of tabs after indicators, where it cannot be parsed otherwise: the
/// parser refuses such tabs, YAML and Helm do not. Positions in the text stay the same.
pub(super) fn without_tabs(text: &str) -> Cow<'_, str> {
    let readable = || Parser::new_from_str(text).all(|event| event.is_ok());
    if ![":\t", ",\t", "-\t"].iter().any(|tab| text.contains(tab)) || readable() {
        return text.into();
    }
    text.replace(":\t", ": ").replace(",\t", ", ").replace("-\t", "- ").into()
}

/// The memory of a mapping, in that of other values.
const MAPPING: u64 = 10;

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    values: Budget,
    /// Bytes of strings.
    bytes: Budget,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(e)) => Err(Error::caused_by(ErrorKind::Malformed, "not YAML", e)),
            None => Ok(Event::StreamEnd),
        }
    }

    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value> {
        YAML_DEPTH.check(depth)?;
        let (anchor, value) = match event {
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                let value =
                    value.ok_or_else(|| Error::new(ErrorKind::Malformed, "an alias to itself"))?;
                self.charge(&value)?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_ref().map(|tag| tag.suffix.as_str());
                let plain = style == ScalarStyle::Plain && tag != Some("str") && tag != Some("!");
                let value = if plain { scalar(&text) } else { Value::String(text.into_owned()) };
                self.charge(&value)?;
                (anchor, value)
            }
            Event::SequenceStart(anchor, _) => {
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => list.push(self.value(event, depth + 1)?),
                    }
                }
                self.values.spend(1)?;
                (anchor, Value::Array(list))
            }
            Event::MappingStart(anchor, _) => {
                self.values.spend(MAPPING)?;
                (anchor, self.mapping(depth)?)
            }
            _ => return Err(Error::new(ErrorKind::Malformed, "the YAML ends in the middle")),
        };
        if anchor > 0 {
            self.charge(&value)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: usize) -> Result<Value> {
        let mut members = Map::new();
        loop {
            let (merge, key) = match self.next()? {
                Event::MappingEnd => break,
                event => {
                    let merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
                    (merge, self.value(event, depth + 1)?)
                }
            };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if merge {
                merge_into(&mut members, value)?;
                continue;
            }
            let key = match key {
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => {
                    return Err(Error::new(ErrorKind::Malformed, "a YAML key is no scalar"));
                }
                other => super::go::format(&other),
            };
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }

    /// Counts a value with all that is in it.
    fn charge(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Array(list) => list.iter().try_for_each(|value| self.charge(value))?,
            Value::Object(map) => map.iter().try_for_each(|(key, value)| {
                self.bytes.spend(key.len())?;
                self.charge(value)
            })?,
            Value::String(text) => self.bytes.spend(text.len())?,
            _ => {}
        }
        self.values.spend(if value.is_object() { MAPPING } else { 1 })
    }
}

/// Applies a merge (`<<`) in its position, as Go's reader does: it overwrites the members before it, and
/// members after it overwrite its own. Of several merged mappings, the first wins.
fn merge_into(members: &mut Map<String, Value>, value: Value) -> Result<()> {
    let maps = match value {
        Value::Array(list) => list,
        other => vec![other],
    };
    for map in maps.into_iter().rev() {
        let Value::Object(map) = map else {
            return Err(Error::new(ErrorKind::Malformed, "a YAML merge of no mapping"));
        };
        members.extend(map);
    }
    Ok(())
}

/// A plain scalar, by the rules of YAML 1.1 that Go's reader follows.
pub(super) fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let number = integer(text).or_else(|| float(&text.replace('_', "")));
    let number = number.and_then(Number::from_f64);
    number.map_or_else(|| Value::String(text.into()), Value::Number)
}

#[expect(clippy::cast_precision_loss, reason = "Helm holds every number as a float")]
fn integer(text: &str) -> Option<f64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let digits = digits.replace('_', "");
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits.as_str()),
    };
    let value = u64::from_str_radix(digits, radix).ok()? as f64;
    Some(if negative { -value } else { value })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|e| e.strip_prefix(['-', '+']).unwrap_or(e));
    let number = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e));
    if number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected texts are those that `helm template` prints for `{{ .Values.x }}`.
    #[test]
    fn scalars_print_as_helm_prints_them() {
        for (text, printed) in [
            ("1.10", "1.1"),
            ("'1.10'", "1.10"),
            ("20240101", "2.0240101e+07"),
            ("\"20240101\"", "20240101"),
            ("!!str 1.10", "1.10"),
            ("v1", "v1"),
            ("1.2.3", "1.2.3"),
            ("yes", "true"),
            ("0755", "493"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("1e3", "1000"),
            ("1.2_3", "1.23"),
            ("0_8", "8"),
            ("9_9.5", "99.5"),
            ("2001-01-01", "2001-01-01"),
            ("089", "89"),
            ("latest # comment", "latest"),
            ("'it''s'", "it's"),
        ] {
            let value = parse(format!("x: {text}\r\n").as_bytes()).expect(text);
            assert_eq!(super::super::go::format(&value["x"]), printed, "{text}");
        }
    }

    #[test]
    fn structure() {
        let text = "\u{feff}a: &x {b: 1, c: 中文}\nd:\n  <<: *x\n  b: 2\na2: *x\ndup: 1\ndup: 2\n8080: p\nempty:\n";
        let value = parse(text.as_bytes()).expect("YAML");
        assert_eq!(value["d"]["c"], "中文");
        assert_eq!(value["d"]["b"], 2.0);
        assert_eq!(value["a2"]["b"], 1.0);
        assert_eq!(value["dup"], 2.0);
        assert_eq!(value["8080"], "p");
        assert_eq!(value["empty"], Value::Null);
        assert_eq!(parse(b"# only a comment\n").expect("empty"), Value::Null);
    }

    #[test]
    fn utf_16_is_told_by_its_mark() {
        let units: Vec<u16> = "\u{feff}a: 中文\n".encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for text in [little, big] {
            assert_eq!(parse(&text).expect("YAML")["a"], "中文");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..10 {
            let aliases = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
        }
        assert_eq!(parse(bomb.as_bytes()).expect_err("too large").kind(), ErrorKind::TooLarge);
        // Aliases of one long string, and anchors around anchors.
        let long = format!("a: &a {}\nl: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 2000].join(","));
        assert_eq!(parse(long.as_bytes()).expect_err("too large").kind(), ErrorKind::TooLarge);
        let anchors: String = (0..60).map(|i| format!("&a{i} [")).collect();
        let nested = format!("a: {anchors}{}{}", "~,".repeat(20_000), "]".repeat(60));
        assert_eq!(parse(nested.as_bytes()).expect_err("too large").kind(), ErrorKind::TooLarge);
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
        assert!(parse(b"a: &a [*a]").is_err());
        assert!(parse(b"\xff\xff").is_err());
        assert!(parse(b"\xff\xfe\x00\xd8").is_err());
        assert!(parse(b"a: \x07").is_err());
    }
}
