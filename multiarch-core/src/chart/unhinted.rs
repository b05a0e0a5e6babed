//! Values that name an image of the package although no hint says so.
//!
//! A chart's author may have forgotten a hint, or left it out because the default templates do not use the
//! value. A user who turns it on runs an image from the internet, although the package holds it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Hint, TargetName, Values, go,
    hint::Overrides,
    pin::stem,
    values::{get_table, get_value, is_copy_of_global, leaves},
};
use crate::{
    error::Result,
    image::{Reference, canonical_reference},
    limit::{self, Budget},
};

/// Values that together name an image, in a string or in two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnhintedImage {
    /// One path, or those of the registry and of the repository.
    pub(crate) paths: Vec<Vec<String>>,
    /// What they name in the original chart.
    pub(crate) reference: String,
    /// New values for them; empty where no values name the image in the target.
    pub(crate) edits: Overrides,
}

/// The images of a chart: their original references, and their names in the target.
#[derive(Debug, Default)]
pub(crate) struct KnownImages {
    by_origin: BTreeMap<String, Vec<(Option<String>, TargetName)>>,
    references: BTreeSet<String>,
}

impl KnownImages {
    /// Adds an image. A reference without a host is a word like others, and is passed over.
    pub(crate) fn add(&mut self, reference: &str, name: &TargetName) {
        self.references.insert(reference.to_owned());
        let Ok(reference) = reference.parse::<Reference>() else { return };
        if reference.has_host() {
            let images = self.by_origin.entry(origin(&reference)).or_default();
            images.push((reference.tag().map(ToOwned::to_owned), name.clone()));
        }
    }

    /// The references that none of these hints renders.
    pub(crate) fn without_hint(&self, hints: &[Hint], values: &Values) -> Vec<&str> {
        let rendered = hints.iter().filter_map(|hint| hint.render(values).ok());
        let rendered: BTreeSet<String> = rendered.map(|text| canonical_reference(&text)).collect();
        let is_hinted = |image: &str| rendered.contains(&canonical_reference(image));
        self.references.iter().map(String::as_str).filter(|image| !is_hinted(image)).collect()
    }

    /// The name of an image with this host, repository and tag; without a tag, any with the repository.
    fn name(&self, reference: &Reference) -> Option<Option<&TargetName>> {
        let images = self.by_origin.get(&origin(reference))?;
        let fitting = images
            .iter()
            .find(|(tag, _)| reference.tag().is_none() || tag.as_deref() == reference.tag());
        Some(fitting.map(|(_, name)| name))
    }
}

/// Host and repository, normalised.
fn origin(reference: &Reference) -> String {
    format!("{}/{}", reference.host(), reference.repository())
}

/// Finds values that no hint reads and that name one of these images. `edits` are those that the hints need;
/// what they make right is not reported.
///
/// # Errors
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) where there are more than any chart has.
pub(crate) fn unhinted_images(
    values: &Values,
    hints: &[Hint],
    edits: &Overrides,
    images: &KnownImages,
    registry: &str,
) -> Result<Vec<UnhintedImage>> {
    let read: BTreeSet<&[String]> =
        hints.iter().flat_map(Hint::placeholders).map(|(_, path)| path).collect();
    let mut finder = Finder {
        values,
        read,
        edits: edits.clone(),
        images,
        registry,
        pairs: limit::UNHINTED_PAIRS.budget(),
        found: Vec::new(),
    };
    let own = leaves(values).into_iter().filter(|(path, _)| !is_copy_of_global(values, path));
    let own: Vec<(Vec<String>, &Value)> = own.collect();
    let texts = own.iter().filter_map(|(path, value)| Some((path, value.as_str()?)));
    let texts: Vec<(&Vec<String>, &str)> = texts.collect();
    for (path, text) in &texts {
        finder.whole(path, text)?;
    }
    for (path, value) in &own {
        if let Value::Array(items) = value {
            finder.list(path, items)?;
        }
    }
    for (path, text) in &texts {
        finder.beside(path, text)?;
    }
    Ok(finder.found)
}

struct Finder<'a> {
    values: &'a Values,
    read: BTreeSet<&'a [String]>,
    /// The edits of the hints, and those found so far.
    edits: Overrides,
    images: &'a KnownImages,
    registry: &'a str,
    /// The pairs that may still be tried.
    pairs: Budget,
    found: Vec<UnhintedImage>,
}

