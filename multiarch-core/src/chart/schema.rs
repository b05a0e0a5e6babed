//! Whether a chart's schema allows the values that relocation sets.
//!
//! Helm validates a chart's values by its `values.schema.json` whenever it installs the chart. Only the rules
//! that a new text can break are looked at: `enum`, `const`, `minLength`, `maxLength`, and `pattern`, which is
//! not evaluated.

use serde_json::Value;

use super::{Chart, ChartFiles, hint::Overrides};
use crate::{
    error::{Error, ErrorKind, Result},
    limit::{self, Budget},
};

const SCHEMA: &str = "values.schema.json";

/// A value and the rule about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaRule {
    pub(crate) path: Vec<String>,
    pub(crate) rule: String,
}

impl ChartFiles {
    /// Checks the edits against the schemas of the chart and its subcharts. Returns the values with a pattern,
    /// which may not match any more.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] for a value that a schema does not allow; [`ErrorKind::Malformed`] for a schema that
    /// is not JSON, with which Helm installs no chart.
    pub(crate) fn check_schemas(
        &self,
        chart: &Chart,
        edits: &Overrides,
    ) -> Result<Vec<SchemaRule>> {
        let mut patterns = Vec::new();
        let edits =
            edits.iter().map(|(path, new)| (path.as_slice(), path.as_slice(), new.as_str()));
        check((self, chart), &edits.collect::<Vec<_>>(), &mut patterns)?;
        Ok(patterns)
    }
}

/// Each edit with its path in the topmost chart, its path in this chart, and the new text.
type Edit<'e> = (&'e [String], &'e [String], &'e str);

fn check(
    (files, chart): (&ChartFiles, &Chart),
    edits: &[Edit<'_>],
    patterns: &mut Vec<SchemaRule>,
) -> Result<()> {
    if let Some(text) = files.get(SCHEMA) {
        limit::check_json(text, limit::SCHEMA_VALUES).map_err(|e| e.at_path(SCHEMA))?;
        let schema: Value = serde_json::from_slice(text)
            .map_err(|e| Error::caused_by(ErrorKind::Malformed, "not JSON", e).at_path(SCHEMA))?;
        for (whole, path, new) in edits {
            let found = |rule: &str| SchemaRule { path: whole.to_vec(), rule: rule.to_owned() };
            let mut rules =
                Rules { root: &schema, found: Vec::new(), parts: limit::SCHEMA_PARTS.budget() };
            rules.collect(&schema, path, 0).map_err(|e| e.at_path(SCHEMA))?;
            for (rule, limit) in rules.found {
                match allows(rule, limit, new) {
                    Some(true) => {}
                    Some(false) => {
                        let message = format!(
                            "{SCHEMA} does not allow the value {new:?} at .{}: {rule} {limit}",
                            whole.join(".")
                        );
                        return Err(Error::new(ErrorKind::Hint, message));
                    }
                    None => patterns.push(found(&format!("{rule} {limit}"))),
                }
            }
        }
    }
    if edits.is_empty() {
        return Ok(());
    }
    let dependencies = chart.metadata.dependencies.as_deref().unwrap_or_default();
    for (chart, subchart) in chart.subcharts_in(files)? {
        let name = chart.name();
        let aliases = dependencies.iter().filter(|dependency| dependency.name == name);
        let keys: Vec<&str> = aliases.map(|dependency| dependency.key()).chain([name]).collect();
        let below = edits.iter().filter_map(|(whole, path, new)| {
            let (key, rest) = path.split_first()?;
            (keys.contains(&key.as_str()) && !rest.is_empty()).then_some((*whole, rest, *new))
        });
        check((&subchart, chart), &below.collect::<Vec<_>>(), patterns)?;
    }
    Ok(())
}

/// The rules of a schema for one value.
struct Rules<'s> {
    root: &'s Value,
    found: Vec<(&'static str, &'s Value)>,
    parts: Budget,
}

impl<'s> Rules<'s> {
    /// Adds those of a part of the schema for the value at a path below it.
    fn collect(&mut self, schema: &'s Value, path: &[String], depth: usize) -> Result<()> {
        if limit::SCHEMA_DEPTH.check(depth).is_err() {
            return Ok(());
        }
        self.parts.spend(1_u64)?;
        let local = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = local.and_then(|pointer| self.root.pointer(pointer)) {
            self.collect(target, path, depth + 1)?;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, path, depth + 1)?;
        }
        match path.split_first() {
            Some((key, rest)) => self.collect(&schema["properties"][key.as_str()], rest, depth + 1),
            None => {
                let rules = ["enum", "const", "minLength", "maxLength", "pattern"];
                let there = rules.iter().filter_map(|rule| Some((*rule, schema.get(rule)?)));
                self.found.extend(there);
                Ok(())
            }
        }
    }
}

