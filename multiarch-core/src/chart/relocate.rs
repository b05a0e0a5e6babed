//! Relocation: finds the values of a chart to change, so that it names its images in the target.
//!
//! charts-syncer edits the values of each hint on its own. Where hints share a value, the last edit
//! wins, and the other hints render names that were never pushed. Here the hints that share values are
//! solved together, and every hint is rendered again with all edits in place.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Hint, Naming, TargetName, Values,
    hint::{Overrides, Role},
    naming::{Edits, unpinned},
};
use crate::error::{Detail, Error, ErrorKind, Result};

/// New names for a chart's images, and the edits that make the chart render them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relocation {
    /// The name of each hint's image, in the order of the hints.
    pub names: Vec<TargetName>,
    /// The name that charts-syncer pushes each hint's image to, in the order of the hints.
    pub charts_syncer_names: Vec<TargetName>,
    /// The values that change, by path.
    pub edits: Overrides,
}

/// Solves a chart's hints: names for their images below `registry` (a host, and perhaps a path), and
/// the edits that make the chart render them.
///
/// # Errors
/// [`ErrorKind::Hint`] where a value is missing, a hint does not render a reference, or no edits make
/// all hints render their names.
pub(crate) fn relocate(
    hints: &[Hint],
    values: &Values,
    naming: &Naming,
    registry: &str,
) -> Result<Relocation> {
    let alone: Vec<Edits> =
        hints.iter().map(|hint| naming.edits(hint, values, registry)).collect::<Result<_>>()?;
    let charts_syncer_names: Vec<TargetName> = hints
        .iter()
        .zip(&alone)
        .map(|(hint, edits)| name(hint, values, &edits.iter().cloned().collect(), registry))
        .collect::<Result<_>>()?;
    let mut edits = Overrides::new();
    for group in groups(hints) {
        let solve = |edits: &dyn Fn(usize) -> Result<Edits>| {
            let edits = group.iter().map(|&i| Ok((i, edits(i)?))).collect::<Result<Vec<_>>>()?;
            together(hints, values, &edits, registry)
        };
        let right = |(names, edits): (Vec<(usize, TargetName)>, Overrides)| {
            let is_right = names.iter().all(|(i, name)| *name == charts_syncer_names[*i]);
            is_right.then_some(edits)
        };
        // A template may read another of the values alone, so it is best when only the registry changes.
        let registry_alone = |i: usize| {
            let wanted = format!("{registry}/{}", charts_syncer_names[i]);
            Ok(registry_for(&hints[i], values, &wanted)?.unwrap_or_else(|| alone[i].clone()))
        };
        let solved = solve(&registry_alone).ok().and_then(right);
        let solved = solved.or_else(|| solve(&|i| Ok(alone[i].clone())).ok().and_then(right));
        edits.extend(match solved {
            Some(edits) => edits,
            None => solve(&|i| naming.edits_of_registry(&hints[i], values, registry))?.1,
        });
    }
    let names = hints.iter().map(|hint| name(hint, values, &edits, registry));
    let names = names.collect::<Result<_>>()?;
    Ok(Relocation { names, charts_syncer_names, edits })
}

/// The edits that make a hint render this text and change its registry value alone; `None` where there are
/// none.
fn registry_for(hint: &Hint, values: &Values, wanted: &str) -> Result<Option<Edits>> {
    let Some((_, path)) = hint.placeholders().find(|(role, _)| *role == Role::Registry) else {
        return Ok(None);
    };
    let mut edits = unpinned(hint, values)?;
    let mut overrides: Overrides = edits.iter().cloned().collect();
    overrides.insert(path.to_vec(), String::new());
    let rest = hint.render_with(values, &overrides)?;
    let value = wanted.strip_suffix(&rest).filter(|_| rest.starts_with('/'));
    Ok(value.map(|value| {
        edits.push((path.to_vec(), value.to_owned()));
        edits
    }))
}

/// The names that a chart renders when each hint is edited on its own and the last edit wins, as in
/// charts that charts-syncer stored.
pub(crate) fn names_by_charts_syncer(
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

/// Groups the hints that share values, directly or through another hint.
fn groups(hints: &[Hint]) -> Vec<BTreeSet<usize>> {
    let mut by_path: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
    for (index, hint) in hints.iter().enumerate() {
        for path in hint.edited_paths() {
            by_path.entry(path).or_default().push(index);
        }
    }
    let (mut groups, mut grouped) = (Vec::new(), BTreeSet::new());
    for index in 0..hints.len() {
        let (mut group, mut open) = (BTreeSet::new(), vec![index]);
        while let Some(index) = open.pop() {
            if !grouped.insert(index) {
                continue;
            }
            group.insert(index);
            // A path's hints are all in the group once the first of them is.
            let paths = hints[index].edited_paths();
            open.extend(paths.filter_map(|path| by_path.remove(path)).flatten());
        }
        groups.push(group);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Combines all edits of a group, and renders its hints with them.
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

    // The expected names are those under which charts-syncer v0.0.23 pushed for such hints.
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
            assert_eq!(solved.names, solved.charts_syncer_names);
        }
        for hint in ["quay.io/{{ .r }}/{{ .two }}:{{ .t }}", "{{ .r }}/{{ .two }}:{{ .two }}"] {
            assert!(solve(NameMode::Registry, &[hint]).is_err(), "{hint}");
        }
    }

    // The expected names follow the table of charts-syncer's rules.
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
            assert_eq!(solved.names, solved.charts_syncer_names, "{mode:?} {hint}");
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
        // One value for registry and path, followed by literal text.
        let hints = ["{{ .hub }}/pilot:{{ .t }}", "{{ .hub }}/proxy:{{ .t }}"];
        let solved = solve(Registry, &hints).expect("solvable");
        assert_eq!(solved.names[1].to_string(), "istio/proxy:v1");
    }

    #[test]
    fn unsolvable_hints_are_refused() {
        let hints =
            ["{{ .r }}/{{ .two }}:{{ .t }}", "{{ .r }}:{{ .t }}", "{{ .bare }}/{{ .r }}:{{ .t }}"];
        let error = solve(NameMode::Registry, &hints).expect_err("no way");
        assert!(error.message().contains("share the value .r"), "{error}");
    }

    #[test]
    fn a_path_is_given_exactly_where_the_mode_needs_it() {
        assert!(Naming::new(NameMode::Repository, None).is_err());
        assert!(Naming::new(NameMode::Registry, Some("p")).is_err());
        assert!(Naming::new(NameMode::PrefixRepository, Some("P")).is_err());
    }
}
