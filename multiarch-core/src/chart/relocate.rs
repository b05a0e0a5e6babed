//! Relocation: which values of a chart change so that it names its images in the target.
//!
//! charts-syncer edits each hint's values as if it were alone. Where hints share a value that way
//! breaks: the last edit wins, and the others name what nobody pushed. Here the hints that share
//! values are solved together, and every hint is rendered again with all edits in place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hint, Naming, TargetName, Values, hint::Overrides, naming::Edits};
use crate::error::{Detail, Error, ErrorKind, Result};

/// What becomes of a chart's images and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relocation {
    /// The name of each hint's image, in the order of the hints.
    pub names: Vec<TargetName>,
    /// The name that charts-syncer would push each hint's image to.
    pub pushed: Vec<TargetName>,
    /// The values that change, by path.
    pub edits: Overrides,
}

/// Solves a chart's hints: names for their images below `registry` (a host, and perhaps a path), and
/// the edits that make the chart render them.
///
/// # Errors
/// [`ErrorKind::Hint`] where a value is missing, what is rendered is no reference, or no edit makes
/// all hints right.
pub(crate) fn relocate(
    hints: &[Hint],
    values: &Values,
    naming: &Naming,
    registry: &str,
) -> Result<Relocation> {
    let alone: Vec<Edits> =
        hints.iter().map(|hint| naming.edits(hint, values, registry)).collect::<Result<_>>()?;
    let pushed: Vec<TargetName> = hints
        .iter()
        .zip(&alone)
        .map(|(hint, edits)| name(hint, values, &edits.iter().cloned().collect(), registry))
        .collect::<Result<_>>()?;
    let mut edits = Overrides::new();
    for group in groups(hints) {
        let of = |edits: &[Edits]| -> Vec<(usize, Edits)> {
            group.iter().map(|&i| (i, edits[i].clone())).collect()
        };
        let right = |names: &[(usize, TargetName)]| names.iter().all(|(i, n)| *n == pushed[*i]);
        if let Ok((names, all)) = together(hints, values, &of(&alone), registry)
            && right(&names)
        {
            edits.extend(all);
            continue;
        }
        let mut shared = Vec::new();
        for &i in &group {
            shared.push((i, naming.edits_of_registry(&hints[i], values, registry)?));
        }
        let (_, all) = together(hints, values, &shared, registry)?;
        edits.extend(all);
    }
    let names = hints.iter().map(|hint| name(hint, values, &edits, registry));
    Ok(Relocation { names: names.collect::<Result<_>>()?, pushed, edits })
}

/// What a chart renders when each hint is edited as if it were alone, the last one winning: what an
/// earlier tool left in a chart repository.
pub(crate) fn rendered_alone(
    hints: &[Hint],
    values: &Values,
    naming: &Naming,
    registry: &str,
) -> Result<Vec<TargetName>> {
    let mut edits = Overrides::new();
    for hint in hints {
        edits.extend(naming.edits(hint, values, registry)?);
    }
    hints.iter().map(|hint| name(hint, values, &edits, registry)).collect()
}

