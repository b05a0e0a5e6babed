//! What fuzzing asks of the parsers of charts. A function panics where a law does not hold.

use std::str;

use serde_json::{Map, Value};

use super::{
    Chart, ChartFiles, Hint, PackedChart, Values, alias,
    edit::set_values as edited_values,
    hint::Overrides,
    outline::{Node, NodeKind, outline as outlined, scalar_text},
    parse_hints, yaml as reader,
};
use crate::error::ErrorKind;

/// Values that are written as JSON, which is YAML, too, read back as themselves.
pub(crate) fn yaml(data: &[u8]) {
    let Ok(value) = reader::parse(data) else { return };
    let text = value.to_string();
    // JSON leaves some control characters as they are; YAML does not allow them.
    if text.contains(char::is_control) {
        return;
    }
    match reader::parse(text.as_bytes()) {
        Ok(again) => assert_eq!(again, value, "{text}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}: {text}"),
    }
}

/// The values of an edited text are the old ones with the edits, and nothing else. `data` is one edit a
/// line, `path=value`, then an empty line and the text.
pub(crate) fn set_values(data: &[u8]) {
    let Some(at) = data.windows(2).position(|pair| pair == b"\n\n") else { return };
    let (Ok(lines), text) = (str::from_utf8(&data[..at]), &data[at + 2..]) else { return };
    let edits = lines.lines().filter_map(|line| line.split_once('='));
    let path = |path: &str| path.split('.').map(Into::into).collect::<Vec<String>>();
    let edits: Overrides = edits.map(|(at, new)| (path(at), new.into())).collect();
    let Ok(edited) = edited_values(text, &edits) else { return };
    let mut wanted = match reader::parse(text).expect("it was read before it was edited") {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    edits.iter().for_each(|(path, new)| put(&mut wanted, path, new));
    let found = reader::parse(&edited).expect("an edited text can be read");
    let found = if found.is_null() { Value::Object(Map::new()) } else { found };
    let shown = String::from_utf8_lossy(&edited);
    assert_eq!(found, Value::Object(wanted), "{shown}");
    let again = edited_values(&edited, &edits).expect("it has these values already");
    assert!(again == edited, "a second edit changes {shown:?}");
}

fn put(values: &mut Values, path: &[String], new: &str) {
    let Some((key, below)) = path.split_first() else { return };
    if below.is_empty() {
        values.insert(key.clone(), new.into());
        return;
    }
    let value = values.entry(key.clone()).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(table) = value {
        put(table, below, new);
    }
}

/// A hint prints as it was written, and renders its text with each placeholder replaced.
pub(crate) fn hint(data: &[u8]) {
    let hints = parse_hints(data).unwrap_or_default();
    let single = str::from_utf8(data).ok().and_then(|text| text.parse::<Hint>().ok());
    for hint in hints.iter().chain(&single) {
        let text = hint.to_string();
        assert_eq!(text.parse::<Hint>().as_ref().ok(), Some(hint), "{text:?}");
        let paths: Vec<Vec<String>> = hint.placeholders().map(|(_, path)| path.to_vec()).collect();
        let values: Overrides = paths.iter().map(|path| (path.clone(), path.join("/"))).collect();
        let rendered = hint.render_with(&Values::new(), &values).expect("every value is given");
        let (mut expected, mut rest) = (String::new(), text.as_str());
        for path in &paths {
            let (literal, after) = rest.split_once("{{").expect("a placeholder begins");
            expected.push_str(literal);
            expected.push_str(&path.join("/"));
            rest = after.split_once("}}").expect("a placeholder ends").1;
        }
        expected.push_str(rest);
        assert_eq!(rendered, expected, "{text:?}");
        assert!(hint.render(&Values::new()).is_err(), "{text:?} renders what is not set");
        if let Ok(reference) = hint.parse(&rendered) {
            assert_eq!(reference.to_string(), rendered, "{text:?}");
        }
    }
}

/// A chart that loads can be packed, and what was packed has the same files. `data` is its `Chart.yaml`,
/// and after null bytes the files named below.
pub(crate) fn chart_yaml(data: &[u8]) {
    const PATHS: [&str; 6] = [
        "Chart.yaml",
        "values.yaml",
        "requirements.yaml",
        "charts/s/Chart.yaml",
        "charts/s/values.yaml",
        "charts/t/Chart.yaml",
    ];
    let mut files = ChartFiles::default();
    for (path, content) in PATHS.iter().zip(data.split(|byte| *byte == 0)) {
        files.insert(*path, content);
    }
    let Ok(chart) = Chart::load(&files) else { return };
    let (name, version) = (chart.name(), chart.version());
    assert!(!name.is_empty() && !name.contains('/') && !version.is_empty(), "{name:?} {version:?}");
    chart.missing_dependencies();
    if let Ok(values) = chart.merged_values() {
        let hinted = chart.values_for_hints().expect("the merged values and more");
        assert!(values.keys().all(|key| hinted.contains_key(key)), "hints read fewer values");
        // Helm may refuse the chart in another order.
        let _ = chart.varying_values();
    }
    let Ok(packed) = PackedChart::new(&files) else { return };
    assert!(!packed.file_name().contains('/'), "{}", packed.file_name());
    let unpacked = ChartFiles::unpack(packed.bytes()).expect("what was packed");
    assert!(unpacked == files, "packing changes the files of {name:?}");
    let again = Chart::load(&unpacked).expect("what was packed");
    assert_eq!((again.name(), again.version()), (name, version));
}

/// Every position lies in the text, and what stands at that of a plain scalar is its value.
pub(crate) fn outline(data: &[u8]) {
    let Ok(text) = reader::decoded(data) else { return };
    let Ok(Some(root)) = outlined(&text) else { return };
    check_positions(&text, &root);
    alias::collect(&root, &mut Some(Vec::new()), &mut Default::default(), &mut Vec::new());
    if let Ok(value) = reader::parse(text.as_bytes()) {
        let readable = reader::without_tabs(&text);
        let whole = Whole { text: &text, readable: &readable, root: &root };
        whole.check(&root, &value, &mut Vec::new());
    }
}

fn check_positions(text: &str, node: &Node) {
    assert!(text.get(node.span.clone()).is_some(), "{:?} of {text:?}", node.span);
    match &node.kind {
        NodeKind::Scalar(_) | NodeKind::Alias(_) => {}
        NodeKind::List(items) => items.iter().for_each(|item| check_positions(text, item)),
        NodeKind::Mapping { members, .. } => {
            for member in members {
                assert!(text.is_char_boundary(member.key_start), "{} {text:?}", member.key_start);
                check_positions(text, &member.value);
            }
        }
    }
}

/// A text and its outline.
struct Whole<'a> {
    text: &'a str,
    /// The text as it is parsed.
    readable: &'a str,
    root: &'a Node,
}

