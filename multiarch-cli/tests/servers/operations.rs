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
            found.extend(begun.remove(thread).map(|o| Operation { ends: line_number, ..o }));
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
        let operation =
            Operation { syscall, number, from, to, begins: line_number, ends: line_number };
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

    /// Fails unless what gets a name here is on disk before; for an index, all names, too, and its own name
    /// afterwards.
    pub(crate) fn check_order(&self, operations: &[Self]) {
        let before: Vec<&Self> = operations.iter().filter(|o| o.ends < self.begins).collect();
        let last_write = before.iter().rposition(|o| o.syscall.contains("write") && o.from == self.from);
        let flush = before.iter().rposition(|o| o.flushes(&self.from));
        assert!(flush > last_write && flush.is_some(), "{self:?} before its content is on disk");
        if self.to != "index.json" {
            return;
        }
        for name in before.iter().filter(|o| o.gives_a_name() || o.syscall.starts_with("mkdir")) {
            let given = if name.to.is_empty() { &name.from } else { &name.to };
            if given.is_empty() || given == "index.json" {
                continue;
            }
            let is_on_disk = before.iter().any(|o| o.begins > name.ends && o.flushes(folder(given)));
            assert!(is_on_disk, "{self:?} before the name of {given} is on disk");
        }
        let is_kept = operations.iter().any(|o| o.begins > self.ends && o.flushes(""));
        assert!(is_kept, "{self:?}, and its name is never flushed");
    }
}
