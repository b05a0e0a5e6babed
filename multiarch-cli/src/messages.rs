//! Findings as texts for people.

use multiarch_core::{Finding, Reason};

/// A finding as a text.
pub(crate) fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Mislabelled { package, image, declared, actual } => {
            format!(
                "{image}: {package} declares {declared}, the config says {actual}; imported as what the config says"
            )
        }
        Finding::Incomplete { package, image, absent } => {
            let absent: Vec<_> = absent.iter().map(ToString::to_string).collect();
            format!("{image}: {package} lacks what its index lists: {}", absent.join(", "))
        }
        Finding::Referred { image, by } => {
            format!("{image}: its digest changes, but {} still refer to the old one", by.join(", "))
        }
        Finding::Superseded { image, platform, package, instead_of, because } => {
            let because = match because {
                Reason::LaterVersion => "the later version",
                Reason::PreviousName => "the newer import",
                _ => "the other one is mislabelled",
            };
            format!(
                "{image} for {platform}: taken from {package} ({because}), not from {instead_of}"
            )
        }
        Finding::LinkOutside { package, path, target } => {
            format!(
                "{package}: the link {path} leads outside, to {target}, and is not followed; name what it leads to as a package of its own"
            )
        }
        Finding::Mended { image, from } => {
            format!("{image}: also gets the platforms that {} held", names(from))
        }
        Finding::ChartReplaced { chart, dangling } if dangling.is_empty() => {
            format!("{chart}: the stored chart named images in another registry, and is replaced")
        }
        Finding::ChartReplaced { chart, dangling } => {
            format!(
                "{chart}: the stored chart named {}, which the target does not have, and is replaced",
                names(dangling)
            )
        }
        Finding::ChartKept { chart, different } => {
            format!(
                "{chart}: another chart of this version is stored and stays ({} differ); --overwrite-charts replaces it",
                different.join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}

fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
