//! What a server says in the body of a refusal: JSON of any shape, a text, or an HTML page.

use std::fmt;

use serde_json::Value;

/// The longest text that is shown, and how deep it is looked for.
const MAX_SHOWN: usize = 300;
const MAX_DEPTH: u32 = 4;

/// The server's own words.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// The codes of [OCI distribution, "Error Codes"].
    ///
    /// [OCI distribution, "Error Codes"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
    codes: Vec<String>,
    statements: Vec<String>,
    /// It is the list of errors of a registry.
    is_of_registry: bool,
}

impl Words {
    pub(super) fn read(body: &[u8]) -> Self {
        let mut words = Self::default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => {
                words.is_of_registry =
                    value.get("errors").and_then(Value::as_array).is_some_and(|e| !e.is_empty());
                words.add(&value, 0);
            }
            Err(_) => words.state(&of_text(&String::from_utf8_lossy(body))),
        }
        words
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known == code)
    }

    /// True where a registry lists errors.
    pub(super) fn has_errors(&self) -> bool {
        self.is_of_registry
    }

    fn state(&mut self, text: &str) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() && !self.statements.contains(&text) {
            self.statements.push(text);
        }
    }

    fn add(&mut self, value: &Value, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::String(text) => self.state(text),
            Value::Array(items) => items.iter().for_each(|item| self.add(item, depth + 1)),
            Value::Object(members) => {
                let code = members.get("code").and_then(Value::as_str).unwrap_or_default();
                if !code.is_empty() {
                    self.codes.push(code.to_owned());
                }
                let text =
                    ["message", "Message", "msg", "title", "error_description", "description"];
                let text = text.iter().find_map(|name| members.get(*name)?.as_str());
                match (code, text.unwrap_or_default()) {
                    (code, "") => self.state(code),
                    ("", message) => self.state(message),
                    (code, message) => self.state(&format!("{code}: {message}")),
                }
                for name in ["errors", "error", "detail", "details"] {
                    match members.get(name) {
                        // The details of a registry's error are for programs, unless they are a text.
                        Some(Value::Object(_)) if name.starts_with("detail") => {}
                        Some(inner) => self.add(inner, depth + 1),
                        None => {}
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The title of a page, or the first line of a text.
fn of_text(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let between = |tag: &str| {
        let from = lower.find(&format!("<{tag}"))?;
        let from = from + lower[from..].find('>')? + 1;
        let to = from + lower[from..].find(&format!("</{tag}"))?;
        Some(text[from..to].trim()).filter(|text| !text.is_empty())
    };
    let is_page =
        ["<html", "<!doctype", "<head", "<body", "<?xml"].iter().any(|t| lower.contains(t));
    let title = ["title", "h1", "message", "body"].iter().find_map(|tag| between(tag));
    match (is_page, title) {
        (true, Some(title)) => {
            format!("a page with the title {:?}", title.lines().next().unwrap_or_default())
        }
        (true, None) => "a page without a title".into(),
        (false, _) => text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().into(),
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.statements.join("; ");
        let mut characters = text.chars();
        for character in characters.by_ref().take(MAX_SHOWN) {
            // A replacement character is what a broken or binary text becomes.
            write!(f, "{}", if character.is_control() { ' ' } else { character })?;
        }
        if characters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        for (body, shown) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"no"},{"code":"UNKNOWN"}]}"#,
                "DENIED: no; UNKNOWN",
            ),
            (
                r#"{"errors":[{"code":"MANIFEST_INVALID","message":"bad","detail":"too large"}]}"#,
                "MANIFEST_INVALID: bad; too large",
            ),
            (
                r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"x","detail":{"digest":"y"}}]}"#,
                "BLOB_UNKNOWN: x",
            ),
            (r#"{"error":"chart already exists"}"#, "chart already exists"),
            (r#"{"error":{"code":"x","message":"y"}}"#, "x: y"),
            (r#"{"message":"denied by policy 17"}"#, "denied by policy 17"),
            (r#"{"errors":["a","b"]}"#, "a; b"),
            (r#"{"errors":[{"status":403,"message":"y"}]}"#, "y"),
            (r#""a text""#, "a text"),
            ("not found\nsecond line", "not found"),
            (
                "<html>\n<head><title>413 Request Entity\n Too Large</title></head></html>",
                "a page with the title \"413 Request Entity\"",
            ),
            ("<!DOCTYPE html><h1 class=x>Log in</h1>", "a page with the title \"Log in\""),
            ("<html>portal</html>", "a page without a title"),
            ("", ""),
            ("null", ""),
            ("[[[[[[[\"deep\"]]]]]]]", ""),
        ] {
            assert_eq!(Words::read(body.as_bytes()).to_string(), shown, "{body}");
        }
        let long = Words::read("é".repeat(1000).as_bytes()).to_string();
        assert_eq!(long.chars().count(), MAX_SHOWN + 1);
        assert!(!Words::read(&[0xff, 0x1b, b'[', 0]).to_string().contains('\u{1b}'));
    }
}
