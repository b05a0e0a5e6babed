//! Changes values of a YAML text in place; the rest of the text stays the same to the byte.

use std::{collections::BTreeMap, ops::Range};

use serde_json::{Map, Value};

use super::{
    alias::{collect, last},
    hint::Overrides,
    outline::{KeyValue, Node, NodeKind, outline},
    quote::{key_text, quoted},
    yaml,
};
use crate::error::{Error, ErrorKind, Result};

/// Sets values by path. A missing path is added. All other values stay the same, even where they are an
/// alias of a value that changes.
///
/// # Errors
/// [`ErrorKind::Malformed`] where the text is not a mapping, [`ErrorKind::Hint`] where a value cannot be
/// changed without changing another one.
pub(super) fn set_values(text: &[u8], edits: &Overrides) -> Result<Vec<u8>> {
    let old = match yaml::parse(text)? {
        Value::Null => Value::Object(Map::new()),
        old @ Value::Object(_) => old,
        _ => return Err(Error::new(ErrorKind::Malformed, "the values are no mapping")),
    };
    let mut wanted = old.clone();
    for (path, value) in edits {
        set(&mut wanted, path, value);
    }
    if wanted == old {
        return Ok(text.to_vec());
    }
    // A text in UTF-16 becomes one in UTF-8.
    let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { &[] };
    let body = &*yaml::decoded(text)?;
    // A merge (`<<`) overrules the keys before it. Where that undoes an edit, the second attempt sets
    // the key again after the merge.
    for after_merge in [false, true] {
        let changes = BTreeMap::new();
        let mut editor = Editor { text: body, old: &old, wanted: &wanted, after_merge, changes };
        match outline(body)? {
            Some(root) => {
                for path in edits.keys() {
                    editor.place(&root, path);
                }
                editor.keep_aliases(&root);
            }
            None => editor.begin(),
        }
        let edited = [mark, editor.apply().as_bytes()].concat();
        if yaml::parse(&edited).is_ok_and(|now| now == wanted) {
            return Ok(edited);
        }
    }
    let paths: Vec<String> = edits.keys().map(|path| format!(".{}", path.join("."))).collect();
    let message = format!("the text does not allow to change {} alone", paths.join(", "));
    Err(Error::new(ErrorKind::Hint, message))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn set(value: &mut Value, path: &[String], new: &str) {
    match path.split_first() {
        None => *value = Value::String(new.into()),
        Some((key, rest)) => {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            set(&mut value[key.as_str()], rest, new);
        }
    }
}

fn get<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| &value[*key])
}

struct Editor<'a> {
    text: &'a str,
    old: &'a Value,
    wanted: &'a Value,
    /// Keys that a merge overrules are set again after it.
    after_merge: bool,
    /// New text by the start and end of what it replaces.
    changes: BTreeMap<(usize, usize), String>,
}

