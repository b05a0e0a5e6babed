//! Errors by their cause: what one cause does to many images is printed once.

use std::collections::{BTreeMap, BTreeSet};

use multiarch_core::{Error, ErrorKind};

use crate::{advice, output};

/// Names of images or projects that are listed with a cause; the report has all of them.
const MAX_LISTED: usize = 12;

/// Errors with one cause.
struct Cause<'e> {
    first: &'e Error,
    count: usize,
    /// What it touches: images, charts or packages.
    touched: BTreeSet<&'e str>,
    projects: BTreeSet<&'e str>,
}

/// The errors as texts with their next steps, one for each cause, in the order of their first errors.
pub(crate) fn texts<'e>(errors: impl Iterator<Item = &'e Error>) -> Vec<String> {
    let mut causes: Vec<Cause<'e>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for error in errors {
        // A chart repeats the errors of its images.
        if !seen.insert(error.to_string()) {
            continue;
        }
        let place = *places.entry(key(error)).or_insert(causes.len());
        if place == causes.len() {
            let (touched, projects) = Default::default();
            causes.push(Cause { first: error, count: 0, touched, projects });
        }
        let cause = &mut causes[place];
        cause.count += 1;
        cause.touched.extend(error.image().or(error.path()).or(error.package()));
        cause.projects.extend(project(error));
    }
    causes.iter().map(text).collect()
}

fn text(cause: &Cause<'_>) -> String {
    let whole = advice::explain(cause.first);
    let is_of_project = cause.first.detail() == Some("project-unknown");
    if cause.count == 1 && !is_of_project {
        return whole;
    }
    let (error, next) = whole.split_once("\n  next: ").unwrap_or((&whole, ""));
    let mut text = match cause.touched.len() {
        0 | 1 => error.to_owned(),
        touched => format!("{touched} times the same, for the first one: {error}"),
    };
    if is_of_project && !cause.projects.is_empty() {
        text.push_str(&format!("\n  projects: {}", list(&cause.projects)));
    }
    if cause.touched.len() > 1 {
        text.push_str(&format!("\n  for: {}", list(&cause.touched)));
    }
    if !next.is_empty() {
        text.push_str(&format!("\n  next: {next}"));
    }
    text
}

fn list(names: &BTreeSet<&str>) -> String {
    let shown: Vec<String> =
        names.iter().take(MAX_LISTED).map(|name| output::printable(name)).collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// What errors with one cause have in common: kind, detail and host; without a detail also the message,
/// but for the names in it.
fn key(error: &Error) -> String {
    let place = (error.kind(), error.detail(), error.host());
    if let (Some(detail), true) = (error.detail(), error.request().is_some()) {
        return format!("{:?} {detail} {:?}", error.kind(), error.host());
    }
    let mut message = error.message().to_owned();
    if error.kind() != ErrorKind::NameClash {
        let image = error.image().unwrap_or_default();
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, ""));
        let repository = repository(error).unwrap_or_default();
        for part in [image, repository, name, error.digest().unwrap_or_default(), tag] {
            if !part.is_empty() {
                message = message.replace(part, "…");
            }
        }
    }
    format!("{place:?} {message}")
}

/// The repository that a request was about.
fn repository(error: &Error) -> Option<&str> {
    let (_, path) = error.request()?.split_once(" /v2/")?;
    let parts = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    parts.iter().find_map(|part| path.split_once(part)).map(|(repository, _)| repository)
}

fn project(error: &Error) -> Option<&str> {
    repository(error)?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(image: &str, message: &str) -> Error {
        let (repository, tag) = image.rsplit_once(':').expect("a tag");
        Error::new(
            ErrorKind::Denied,
            message.replace("IMAGE", image).replace("REPOSITORY", repository),
        )
        .of_image(image)
        .at_host("h:1")
        .asking(format!("PUT /v2/{repository}/manifests/{tag}"))
    }

    #[test]
    fn one_text_for_one_cause() {
        let images: Vec<String> = (0..20).map(|n| format!("p{}/app{n}:1", n % 2)).collect();
        let same: Vec<Error> = images
            .iter()
            .map(|image| refused(image, "no right to REPOSITORY, action: push"))
            .collect();
        let other = refused("p0/app0:1", "the disk is full");
        // The chart of an image repeats its error.
        let all = same.iter().chain([&same[3], &other]);
        let texts = texts(all);
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            texts[0].starts_with("20 times the same, for the first one: image p0/app0:1: "),
            "{texts:?}"
        );
        assert!(
            texts[0].contains("\n  for: p0/app0:1, p0/app10:1, ")
                && texts[0].contains(", and 8 more\n  next: ")
        );
        assert!(texts[1].contains("the disk is full") && !texts[1].contains("for:"), "{texts:?}");
    }

    #[test]
    fn different_causes_stay_apart() {
        let errors = [
            Error::new(ErrorKind::Malformed, "not a chart").at_path("a"),
            Error::new(ErrorKind::Truncated, "not a chart").at_path("b"),
            refused("a/b:1", "x"),
        ];
        assert_eq!(texts(errors.iter()).len(), 3);
    }
}