/// Hints that share a value belong together.
fn groups(hints: &[Hint]) -> Vec<BTreeSet<usize>> {
    let mut groups: Vec<(BTreeSet<&[String]>, BTreeSet<usize>)> = Vec::new();
    for (index, hint) in hints.iter().enumerate() {
        let mut paths: BTreeSet<&[String]> = hint.edited_paths().collect();
        let mut members = BTreeSet::from([index]);
        groups.retain(|(others, indexes)| {
            let apart = others.is_disjoint(&paths);
            if !apart {
                paths.extend(others);
                members.extend(indexes);
            }
            apart
        });
        groups.push((paths, members));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// All edits of a group at once, and the names that its hints render then.
fn together(
    hints: &[Hint],
    values: &Values,
    edits: &[(usize, Edits)],
    registry: &str,
) -> Result<(Vec<(usize, TargetName)>, Overrides)> {
    let mut all: BTreeMap<Vec<String>, (usize, String)> = BTreeMap::new();
    for (index, edits) in edits {
        for (path, value) in edits {
            match all.get(path) {
                Some((other, there)) if there != value => {
                    let message = format!(
                        "hints {:?} and {:?} share the value .{}, and no single value is right for both",
                        hints[*other].to_string(),
                        hints[*index].to_string(),
                        path.join("."),
                    );
                    return Err(
                        Error::new(ErrorKind::Hint, message).with_detail(Detail::SharedValue)
                    );
                }
                Some(_) => {}
                None => {
                    all.insert(path.clone(), (*index, value.clone()));
                }
            }
        }
    }
    let all: Overrides = all.into_iter().map(|(path, (_, value))| (path, value)).collect();
    let names = edits
        .iter()
        .map(|(index, _)| Ok((*index, name(&hints[*index], values, &all, registry)?)))
        .collect::<Result<_>>()?;
    Ok((names, all))
}

/// The name that a hint renders with these edits.
fn name(hint: &Hint, values: &Values, edits: &Overrides, registry: &str) -> Result<TargetName> {
    let rendered = hint.render_with(values, edits)?;
    let reference = hint.parse(&rendered)?;
    TargetName::below(registry, &reference).ok_or_else(|| {
        let message = format!(
            "hint {:?} renders {rendered:?}, which is not below {registry}",
            hint.to_string()
        );
        Error::new(ErrorKind::Hint, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::NameMode;
    use serde_json::{Value, json};

    const REGISTRY: &str = "r.io:5000";

    fn values() -> Values {
        let Value::Object(values) = json!({
            "r": "docker.m.daocloud.io", "hub": "docker.m.daocloud.io/istio", "bare": "fluxcd", "t": "v1",
            "one": "redis", "two": "a/b", "whole": "quay.m.daocloud.io/jetstack/x", "hubone": "nginx",
            "all": "m.daocloud.io/gcr.io/k/m:v2", "dot": "docker.io",
            "pinned": format!("gcr.io/k/m@sha256:{}", "5b".repeat(32)),
            "both": format!("v1@sha256:{}", "5b".repeat(32)),
        }) else {
            unreachable!()
        };
        values
    }

    fn naming(mode: NameMode) -> Naming {
        let path = matches!(mode, NameMode::Repository | NameMode::PrefixRepository);
        Naming::new(mode, path.then_some("p/q")).expect("a naming")
    }

    fn solve(mode: NameMode, hints: &[&str]) -> Result<Relocation> {
        let hints: Vec<Hint> = hints.iter().map(|hint| hint.parse().expect("a hint")).collect();
        relocate(&hints, &values(), &naming(mode), REGISTRY)
    }

    // Names that charts-syncer v0.0.23 left in a registry for hints of these shapes.
    #[test]
    fn mode_registry() {
        for (hint, name) in [
            ("{{ .r }}/{{ .two }}:{{ .t }}", "a/b:v1"),
            ("{{ .r }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .dot }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .hub }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .bare }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .r }}/{{ .two }}/core:{{ .t }}-x", "a/b/core:v1-x"),
            ("{{ .whole }}:{{ .t }}", "jetstack/x:v1"),
            ("{{ .hubone }}:{{ .t }}", "library/nginx:v1"),
            ("{{ .r }}/baizeai/agent:{{ .t }}", "baizeai/agent/baizeai/agent:v1"),
            ("{{ .all }}", "gcr.io/k/m:v2"),
            ("{{ .whole }}:v9", "jetstack/x:v9"),
            ("{{ .hubone }}", "library/nginx:latest"),
            ("{{ .pinned }}", "k/m:pinned-5b5b5b5b5b5b"),
            ("{{ .r }}/{{ .two }}:{{ .both }}", "a/b:v1"),
        ] {
            let solved = solve(NameMode::Registry, &[hint]).expect(hint);
            assert_eq!(solved.names[0].to_string(), name, "{hint}");
            assert_eq!(solved.names, solved.pushed);
        }
        for hint in ["quay.io/{{ .r }}/{{ .two }}:{{ .t }}", "{{ .r }}/{{ .two }}:{{ .two }}"] {
            assert!(solve(NameMode::Registry, &[hint]).is_err(), "{hint}");
        }
    }

    // By the table of charts-syncer's own rules.
    #[test]
    fn other_modes() {
        use NameMode::{AppendOrigin, PrefixRegistry, PrefixRepository, Repository};
        for (mode, hint, name) in [
            (Repository, "{{ .whole }}:{{ .t }}", "p/q/x:v1"),
            (Repository, "{{ .dot }}/{{ .one }}:{{ .t }}", "p/q/redis:v1"),
            (PrefixRepository, "{{ .dot }}/{{ .one }}:{{ .t }}", "p/q/library/redis:v1"),
            (PrefixRepository, "{{ .r }}/{{ .one }}:{{ .t }}", "p/q/redis:v1"),
            (PrefixRepository, "{{ .hub }}/{{ .one }}:{{ .t }}", "p/q/istio/redis:v1"),
            (PrefixRegistry, "{{ .hubone }}:{{ .t }}", "index.docker.io/library/nginx:v1"),
            (PrefixRegistry, "{{ .whole }}:{{ .t }}", "quay.m.daocloud.io/jetstack/x:v1"),
            (
                PrefixRegistry,
                "{{ .hub }}/{{ .one }}:{{ .t }}",
                "docker.m.daocloud.io/istio/redis:v1",
            ),
            (AppendOrigin, "{{ .hub }}/{{ .one }}:{{ .t }}", "docker.m.daocloud.io/redis:v1"),
            (AppendOrigin, "{{ .whole }}:{{ .t }}", "quay.m.daocloud.io/jetstack/x:v1"),
        ] {
            let solved = solve(mode, &[hint]).expect(hint);
            assert_eq!(solved.names[0].to_string(), name, "{mode:?} {hint}");
            assert_eq!(solved.names, solved.pushed, "{mode:?} {hint}");
        }
    }

    #[test]
    fn hints_that_share_a_value_are_solved_together() {
        use NameMode::{AppendOrigin, PrefixRegistry, PrefixRepository, Registry, Repository};
        let hints = ["{{ .r }}/{{ .two }}/x:{{ .t }}", "{{ .r }}/{{ .two }}/y:{{ .t }}"];
        for (mode, prefix) in [
            (Registry, ""),
            (Repository, "p/q/"),
            (PrefixRepository, "p/q/"),
            (PrefixRegistry, "docker.m.daocloud.io/"),
            (AppendOrigin, "docker.m.daocloud.io/"),
        ] {
            let solved = solve(mode, &hints).expect("solvable");
            let names: Vec<String> = solved.names.iter().map(ToString::to_string).collect();
            assert_eq!(names, [format!("{prefix}a/b/x:v1"), format!("{prefix}a/b/y:v1")]);
            assert_eq!(solved.edits.len(), 1, "the registry alone");
        }
        // One value for registry and path, with literals behind it.
        let hints = ["{{ .hub }}/pilot:{{ .t }}", "{{ .hub }}/proxy:{{ .t }}"];
        let solved = solve(Registry, &hints).expect("solvable");
        assert_eq!(solved.names[1].to_string(), "istio/proxy:v1");
    }

    #[test]
    fn what_cannot_be_solved_says_so() {
        let hints =
            ["{{ .r }}/{{ .two }}:{{ .t }}", "{{ .r }}:{{ .t }}", "{{ .bare }}/{{ .r }}:{{ .t }}"];
        let error = solve(NameMode::Registry, &hints).expect_err("no way");
        assert!(error.message().contains("share the value .r"), "{error}");
    }

    #[test]
    fn modes_and_their_paths() {
        assert!(Naming::new(NameMode::Repository, None).is_err());
        assert!(Naming::new(NameMode::Registry, Some("p")).is_err());
        assert!(Naming::new(NameMode::PrefixRepository, Some("P")).is_err());
    }
}
