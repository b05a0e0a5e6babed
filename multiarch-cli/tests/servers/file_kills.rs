//! The command is killed at every operation on a file of an import into a directory, and the order of
//! these operations survives a loss of power. `strace` kills, and shows the order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    desk::{Desk, tags},
    operations::{Operation, SYSCALLS, operations, relative},
};

fn step() -> usize {
    if std::env::var_os("MULTIARCH_ENDURANCE").is_some() { 1 } else { 12 }
}

/// The demo packages, and a folder that holds everything that the command may write.
struct Place {
    desk: Desk,
}

impl Place {
    /// With a copy of a directory as the target.
    fn new(store: Option<&Path>) -> Self {
        let desk = Desk::new();
        for folder in ["cache", "home", "tmp"] {
            fs::create_dir(desk.path().join(folder)).expect("created");
        }
        if let Some(store) = store {
            for (name, content) in files(store) {
                let path = desk.store().join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("created");
                fs::write(path, content).expect("written");
            }
        }
        Self { desk }
    }

    /// An import under strace. Returns the trace.
    fn import(&self, architectures: &[&str], strace: &[&str]) -> String {
        let trace = self.desk.path().join("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-s", "100000", "-o"]).arg(&trace).args(strace);
        command.arg(env!("CARGO_BIN_EXE_multiarch"));
        command.args(["import", "-q", "--jobs", "1", "--to", &self.desk.target()]);
        command.args(architectures.iter().map(|architecture| self.desk.package(architecture)));
        for (variable, folder) in [
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
        ] {
            command.env(variable, self.desk.path().join(folder));
        }
        let output = command.output().expect("strace runs; `ci/test` installs it");
        let text = fs::read_to_string(&trace).expect("a trace");
        let _ = fs::remove_file(trace);
        let was_killed = text.contains("+++ killed by SIGKILL");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(was_killed || output.status.success(), "{err}");
        text
    }

    /// What is left besides the target, packages, whole snapshots, and whole indexes in the cache: elsewhere, and in the
    /// cache.
    fn rubbish(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let is_rubbish = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_known = ["store", "cache", "state"].iter().any(|known| path.starts_with(known));
            name.starts_with('.') || !is_known && !name.ends_with(".tar.gz")
        };
        let rubbish = files(self.desk.path()).into_keys().filter(is_rubbish);
        rubbish.partition(|path| !path.starts_with("cache/multiarch"))
    }
}

/// Path → content, of all files below a folder.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).into_iter().flatten() {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).expect("read");
                found.insert(path.strip_prefix(root).expect("below").to_owned(), content);
            }
        }
    }
    found
}

/// What is wrong with the tags of a directory: each must be as before or as after, and whole.
fn wrong_tags(store: &Path, before: &Path, after: &Path) -> Vec<String> {
    let read = |store: &Path| {
        if store.join("index.json").exists() { tags(store) } else { BTreeMap::new() }
    };
    let (now, old, new) = (read(store), read(before), read(after));
    let mut wrong: Vec<String> = old.keys().filter(|n| !now.contains_key(*n)).cloned().collect();
    for (name, digest) in now {
        if old.get(&name) != Some(&digest) && new.get(&name) != Some(&digest) {
            wrong.push(format!("{name} is neither as before nor complete"));
        }
        let mut wanted = vec![digest];
        while let Some(digest) = wanted.pop() {
            let path = store.join("blobs").join(digest.replace(':', "/"));
            let Ok(content) = fs::read(path) else {
                wrong.push(format!("{name}: {digest} is not there"));
                continue;
            };
            if format!("sha256:{}", multiarch_generator::sha256(&content)) != digest {
                wrong.push(format!("{name}: {digest} has other bytes"));
            }
            let Ok(document) = serde_json::from_slice::<serde_json::Value>(&content) else {
                continue;
            };
            let lists = ["manifests", "layers"].map(|member| document[member].as_array().cloned());
            let entries = lists.into_iter().flatten().flatten().chain([document["config"].clone()]);
            wanted.extend(entries.filter_map(|e| e["digest"].as_str().map(str::to_owned)));
        }
    }
    wrong
}

/// Kills imports at operations on files. Prints how many, and returns what is wrong.
#[expect(clippy::print_stdout, reason = "the counts are what the test is run for")]
fn kill_everywhere(name: &str, before: Option<&Path>) -> Vec<String> {
    let clean = Place::new(before);
    let trace = clean.import(&["amd64", "arm64"], &["-e", &format!("trace={SYSCALLS}")]);
    let places = Operation::places(&operations(&trace, clean.desk.path()));
    let (mut wrong, mut killed) = (Vec::new(), BTreeSet::new());
    let tried: Vec<_> = places.iter().step_by(step()).collect();
    for (syscall, number) in &tried {
        let place = Place::new(before);
        let inject = format!("inject={syscall}:signal=SIGKILL:when={number}");
        let trace = format!("trace={SYSCALLS}");
        let text = place.import(&["amd64", "arm64"], &["-e", &trace, "-e", &inject]);
        if text.contains("killed by SIGKILL") {
            killed.insert((syscall, number));
        }
        let store = place.desk.store();
        let empty = place.desk.path().join("none");
        let at = relative(text.lines().rfind(|l| l.contains(syscall.as_str())), place.desk.path());
        let mut note = |what: String| {
            wrong.push(format!("{name}, {syscall} number {number} ({at}): {what}"));
        };
        wrong_tags(&store, before.unwrap_or(&empty), &clean.desk.store())
            .into_iter()
            .for_each(&mut note);
        place.import(&["amd64", "arm64"], &["-e", "trace=none"]);
        if files(&store) != files(&clean.desk.store()) {
            note("the rerun has another result".into());
        }
        let (elsewhere, in_cache) = place.rubbish();
        if !elsewhere.is_empty() {
            note(format!("left over: {elsewhere:?}"));
        }
        if !in_cache.is_empty() {
            note(format!("left over in the cache: {in_cache:?}"));
        }
    }
    println!(
        "\nkills at operations on files, {name}: {} of {} places of the run tried, {} runs killed, {} wrong",
        tried.len(),
        places.len(),
        killed.len(),
        wrong.len(),
    );
    wrong
}

/// A directory that holds one architecture.
fn earlier() -> Place {
    let place = Place::new(None);
    place.import(&["amd64"], &["-e", "trace=none"]);
    place
}

#[test]
fn killed_at_every_operation_on_a_file() {
    let earlier = earlier();
    let mut wrong = kill_everywhere("import", None);
    wrong.extend(kill_everywhere("fusion", Some(&earlier.desk.store())));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Content is on disk before its name, and all names before the index that lists them.
#[test]
fn the_order_survives_a_loss_of_power() {
    let earlier = earlier();
    for before in [None, Some(earlier.desk.store())] {
        let place = Place::new(before.as_deref());
        let trace = place.import(&["amd64", "arm64"], &["-e", &format!("trace={SYSCALLS}")]);
        let operations = operations(&trace, &place.desk.store());
        let renames: Vec<&Operation> =
            operations.iter().filter(|operation| operation.gives_a_name()).collect();
        let indexes = renames.iter().filter(|rename| rename.to.ends_with("index.json")).count();
        assert!(indexes > 0 && renames.len() > 10, "{renames:?}");
        for rename in renames {
            rename.check_order(&operations, &place.desk.store());
        }
    }
}
