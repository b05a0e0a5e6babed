//! Findings as texts for people.

use multiarch_core::{Finding, Reason};

/// A finding as a text.
pub(crate) fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Mislabelled { package, image, declared, actual, programs, imported_as } => {
            let programs = match programs {
                Some(programs) => format!("the programs in it are for {programs}"),
                None => "no programs in it decide".into(),
            };
            format!(
                "{image}: {package} declares {declared}, the config says {actual}, and {programs}; imported as {imported_as}"
            )
        }
        Finding::Contradicted { package, image, stated, config } => format!(
            "{image}: {package} lists an image for {stated} whose config says {config}; imported as {stated}, and it replaces no other image"
        ),
        Finding::UnknownArchitecture { package, image, platform } => format!(
            "{image}: {package} holds it for {platform}, an architecture that no container runtime knows"
        ),
        Finding::OtherPrograms { package, image, platform, programs } => {
            format!(
                "{image}: {package} holds it for {platform}, but the programs in it are for {programs}"
            )
        }
        Finding::Incomplete { package, image, absent, platforms } => {
            let platforms: Vec<_> = platforms.iter().map(ToString::to_string).collect();
            let absent: Vec<_> = absent.iter().map(ToString::to_string).collect();
            let of = if platforms.is_empty() {
                String::new()
            } else {
                format!(" for {}", platforms.join(", "))
            };
            format!(
                "{image}: {package} does not hold all that its index lists{of}: {}",
                absent.join(", ")
            )
        }
        Finding::NotUsed { package, what, because } => {
            format!("{what} in {package}: {because}")
        }
        Finding::Referred { image, by } => {
            format!("{image}: its digest changes, but {} still refer to the old one", by.join(", "))
        }
        Finding::Overtaken { image, platform, by } => format!(
            "{image} for {platform}: another writer put {by} there after this run had written it; that one stays"
        ),
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
        Finding::NamesLearned { names: naming, charts } => format!(
            "{}: named in the mode {naming}, as the charts that are stored",
            charts.join(", ")
        ),
        Finding::DigestBeside { chart, value, emptied: true } => format!(
            "{chart}: the value {value} holds a digest, which no fused image has, and is emptied in the uploaded chart"
        ),
        Finding::DigestBeside { chart, value, emptied: false } => format!(
            "{chart}: the value {value} holds a digest beside values of a hint; if a template appends it to the image's reference, the cluster asks for an image that the target does not have"
        ),
        Finding::NotRendered { chart, because } => format!(
            "{chart}: helm does not render it with its default values, so only its hints were checked: {because}"
        ),
        Finding::FolderUnknown { folder, known } => format!(
            "--charts-to names the folder {folder}, which no package has: they have {}",
            known.join(", ")
        ),
        Finding::HelmRefuses { chart, because } => {
            format!("{chart}: helm does not install it, because {because}")
        }
        Finding::SchemaRule { chart, value, rule } => format!(
            "{chart}: values.schema.json has a rule for {value}, which the relocated value may break: {rule}"
        ),
        Finding::Unhinted { chart, values, reference, .. } if values.is_empty() => format!(
            "{chart}: no hint names {reference}, which its bundle holds; the image is imported, but the chart may name it elsewhere"
        ),
        Finding::Unhinted { chart, values, reference, rewritten: true, .. } => format!(
            "{chart}: {} named {reference}, which no hint says, and now names the image in the target",
            values.join(" and ")
        ),
        Finding::Unhinted { chart, values, reference, can_be_rewritten: false, .. } => format!(
            "{chart}: {} names {reference}, which no hint says, and cannot be relocated: set it when installing the chart",
            values.join(" and ")
        ),
        Finding::Unhinted { chart, values, reference, rewritten: false, .. } => format!(
            "{chart}: {} names {reference}, which no hint says, and stays as it is; --rewrite-unhinted relocates what the package holds",
            values.join(" and ")
        ),
        Finding::ChartsDiffer { chart, package, instead_of, different } => format!(
            "{chart}: uploaded from {package}, which differs from {instead_of} ({} differ)",
            different.join(", ")
        ),
        other => format!("{other:?}"),
    }
}

fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
