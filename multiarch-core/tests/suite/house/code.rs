//! Parses the library's source files: the paths that each file names, and the types that it defines.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, UseTree,
    visit::{self, Visit},
};

/// One source file, without its tests.
pub(crate) struct Source {
    /// Path below `src`, without the extension: `fuse/merge`.
    pub(crate) path: String,
    /// Every path that it names, as written: `crate::image::Digest`, `std::fs`.
    pub(crate) names: BTreeSet<Vec<String>>,
    /// The types that it defines.
    pub(crate) types: Vec<String>,
    pub(crate) is_unsafe: bool,
    pub(crate) is_async: bool,
}

impl Source {
    /// Its top module: the first part of its path.
    pub(crate) fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// The module path of this file, from the crate's root.
    fn own_path(&self) -> Vec<String> {
        std::iter::once("crate").chain(self.path.split('/')).map(Into::into).collect()
    }

    /// Every path that it names, from the crate's root.
    pub(crate) fn absolute_names(&self) -> impl Iterator<Item = Vec<String>> {
        let own = self.own_path();
        self.names.iter().map(move |name| {
            let mut base = match name[0].as_str() {
                "self" => own.clone(),
                "super" => own[..own.len() - 1].to_vec(),
                _ => return name.clone(),
            };
            let mut rest = &name[1..];
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
            base.extend(rest.iter().cloned());
            base
        })
    }
}

/// Every source file of the library.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let sources: Vec<Source> = files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(&root).expect("below the root").with_extension("");
            read(file, path.display().to_string())
        })
        .filter(|source| !["fuzzing", "lib", "tests"].contains(&source.module()))
        .collect();
    assert!(sources.len() > 100, "the code was not found");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn read(file: &Path, path: String) -> Source {
    let text = fs::read_to_string(file).expect("a source file");
    let parsed = syn::parse_file(&text).expect("Rust code");
    let mut source = Source {
        path,
        names: BTreeSet::new(),
        types: Vec::new(),
        is_unsafe: false,
        is_async: false,
    };
    source.visit_file(&parsed);
    source
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        cfg && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Struct(item) => self.types.push(item.ident.to_string()),
            Item::Enum(item) => self.types.push(item.ident.to_string()),
            Item::Trait(item) => self.types.push(item.ident.to_string()),
            Item::Type(item) => self.types.push(item.ident.to_string()),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.names.insert(path.segments.iter().map(|s| s.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.is_async |= signature.asyncness.is_some();
        self.is_unsafe |= signature.unsafety.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.is_async = true;
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.is_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.is_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }
}

impl Source {
    fn add_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        let add = |this: &mut Self, name: &syn::Ident| {
            let mut path = before.clone();
            if name != "self" || path.is_empty() {
                path.push(name.to_string());
            }
            this.names.insert(path);
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before));
            }
            UseTree::Name(name) => add(self, &name.ident),
            UseTree::Rename(rename) => add(self, &rename.ident),
            UseTree::Glob(_) => {
                self.names.insert(before.clone());
            }
        }
    }
}
