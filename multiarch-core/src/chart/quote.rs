//! Texts as YAML scalars.

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::yaml;

/// The text in the quotes of the old value; without quotes only where it then reads back as itself.
pub(super) fn quoted(text: &str, style: ScalarStyle) -> String {
    let printable = text.chars().all(|c| !c.is_control());
    match style {
        ScalarStyle::SingleQuoted if printable => format!("'{}'", text.replace('\'', "''")),
        ScalarStyle::Plain if is_plain(text) => text.into(),
        _ => Value::String(text.into()).to_string(),
    }
}

pub(super) fn key_text(key: &str) -> String {
    if is_plain(key) { key.into() } else { Value::String(key.into()).to_string() }
}

/// True for a text that YAML reads as itself without quotes, in flow collections, too.
fn is_plain(text: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_./-:@".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with(':')
        && text.chars().all(harmless)
        && yaml::scalar(text).is_string()
}