impl<'a> Whole<'a> {
    /// Compares the plain scalars on single lines with what was read.
    fn check(&self, node: &'a Node, value: &Value, path: &mut Vec<&'a str>) {
        match (&node.kind, value) {
            (NodeKind::List(items), Value::Array(values)) if items.len() == values.len() => {
                for (item, value) in items.iter().zip(values) {
                    self.check_scalar(item, value);
                }
            }
            (NodeKind::Mapping { members, .. }, Value::Object(values))
                if members.iter().all(|member| !member.merges && !member.key.is_empty()) =>
            {
                for (key, value) in values {
                    let Some(member) = alias::last(members, key) else { continue };
                    path.push(&member.key);
                    self.check_scalar(&member.value, value);
                    if std::ptr::eq(self.root, node) || path.len() < 3 {
                        let found = scalar_text(self.text, path).expect("it was outlined before");
                        assert!(found.is_some() || value.is_null(), "{path:?} {:?}", self.text);
                    }
                    self.check(&member.value, value, path);
                    path.pop();
                }
            }
            _ => self.check_scalar(node, value),
        }
    }

    fn check_scalar(&self, node: &Node, value: &Value) {
        let written = &self.readable[node.span.clone()];
        let one_line = !written.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        if let (NodeKind::Scalar(saphyr_parser::ScalarStyle::Plain), true) = (&node.kind, one_line)
        {
            let said = reader::scalar(written);
            // A tag makes any scalar a string.
            let tagged = value.as_str().is_some_and(|text| text == written);
            assert!(said == *value || tagged, "{written:?} was read as {value} in {:?}", self.text);
        }
    }
}
