//! What fuzzing looks at: one function for each target of `fuzz/`. Each takes any bytes, and panics where a law
//! of the code that reads them does not hold. Compiled for fuzzing and for tests alone.
#![cfg_attr(not(fuzzing), allow(unreachable_pub, reason = "public for the programs in `fuzz/`"))]

mod documents;
mod fusion;
mod packages;

pub(crate) use packages::{check_package, docker_archive};

use crate::{chart, header, source};

macro_rules! targets {
    ($($name:ident in $($part:ident)::+;)*) => {
        $(
            #[allow(missing_docs, reason = "the laws stand at the function that it calls")]
            pub fn $name(data: &[u8]) {
                $($part)::+::$name(data);
            }
        )*

        /// Every target by its name.
        #[cfg(test)]
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), $name)),*];
    };
}

targets! {
    yaml in chart::fuzzing;
    set_values in chart::fuzzing;
    hint in chart::fuzzing;
    chart_yaml in chart::fuzzing;
    outline in chart::fuzzing;
    tar_walk in source::fuzzing;
    gzip_resume in source::fuzzing;
    zstd in source::fuzzing;
    docker_manifest in packages;
    oci_index in packages;
    reference in documents;
    challenge in header::fuzzing;
    link_header in header::fuzzing;
    cluster_config in documents;
    plan_json in documents;
    index_cache in source::fuzzing;
    fuse in fusion;
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::TARGETS;

    /// Every input that is kept, those that found something included, is taken by its target.
    #[test]
    fn kept_inputs_find_nothing() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (target, run) in TARGETS {
            let mut count = 0;
            for folder in ["corpus", "findings"] {
                let Ok(files) = fs::read_dir(fuzz.join(folder).join(target)) else { continue };
                for file in files {
                    let path = file.expect("a file").path();
                    let data = fs::read(&path).expect("a file");
                    assert!(data.len() <= 4 << 10, "{} is large", path.display());
                    // The name of the input is the first thing to know when it panics.
                    let found = std::panic::catch_unwind(|| run(&data));
                    assert!(found.is_ok(), "{target} does not take {}", path.display());
                    count += 1;
                }
            }
            assert!(count >= 3, "{target} has {count} inputs");
        }
    }

    /// Each target has its program and is built.
    #[test]
    fn programs_and_targets_are_the_same() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
        let programs: std::collections::BTreeSet<&str> = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"))
            .collect();
        let names: Vec<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs\"")).collect();
        assert_eq!(programs, names.iter().map(String::as_str).collect());
        for (name, _) in TARGETS {
            let path = fuzz.join(format!("fuzz_targets/{name}.rs"));
            let text = fs::read_to_string(path).expect("a program");
            assert!(text.contains(&format!("multiarch_core::fuzzing::{name}")), "{text}");
        }
    }
}