impl Finder<'_> {
    /// Whether a hint reads the value, or it has got a new one.
    fn is_fixed(&self, path: &[String]) -> bool {
        self.read.contains(path) || self.edits.contains_key(path)
    }

    /// What names the image in the target; with a tag where the original reference has one.
    fn target_text(&self, name: &TargetName, original: &Reference) -> String {
        match original.tag() {
            Some(_) => format!("{}/{name}", self.registry),
            None => format!("{}/{}", self.registry, name.repository()),
        }
    }

    /// A value that is a reference by itself.
    fn whole(&mut self, path: &[String], text: &str) -> Result<()> {
        if self.is_fixed(path) {
            return Ok(());
        }
        let Ok(reference) = text.parse::<Reference>() else { return Ok(()) };
        let known = reference.has_host().then(|| self.images.name(&reference)).flatten();
        let Some(name) = known else { return Ok(()) };
        let new = name.map(|name| self.target_text(name, &reference));
        let edits = new.map(|new| (path.to_vec(), new)).into_iter().collect();
        self.add(vec![path.to_vec()], text, edits)
    }

    /// References in a list. They are only reported, because a value in a list cannot be set alone.
    fn list(&mut self, path: &[String], items: &[Value]) -> Result<()> {
        for (number, item) in items.iter().enumerate() {
            let mut path = path.to_vec();
            if let Some(last) = path.last_mut() {
                last.push_str(&format!("[{number}]"));
            }
            match item {
                Value::Object(table) => self.table_in_list(&path, table)?,
                Value::Array(items) => self.list(&path, items)?,
                single => {
                    let text = single.as_str().unwrap_or_default();
                    if self.is_known(text) {
                        self.add(vec![path], text, Overrides::new())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn table_in_list(&mut self, path: &[String], table: &Values) -> Result<()> {
        for (below, value) in leaves(table) {
            let whole: Vec<String> = path.iter().chain(&below).cloned().collect();
            let Some(text) = value.as_str() else {
                if let Value::Array(items) = value {
                    self.list(&whole, items)?;
                }
                continue;
            };
            if self.is_known(text) {
                self.add(vec![whole], text, Overrides::new())?;
                continue;
            }
            let Some((_, above)) = below.split_last() else { continue };
            let beside = get_table(table, above);
            let beside = beside.filter(|table| limit::VALUES_BESIDE.check(table.len()).is_ok());
            for (key, rest) in beside.into_iter().flatten() {
                self.pairs.spend(1_u64)?;
                let together = format!("{text}/{}", rest.as_str().unwrap_or_default());
                if self.is_known(&together) {
                    let other = path.iter().chain(above).chain([key]).cloned().collect();
                    self.add(vec![whole.clone(), other], &together, Overrides::new())?;
                }
            }
        }
        Ok(())
    }

    fn is_known(&self, text: &str) -> bool {
        let reference = text.parse::<Reference>().ok().filter(Reference::has_host);
        reference.is_some_and(|reference| self.images.name(&reference).is_some())
    }

    /// A value that is the beginning of a reference, and the rest in another value of its table.
    fn beside(&mut self, path: &[String], registry: &str) -> Result<()> {
        let Some((_, above)) = path.split_last() else { return Ok(()) };
        let table = get_table(self.values, above);
        let table = table.filter(|table| limit::VALUES_BESIDE.check(table.len()).is_ok());
        if registry.contains(' ') || !registry.contains(['.', ':']) && registry != "localhost" {
            return Ok(());
        }
        for (key, rest) in table.into_iter().flatten() {
            self.pairs.spend(1_u64)?;
            let other: Vec<String> = above.iter().chain([key]).cloned().collect();
            let Some(rest) = rest.as_str().filter(|_| !self.read.contains(other.as_slice())) else {
                continue;
            };
            // Without a tag in the value, one beside it counts.
            let tag = table.and_then(|table| table.get("tag")).map(go::format);
            let is_its = stem(key).is_empty() && !rest.contains(':');
            let tag = tag.filter(|tag| is_its && !tag.is_empty());
            let text = format!("{registry}/{rest}");
            let whole = tag.map_or(text.clone(), |tag| format!("{text}:{tag}"));
            let (Ok(reference), Ok(whole)) = (text.parse::<Reference>(), whole.parse()) else {
                continue;
            };
            if let Some(name) = self.images.name(&whole)
                && other != path
            {
                let name = name.cloned();
                self.pair(path, &other, &text, &reference, name.as_ref())?;
            }
        }
        Ok(())
    }

    fn pair(
        &mut self,
        path: &[String],
        other: &[String],
        text: &str,
        reference: &Reference,
        name: Option<&TargetName>,
    ) -> Result<()> {
        let now = |path: &[String]| {
            let original = || get_value(self.values, path).and_then(Value::as_str);
            self.edits
                .get(path)
                .map(String::as_str)
                .or_else(original)
                .unwrap_or_default()
                .to_owned()
        };
        let (registry, rest) = (now(path), now(other));
        let wanted = name.map(|name| self.target_text(name, reference));
        if wanted.as_ref().is_some_and(|wanted| *wanted == format!("{registry}/{rest}")) {
            return Ok(());
        }
        let edits = wanted.and_then(|wanted| {
            let new_rest = || wanted.strip_prefix(&registry)?.strip_prefix('/');
            let new_registry = || wanted.strip_suffix(&rest)?.strip_suffix('/');
            match (self.is_fixed(path), self.is_fixed(other)) {
                (true, true) => None,
                (true, false) => Some(vec![(other.to_vec(), new_rest()?.to_owned())]),
                (false, is_fixed) => match new_registry() {
                    Some(new) => Some(vec![(path.to_vec(), new.to_owned())]),
                    None if is_fixed => None,
                    None => {
                        let rest = wanted.strip_prefix(self.registry)?.strip_prefix('/')?;
                        let registry = self.registry.to_owned();
                        Some(vec![(path.to_vec(), registry), (other.to_vec(), rest.to_owned())])
                    }
                },
            }
        });
        let edits = edits.unwrap_or_default().into_iter().collect();
        self.add(vec![path.to_vec(), other.to_vec()], text, edits)
    }

    fn add(&mut self, paths: Vec<Vec<String>>, reference: &str, edits: Overrides) -> Result<()> {
        self.edits.extend(edits.clone());
        self.found.push(UnhintedImage { paths, reference: reference.to_owned(), edits });
        limit::UNHINTED.check(self.found.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_name_images_of_the_package() {
        let Value::Object(values) = json!({
            "i": {"registry": "quay.io", "repository": "a/b", "tag": "v1", "sidecar": "a/c", "other": "a/unknown"},
            "whole": "quay.io/a/b:v1", "bare": "quay.io/a/c", "elsewhere": "quay.io/x/y:v1", "tag": "quay.io/a/b:v9",
            "list": [{"name": "s", "image": "quay.io/a/c:v2"}, "quay.io/a/b:v1", {"registry": "quay.io", "repository": "a/b"}],
            "split": {"host": "quay.io/a", "image": "c"}, "text": "see quay.io/a/b for more",
        }) else {
            unreachable!()
        };
        let hints: Vec<Hint> =
            vec!["{{ .i.registry }}/{{ .i.repository }}:{{ .i.tag }}".parse().expect("a hint")];
        let mut images = KnownImages::default();
        for (reference, name) in
            [("quay.io/a/b:v1", "quay.io/a/b:v1"), ("quay.io/a/c:v2", "quay.io/a/c:v2")]
        {
            images.add(reference, &name.parse().expect("a name"));
        }
        let edits = Overrides::from([(vec!["i".into(), "registry".into()], "r.io/quay.io".into())]);
        let found = unhinted_images(&values, &hints, &edits, &images, "r.io").expect("few");
        let found: Vec<(String, Vec<(String, String)>)> = found
            .into_iter()
            .map(|one| {
                let edits = one.edits.into_iter().map(|(path, new)| (path.join("."), new));
                let paths: Vec<String> = one.paths.iter().map(|path| path.join(".")).collect();
                (paths.join(" "), edits.collect())
            })
            .collect();
        let one = |path: &str, new: &str| vec![(path.to_owned(), new.to_owned())];
        assert_eq!(
            found,
            [
                ("bare".to_owned(), one("bare", "r.io/quay.io/a/c")),
                ("tag".to_owned(), vec![]),
                ("whole".to_owned(), one("whole", "r.io/quay.io/a/b:v1")),
                ("list[0].image".to_owned(), vec![]),
                ("list[1]".to_owned(), vec![]),
                ("list[2].registry list[2].repository".to_owned(), vec![]),
                ("split.host split.image".to_owned(), one("split.host", "r.io/quay.io/a")),
            ],
            "i.sidecar is right with the edit of i.registry"
        );
    }

    #[test]
    fn limit_of_values_beside() {
        let found = |beside: usize| {
            let mut table: Values = (0..beside).map(|i| (format!("v{i}"), json!("x"))).collect();
            table.insert("host".into(), json!("quay.io/a"));
            table.insert("image".into(), json!("c"));
            let mut images = KnownImages::default();
            images.add("quay.io/a/c:v2", &"quay.io/a/c:v2".parse().expect("a name"));
            unhinted_images(&table, &[], &Overrides::new(), &images, "r.io").expect("few").len()
        };
        assert_eq!((found(198), found(199)), (1, 0));
    }

    fn found_in(values: Values) -> Result<Vec<UnhintedImage>> {
        let mut images = KnownImages::default();
        images.add("quay.io/a/c:v2", &"quay.io/a/c:v2".parse().expect("a name"));
        unhinted_images(&values, &[], &Overrides::new(), &images, "r.io")
    }

    #[test]
    fn limit_of_unhinted() {
        let many = |count: usize| {
            found_in((0..count).map(|i| (format!("v{i}"), json!("quay.io/a/c:v2"))).collect())
        };
        assert_eq!(many(1000).expect("within").len(), 1000);
        assert!(many(1001).is_err());
    }

    #[test]
    fn limit_of_unhinted_pairs() {
        let table = || -> Values { (0..200).map(|i| (format!("v{i}"), json!("x.y"))).collect() };
        let tables = |count: usize| {
            found_in((0..count).map(|i| (format!("t{i}"), Value::Object(table()))).collect())
        };
        assert!(tables(5).is_ok() && tables(6).is_err());
    }
}