impl<'a> Editor<'a> {
    /// Notes the change for the value at one path.
    fn place<'n>(&mut self, root: &'n Node, path: &'n [String]) {
        let mut node = root;
        let mut above: Vec<&str> = Vec::new();
        for key in path {
            let NodeKind::Mapping { members, flow } = &node.kind else {
                // A null, a scalar or an alias, where the path needs a mapping.
                return self.replace(node, get(self.wanted, &above));
            };
            above.push(key);
            let found = last(members, key);
            let overruled = |member: &KeyValue| {
                let mut later = members.iter().filter(|m| m.key_start > member.key_start);
                self.after_merge && later.any(|m| m.merges)
            };
            match found.filter(|member| !overruled(member)) {
                Some(member) => node = &member.value,
                None => return self.insert(node, members, *flow, key, get(self.wanted, &above)),
            }
        }
        self.replace(node, get(self.wanted, &above));
    }

    fn replace(&mut self, node: &Node, value: &Value) {
        let Range { start, end } = node.span;
        let text = match (&node.kind, value) {
            (NodeKind::Scalar(style), Value::String(new)) => quoted(new, *style),
            _ => value.to_string(),
        };
        // An empty value lies directly after its colon, where the new text needs a blank.
        let gap = if start == end && self.text[..start].ends_with(':') { " " } else { "" };
        self.changes.insert((start, end), format!("{gap}{text}"));
    }

    /// Adds a key as the first one of its mapping, or after the last merge, which would overrule it.
    fn insert(&mut self, node: &Node, members: &[KeyValue], flow: bool, key: &str, value: &Value) {
        let line = format!("{}: {value}", key_text(key));
        let merge = members.iter().rposition(|member| member.merges);
        let (at, change) = match (merge, members.first()) {
            (Some(merge), _) if flow => (members[merge].value.span.end, format!(", {line}")),
            (None, first) if flow => {
                let comma = if first.is_none() { "" } else { ", " };
                (node.span.start + 1, format!("{line}{comma}"))
            }
            (merge, Some(first)) => {
                let next = merge.map_or(Some(first), |merge| members.get(merge + 1));
                let indent = self.indent(first.key_start);
                match next {
                    Some(next) => (next.key_start, format!("{line}{}{indent}", self.newline())),
                    None => {
                        let last = members.last().map_or(node.span.end, |m| m.value.span.end);
                        let rest = &self.text[last..];
                        let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
                        (last + line_end, format!("{}{indent}{line}", self.newline()))
                    }
                }
            }
            (_, None) => return,
        };
        let known = self.changes.entry((at, at)).or_default();
        if !known.contains(&change) {
            let separates = flow && members.is_empty() && !known.is_empty();
            known.push_str(if separates { ", " } else { "" });
            known.push_str(&change);
        }
    }

    /// The text before a key in its line.
    fn indent(&self, key: usize) -> &'a str {
        let begun = self.text[..key].rfind('\n').map_or(0, |newline| newline + 1);
        &self.text[begun..key]
    }

    /// Writes the values into a text that has none, at its end.
    fn begin(&mut self) {
        let Value::Object(wanted) = self.wanted else { return };
        let newline = self.newline();
        let mut text = String::new();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            text.push_str(newline);
        }
        for (key, value) in wanted {
            text.push_str(&format!("{}: {value}{newline}", key_text(key)));
        }
        self.changes.insert((self.text.len(), self.text.len()), text);
    }

    /// Replaces each alias of a value that changes with the alias's own, unchanged value.
    fn keep_aliases(&mut self, root: &Node) {
        let (mut anchors, mut aliases) = (BTreeMap::new(), Vec::new());
        collect(root, &mut Some(Vec::new()), &mut anchors, &mut aliases);
        let changed: Vec<(usize, usize)> = self.changes.keys().copied().collect();
        for alias in aliases {
            let Some((node, place)) = anchors.get(&alias.anchor) else { continue };
            let inside = |at: &(usize, usize)| node.span.start <= at.0 && at.1 <= node.span.end;
            if !changed.iter().any(inside) {
                continue;
            }
            let value = match (&alias.path, place) {
                (Some(path), _) => get(self.wanted, path),
                (None, Some(place)) => get(self.old, place),
                (None, None) => continue,
            };
            self.changes.entry((alias.span.start, alias.span.end)).or_insert(value.to_string());
        }
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn apply(&self) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for (&(start, end), new) in &self.changes {
            // This change lies inside of a value that was replaced as a whole.
            if start < done {
                continue;
            }
            out.push_str(&self.text[done..start]);
            out.push_str(new);
            done = end;
        }
        out + &self.text[done..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edits `before`, and compares the result with `after` byte for byte.
    fn check(before: &str, edits: &[(&str, &str)], after: &str) {
        let edits = edits
            .iter()
            .map(|(path, new)| (path.split('.').map(Into::into).collect(), (*new).into()))
            .collect();
        let edited = set_values(before.as_bytes(), &edits).expect(before);
        assert_eq!(String::from_utf8_lossy(&edited), after, "of {before:?}");
    }

    #[test]
    fn quotes_comments_and_spelling_are_kept() {
        for (before, after) in [
            ("i: {r: quay.io, t: 1.20}\n", "i: {r: h:5/p, t: 1.20}\n"),
            ("# 中文\ni:\n  r: quay.io # 注\n  t: v\n", "# 中文\ni:\n  r: h:5/p # 注\n  t: v\n"),
            ("i:\n  r: 'quay.io'   # c\n", "i:\n  r: 'h:5/p'   # c\n"),
            (
                "i: {\"r\" : \"quay.io\" , x: [1, {r: 2}]} # c",
                "i: {\"r\" : \"h:5/p\" , x: [1, {r: 2}]} # c",
            ),
            ("i:\r\n  r: quay.io\r\n  t: v\r\n", "i:\r\n  r: h:5/p\r\n  t: v\r\n"),
            ("\u{feff}i:\n  r: quay.io\n", "\u{feff}i:\n  r: h:5/p\n"),
            ("i:\n  r: >-\n    quay.io\n\n# c\nj: 1\n", "i:\n  r: \"h:5/p\"\n\n# c\nj: 1\n"),
            ("i:\n  r: |\n    quay.io\n", "i:\n  r: \"h:5/p\"\n"),
            ("i:\n  r: !!str quay.io\n", "i:\n  r: !!str h:5/p\n"),
            ("i:\n  r:\n    quay.io\n", "i:\n  r:\n    h:5/p\n"),
            ("i:\n  r: \"a\\\"b\" # \"\n", "i:\n  r: \"h:5/p\" # \"\n"),
            ("i:\n  r: 'a''b' # '\n", "i:\n  r: 'h:5/p' # '\n"),
            ("---\ni: {r: x}\n---\ni: {r: y}\n", "---\ni: {r: h:5/p}\n---\ni: {r: y}\n"),
            ("i: {r: x}\ni: {r: y, z: 1}\n", "i: {r: x}\ni: {r: h:5/p, z: 1}\n"),
            ("i: {r: x, r: y}", "i: {r: x, r: h:5/p}"),
            ("i:\n  r: 20240101\n", "i:\n  r: h:5/p\n"),
            ("i:\n    r:   quay.io\n\n\n", "i:\n    r:   h:5/p\n\n\n"),
        ] {
            check(before, &[("i.r", "h:5/p")], after);
        }
    }

    #[test]
    fn missing_paths_are_added() {
        for (before, after) in [
            ("", "i: {\"r\":\"h\"}\n"),
            ("# only\n# comments", "# only\n# comments\ni: {\"r\":\"h\"}\n"),
            ("j: 1\n", "i: {\"r\":\"h\"}\nj: 1\n"),
            ("i:\n", "i: {\"r\":\"h\"}\n"),
            ("i: # c\nj: 1\n", "i: {\"r\":\"h\"} # c\nj: 1\n"),
            ("i: null\n", "i: {\"r\":\"h\"}\n"),
            ("i: {}\n", "i: {r: \"h\"}\n"),
            ("i: { t: 1 }\n", "i: {r: \"h\",  t: 1 }\n"),
            ("i:\n  # c\n  t: 1\n", "i:\n  # c\n  r: \"h\"\n  t: 1\n"),
            ("i:\r\n  t: 1\r\n", "i:\r\n  r: \"h\"\r\n  t: 1\r\n"),
        ] {
            check(before, &[("i.r", "h")], after);
        }
        let both = [("i.r", "h"), ("i.q", "1.10")];
        check("i:\n  t: 1\n", &both, "i:\n  q: \"1.10\"\n  r: \"h\"\n  t: 1\n");
        check("{}", &both, "{i: {\"q\":\"1.10\",\"r\":\"h\"}}");
        let two = [("c.r", "h"), ("s.r", "h")];
        check("{}", &two, "{c: {\"r\":\"h\"}, s: {\"r\":\"h\"}}");
        check(
            "s: {}\n",
            &[("s.a.r", "h"), ("s.b.r", "h")],
            "s: {a: {\"r\":\"h\"}, b: {\"r\":\"h\"}}\n",
        );
        check(
            "a:\n  b:\n    c: 1\n",
            &[("a.x-y.z", "on")],
            "a:\n  x-y: {\"z\":\"on\"}\n  b:\n    c: 1\n",
        );
    }

    #[test]
    fn aliases_keep_their_meaning() {
        for (before, after) in [
            // The value that changes is an alias.
            ("a: &x quay.io\ni: {r: *x}\n", "a: &x quay.io\ni: {r: \"h\"}\n"),
            // The value that changes has an anchor.
            (
                "i: {r: &x quay.io}\na: *x\nl: [*x]\n",
                "i: {r: &x h}\na: \"quay.io\"\nl: [\"quay.io\"]\n",
            ),
            // A merge overrules the keys before it.
            ("b: &b {r: q}\ni: {r: x, <<: *b}\n", "b: &b {r: q}\ni: {r: x, <<: *b, r: \"h\"}\n"),
            ("b: &b {r: q}\ni:\n  <<: *b # c\n", "b: &b {r: q}\ni:\n  <<: *b # c\n  r: \"h\"\n"),
            // The key comes from a merge, another one is the mapping's own.
            (
                "b: &b {r: q, t: 1}\ni:\n  <<: *b\n  u: 2\n",
                "b: &b {r: q, t: 1}\ni:\n  <<: *b\n  r: \"h\"\n  u: 2\n",
            ),
            (
                "i: &b {r: q, t: v}\nj: {<<: *b}\n",
                "i: &b {r: h, t: v}\nj: {<<: {\"r\":\"q\",\"t\":\"v\"}}\n",
            ),
            ("b: &b {r: q, t: v}\ni: *b\n", "b: &b {r: q, t: v}\ni: {\"r\":\"h\",\"t\":\"v\"}\n"),
            ("i: &b\n  r: q\nj: *b\n", "i: &b\n  r: h\nj: {\"r\":\"q\"}\n"),
        ] {
            check(before, &[("i.r", "h")], after);
        }
        // A table from a merge keeps its other members.
        check(
            "b: &b {i: {r: q, t: v}}\nc:\n  <<: *b\n",
            &[("c.i.r", "h")],
            "b: &b {i: {r: q, t: v}}\nc:\n  <<: *b\n  i: {\"r\":\"h\",\"t\":\"v\"}\n",
        );
    }

    #[test]
    fn texts_that_cannot_be_edited_are_refused() {
        let edits = Overrides::from([(vec!["i".into(), "r".into()], "h".into())]);
        let error =
            set_values(b"? i\n: {t: 1}\n? [a]\n: 2\n", &edits).expect_err("a key of a list");
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(set_values(b"- a\n", &edits).is_err());
        assert!(set_values(b"i: {r: x\n", &edits).is_err());
        let unchanged = set_values(b"i: { r: 'h' }", &edits).expect("nothing to do");
        assert_eq!(unchanged, b"i: { r: 'h' }");
    }

    #[test]
    fn values_that_need_quotes_get_them() {
        for (new, text) in [
            ("1.10", "\"1.10\""),
            ("on", "\"on\""),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("v1", "v1"),
            ("[::1]:5000/a", "\"[::1]:5000/a\""),
            ("r.io:5000", "r.io:5000"),
        ] {
            check("i: {r: x}", &[("i.r", new)], &format!("i: {{r: {text}}}"));
        }
    }

    /// Values files with the difficulties of real ones.
    const CORPUS: [(&str, &str); 6] = [
        ("plain", include_str!("../../tests/values/plain.yaml")),
        ("flow", include_str!("../../tests/values/flow.yaml")),
        ("anchors", include_str!("../../tests/values/anchors.yaml")),
        ("duplicates", include_str!("../../tests/values/duplicates.yaml")),
        ("crlf_bom", include_str!("../../tests/values/crlf_bom.yaml")),
        ("odd", include_str!("../../tests/values/odd.yaml")),
    ];

    /// The path of every scalar and of every empty table.
    fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    path.push(key.clone());
                    leaves(value, path, found);
                    path.pop();
                }
            }
            Value::Array(_) => {}
            _ => found.push(path.clone()),
        }
    }

    /// The parts in which two texts differ: both without their common beginning and end.
    fn changed<'t>(a: &'t str, b: &'t str) -> (&'t str, &'t str) {
        let start: usize =
            a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
        let (a, b) = (&a[start..], &b[start..]);
        let end: usize = a
            .chars()
            .rev()
            .zip(b.chars().rev())
            .take_while(|(a, b)| a == b)
            .map(|(c, _)| c.len_utf8())
            .sum();
        (&a[..a.len() - end], &b[..b.len() - end])
    }

    #[test]
    fn every_value_of_the_corpus_changes_alone() {
        for (name, text) in CORPUS {
            let old = yaml::parse(text.as_bytes()).expect(name);
            let mut paths = Vec::new();
            leaves(&old, &mut Vec::new(), &mut paths);
            assert!(paths.len() > 3, "{name}");
            for path in paths {
                for new in ["h.example:5000/a-b/c", "1.10", "it's \"x\" # y"] {
                    let edits = Overrides::from([(path.clone(), new.to_owned())]);
                    let what = format!("{name}: {path:?} = {new}");
                    let edited = set_values(text.as_bytes(), &edits).expect(&what);
                    let mut expected = old.clone();
                    set(&mut expected, &path, new);
                    assert_eq!(yaml::parse(&edited).expect(&what), expected, "{what}");
                    // The text changes in one place; with anchors, also at the aliases.
                    let edited = String::from_utf8(edited).expect("text");
                    let (before, _) = changed(text, &edited);
                    let lines = before.trim().lines().count();
                    let shared = name == "anchors";
                    assert!(shared || lines <= 4, "{what}: {before:?}");
                    assert_eq!(text.contains("\r\n"), edited.contains("\r\n"), "{what}");
                }
            }
        }
    }
}
