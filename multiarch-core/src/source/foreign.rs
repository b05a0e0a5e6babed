//! What in a package holds no images.

/// The largest folders of these files that hold nothing of the given places, and files beside the places.
///
/// A package may have a hundred thousand of both, so each file is compared with its neighbours alone: among paths that
/// are sorted by their components, no other place shares more of them.
pub(super) fn foreign(paths: &[String], mut places: Vec<String>) -> Vec<String> {
    places.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    // Only the outermost places: a file in one has it as a neighbour then.
    places.dedup_by(|inner, outer| is_within(inner, outer));
    let mut foreign: Vec<String> = Vec::new();
    for path in paths {
        let after = places.partition_point(|place| place.split('/').le(path.split('/')));
        let neighbours = [after.checked_sub(1), Some(after)];
        let neighbours = neighbours.into_iter().flatten().filter_map(|number| places.get(number));
        if neighbours.clone().any(|place| is_within(path, place) || is_within(place, path)) {
            continue;
        }
        let shared = neighbours.map(|place| shared(path, place)).max().unwrap_or_default();
        // The largest folder without images says enough.
        let end = path[shared..].find('/').map_or(path.len(), |at| shared + at);
        if foreign.last().is_none_or(|last| last != &path[..end]) {
            foreign.push(path[..end].to_owned());
        }
    }
    foreign
}

/// True where a path is a folder's own or lies in it. Everything lies in the folder without a name.
fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// The length of the folders, each with its slash, that both paths have.
fn shared(path: &str, other: &str) -> usize {
    let same = path.split('/').zip(other.split('/')).take_while(|(a, b)| a == b);
    same.map(|(folder, _)| folder.len() + 1).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, from its definition: every folder of every file against every place.
    fn by_definition(paths: &[String], places: &[String]) -> Vec<String> {
        let holds = |folder: &str| {
            places.iter().any(|place| is_within(place, folder) || is_within(folder, place))
        };
        let mut foreign = Vec::new();
        for path in paths {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let mut folders = ends.map(|end| &path[..end]);
            foreign.extend(
                folders
                    .find(|folder| !holds(folder))
                    .filter(|_| !holds(path))
                    .map(ToOwned::to_owned),
            );
        }
        foreign.dedup();
        foreign
    }

    proptest! {
        #[test]
        fn each_file_is_seen_as_by_definition(
            paths in prop::collection::btree_set("[ab-]{1,2}(/[ab-]{1,2}){0,3}", 0..12),
            places in prop::collection::vec("([ab-]{1,2}(/[ab-]{1,2}){0,3})?", 0..5),
        ) {
            let paths: Vec<String> = paths.into_iter().collect();
            prop_assert_eq!(foreign(&paths, places.clone()), by_definition(&paths, &places));
        }
    }
}
