//! Operations on files, as strace shows them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The operations that change files.
pub(crate) const SYSCALLS: &str = "openat,write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync,mkdir,mkdirat";

/// An operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) syscall: String,
    /// The how many-th of its name it is in its thread, from 1.
    number: usize,
    /// The file, relative to the root; empty for the root itself.
    pub(crate) from: String,
    /// The new name.
    pub(crate) to: String,
    /// It changed nothing, such as a `mkdir` of what is there.
    has_failed: bool,
    /// Digests in what is written.
    digests: Vec<String>,
    /// The lines of the trace in which it begins and ends.
    begins: usize,
    ends: usize,
}

/// A line of the trace without the root, for messages.
pub(crate) fn relative(line: Option<&str>, root: &Path) -> String {
    line.unwrap_or_default().replace(&format!("{}/", root.display()), "")
}

/// The operations that change something at or below a folder.
pub(crate) fn operations(trace: &str, root: &Path) -> Vec<Operation> {
    let (mut counts, mut found) = (BTreeMap::<(&str, &str), usize>::new(), Vec::new());
    let mut begun: BTreeMap<&str, Operation> = BTreeMap::new();
    for (line_number, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            let has_failed = has_failed(rest);
            let ended = |o| Operation { ends: line_number, has_failed, ..o };
            found.extend(begun.remove(thread).map(ended));
            continue;
        }
        let Some((syscall, arguments)) = rest.split_once('(') else { continue };
        let number = counts.entry((thread, syscall)).or_default();
        *number += 1;
        let opens = syscall == "openat" && !arguments.contains("O_CREAT");
        let paths = paths(arguments, root);
        let [from, to] = match &paths[..] {
            _ if opens => continue,
            [] => continue,
            [from] => [from.clone(), String::new()],
            [from, .., to] => [from.clone(), to.clone()],
        };
        let (syscall, number) = (syscall.to_owned(), *number);
        let (begins, ends) = (line_number, line_number);
        let digests = digests(arguments);
        let has_failed = has_failed(rest);
        let operation = Operation { syscall, number, from, to, has_failed, digests, begins, ends };
        if rest.contains("<unfinished ...>") {
            begun.insert(thread, operation);
        } else {
            found.push(operation);
        }
    }
    found.sort_by_key(|operation| operation.begins);
    found
}

/// The paths at or below a folder, among the arguments: in quotes, or beside a descriptor.
fn paths(arguments: &str, root: &Path) -> Vec<String> {
    let root = root.display().to_string();
    let parts = arguments.split(['"', '<', '>']);
    let below = parts.filter_map(|part| part.strip_prefix(&root));
    let below = below.filter(|rest| rest.is_empty() || rest.starts_with('/'));
    below.map(|rest| rest.trim_start_matches('/').to_owned()).collect()
}

fn has_failed(line: &str) -> bool {
    line.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with("-1 "))
}

/// The digests in a text, in hex.
fn digests(text: &str) -> Vec<String> {
    let parts = text.split("sha256:").skip(1);
    parts.filter_map(|part| part.get(..64)).map(str::to_owned).collect()
}

/// The digests of these blobs, and of all that they refer to.
fn closure(store: &Path, mut wanted: Vec<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    while let Some(digest) = wanted.pop() {
        let content = std::fs::read(store.join("blobs/sha256").join(&digest)).unwrap_or_default();
        if found.insert(digest) && content.starts_with(b"{") {
            // A config names the digests of layers as they are unpacked, which are no blobs.
            let text = String::from_utf8_lossy(&content);
            if text.contains("schemaVersion") {
                wanted.extend(digests(&text));
            }
        }
    }
    found
}

/// The folder of a file.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Operation {
    /// Where a run can be killed: name and number of the operation in its thread.
    pub(crate) fn places(operations: &[Self]) -> BTreeSet<(String, usize)> {
        operations.iter().map(|o| (o.syscall.clone(), o.number)).collect()
    }

    pub(crate) fn gives_a_name(&self) -> bool {
        self.syscall.starts_with("rename") || self.syscall.starts_with("link")
    }

    fn flushes(&self, path: &str) -> bool {
        self.syscall.ends_with("sync") && self.from == path
    }

    /// Fails unless what gets a name here is on disk before; for an index, the names of all that it lists,
    /// too, and its own name afterwards.
    pub(crate) fn check_order(&self, operations: &[Self], store: &Path) {
        let before: Vec<&Self> =
            operations.iter().filter(|o| !o.has_failed && o.ends < self.begins).collect();
        let is_write = |o: &&Self| o.syscall.contains("write") && o.from == self.from;
        let last_write = before.iter().rposition(is_write);
        let flush = before.iter().rposition(|o| o.flushes(&self.from));
        assert!(flush > last_write && flush.is_some(), "{self:?} before its content is on disk");
        if self.to != "index.json" {
            return;
        }
        let listed = before.iter().filter(|o| is_write(o)).flat_map(|o| o.digests.clone());
        let listed = closure(store, listed.collect());
        assert!(!listed.is_empty(), "{self:?} lists nothing");
        for name in before.iter().filter(|o| o.gives_a_name() || o.syscall.starts_with("mkdir")) {
            let given = if name.to.is_empty() { &name.from } else { &name.to };
            let is_listed = given
                .rsplit_once('/')
                .is_none_or(|(_, last)| last == "sha256" || listed.contains(last));
            if !is_listed || given.is_empty() || given == "index.json" {
                continue;
            }
            let is_on_disk =
                before.iter().any(|o| o.begins > name.ends && o.flushes(folder(given)));
            assert!(is_on_disk, "{self:?} before the name of {given} is on disk");
        }
        let is_kept = operations.iter().any(|o| o.begins > self.ends && o.flushes(""));
        assert!(is_kept, "{self:?}, and its name is never flushed");
    }
}