/// Whether a rule allows a text; `None` where that is not evaluated.
fn allows(rule: &str, limit: &Value, text: &str) -> Option<bool> {
    let length = text.chars().count() as u64;
    match rule {
        "enum" => Some(limit.as_array()?.iter().any(|value| value.as_str() == Some(text))),
        "const" => Some(limit.as_str() == Some(text)),
        "minLength" => Some(limit.as_u64()? <= length),
        "maxLength" => Some(length <= limit.as_u64()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, path: &str, new: &str) -> std::result::Result<usize, ErrorKind> {
        let mut files = ChartFiles::default();
        files.insert("Chart.yaml", &b"name: c\nversion: 1.0.0\n"[..]);
        files.insert("charts/s/Chart.yaml", &b"name: s\nversion: 1.0.0\n"[..]);
        files.insert("values.schema.json", schema.as_bytes());
        files.insert(
            "charts/s/values.schema.json",
            &br#"{"properties": {"hub": {"enum": ["quay.io"]}}}"#[..],
        );
        let path = path.split('.').map(Into::into).collect();
        let edits = Overrides::from([(path, new.to_owned())]);
        files
            .check_schemas(&Chart::load(&files).expect("a chart"), &edits)
            .map(|patterns| patterns.len())
            .map_err(|error| error.kind())
    }

    #[test]
    fn rules_that_a_text_can_break() {
        let of = |rules: &str| {
            format!(r#"{{"properties": {{"i": {{"properties": {{"r": {rules}}}}}}}}}"#)
        };
        for (rules, expected) in [
            (r#"{"enum": ["quay.io", "docker.io"]}"#, Err(ErrorKind::Hint)),
            (r#"{"enum": ["quay.io", "r.io"]}"#, Ok(0)),
            (r#"{"const": "quay.io"}"#, Err(ErrorKind::Hint)),
            (r#"{"maxLength": 3}"#, Err(ErrorKind::Hint)),
            (r#"{"minLength": 5}"#, Err(ErrorKind::Hint)),
            (r#"{"minLength": 4, "type": "string"}"#, Ok(0)),
            (r#"{"pattern": "^quay"}"#, Ok(1)),
            (r#"{"allOf": [{"pattern": "a"}, {"enum": ["x"]}]}"#, Err(ErrorKind::Hint)),
        ] {
            assert_eq!(check(&of(rules), "i.r", "r.io"), expected, "{rules}");
        }
        let circle = r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}"##;
        assert_eq!(check(circle, "i.r", "r.io"), Ok(0));
        let defined = r##"{"properties": {"i": {"$ref": "#/$defs/i"}}, "$defs": {"i": {"properties": {"r": {"enum": []}}}}}"##;
        assert_eq!(check(defined, "i.r", "r.io"), Err(ErrorKind::Hint));
        assert_eq!(check("{", "i.r", "r.io"), Err(ErrorKind::Malformed));
        assert_eq!(check("{}", "s.hub", "r.io"), Err(ErrorKind::Hint));
    }

    /// Deeper parts are not looked at.
    #[test]
    fn limit_of_schema_depth() {
        let nested = |depth: usize| {
            let inner = r#"{"enum": []}"#.to_owned();
            let all = (0..depth).fold(inner, |inner, _| format!(r#"{{"allOf": [{inner}]}}"#));
            format!(r#"{{"properties": {{"i": {all}}}}}"#)
        };
        assert_eq!(check(&nested(31), "i", "r.io"), Err(ErrorKind::Hint));
        assert_eq!(check(&nested(32), "i", "r.io"), Ok(0));
    }

    #[test]
    fn limit_of_schema_values() {
        let schema = |values: usize| format!("{{\"a\": [{}1]}}", "1,".repeat(values));
        assert_eq!(check(&schema(199_000), "i.r", "r.io"), Ok(0));
        assert_eq!(check(&schema(200_000), "i.r", "r.io"), Err(ErrorKind::TooLarge));
    }

    #[test]
    fn limit_of_schema_parts() {
        let twice = r##"[{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]"##;
        let bomb = format!(r##"{{"allOf": {twice}, "$defs": {{"a": {{"allOf": {twice}}}}}}}"##);
        assert_eq!(check(&bomb, "i.r", "r.io"), Err(ErrorKind::TooLarge));
    }
}
