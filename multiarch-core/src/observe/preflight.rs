//! Asks a target for what would stand in the way of an import.

use std::collections::BTreeSet;

use crate::{
    error::{Error, ErrorKind, Result},
    plan::{Answer, Inventory, PlannedImage, Preflight, Question, missing_projects},
    store::{OpenTarget, Survey},
};

/// What the target says of itself, and of the projects of these images.
///
/// # Errors
/// Where it cannot be asked.
pub(crate) fn survey(target: &OpenTarget, inventory: &Inventory) -> Result<Survey> {
    let Some(administration) = &target.administration else {
        return Ok(Survey::of_own_store());
    };
    let names = inventory.images().map(|(name, _)| name).chain(inventory.needed());
    administration.survey(&names.map(|name| name.repository()).collect())
}

/// What is known of the images that will be written.
///
/// # Errors
/// Where the target cannot be asked.
pub(crate) fn preflight(
    target: &OpenTarget,
    survey: Survey,
    images: &[PlannedImage],
) -> Result<Preflight> {
    let immutable = Some(BTreeSet::new());
    let mut preflight = Preflight { survey, immutable, ..Preflight::default() };
    let Some(administration) = &target.administration else { return Ok(preflight) };
    let is_there = |name: &str| !preflight.survey.lacks_project(name);
    let written = || images.iter().filter(|i| i.after.is_some() || i.restores());
    let repositories: BTreeSet<&str> =
        written().map(|image| image.name.repository()).filter(|name| is_there(name)).collect();
    if !repositories.is_empty() {
        preflight.rights = administration.push_rights(&repositories)?;
    }
    // The first push of a tag is always allowed.
    let changed = images.iter().filter(|image| image.before.is_some() && image.after.is_some());
    let changed: BTreeSet<_> = changed.map(|image| &image.name).collect();
    if !changed.is_empty() {
        preflight.immutable = administration.immutable(&changed)?;
    }
    Ok(preflight)
}

/// The answer to a question about a project that is not there; `None` for all others.
pub(super) fn of_missing_project(
    survey: &Survey,
    creates: bool,
    question: &Question,
) -> Option<Result<Answer>> {
    if !survey.lacks_project(question.repository()) {
        return None;
    }
    let unknown = || Error::new(ErrorKind::Missing, "it is in a project that is not there");
    Some(match question {
        Question::Tag(_) if !creates => Err(missing_projects(survey)),
        Question::Tag(_) => Ok(Answer::Tag(None)),
        Question::Blob(..) => Ok(Answer::Blob(false)),
        Question::Manifest(..) => Ok(Answer::Manifest(false)),
        // Whatever has projects has such a list.
        Question::ReferrersApi(_) => Ok(Answer::ReferrersApi(true)),
        Question::Referrers(..) => Ok(Answer::Referrers(Vec::new())),
        Question::Child(..) => Err(unknown()),
    })
}
