//! What a run imports, and how much of it the target holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{helm::Helm, preflight::of_missing_project, tags::ask_one_of_many};
use crate::{
    chart::{ChartFiles, PackedChart},
    error::{Error, ErrorKind, Result},
    fuse::{TagState, fuse},
    image::Document,
    limit,
    package::{BlobPlace, Package},
    plan::{
        Answer, EarlierImport, Inventory, NamedImage, Observed, Options, Question, RelocatedChart,
        RenderedChart,
    },
    run::{Context, workers},
    store::{OpenTarget, Survey},
};

/// Gives every image its name in the target, and relocates every chart that is to be uploaded.
/// `problems` are errors of what the user asked for and the packages cannot give.
///
/// # Errors
/// [`ErrorKind::Usage`] where charts are to be rendered, and there is no Helm.
pub(crate) fn take_inventory(
    packages: &[Arc<Package>],
    options: &Options,
    earlier: &EarlierImport,
    problems: Vec<Error>,
    context: &Context,
) -> Result<Inventory> {
    let mut inventory = Inventory::new(packages, options, earlier, problems);
    let files = |key: (usize, usize)| {
        let package = &packages[key.0];
        package.chart_files(&package.bundles()[key.1])
    };
    let mut charts = inventory.to_relocate(earlier);
    // In the order of the package: one in Zstandard can only be read from its beginning on.
    charts.sort_by_cached_key(|(_, bundles)| {
        let first = bundles.first();
        first.map(|key| (key.0, packages[key.0].chart_place(&packages[key.0].bundles()[key.1])))
    });
    let read = |(_, bundles): &(usize, Vec<(usize, usize)>)| {
        let (&uploaded, others) = bundles.split_first()?;
        let own = files(uploaded);
        let mut relocated = RelocatedChart::default();
        for &other in others {
            let Ok(own) = &own else { break };
            let other = (other, files(other));
            inventory.compare_charts((uploaded, own), other, earlier, &mut relocated);
        }
        Some((uploaded, own, relocated))
    };
    let relocated =
        workers::map_prepared(workers::processors(), &charts, read, |(place, _), read| {
            let (uploaded, own, mut relocated) = read?;
            let original = own.as_ref().ok().filter(|_| options.render).cloned();
            inventory.relocate(*place, uploaded, own, earlier, &mut relocated);
            Some((*place, uploaded, relocated, original))
        });
    let mut relocated: Vec<_> = relocated.into_iter().flatten().collect();
    relocated.sort_by_key(|(place, ..)| *place);
    let mut originals = BTreeMap::new();
    for (place, uploaded, relocated, original) in relocated {
        inventory.set_relocated(place, uploaded, relocated);
        originals.extend(original.map(|original| (place, original)));
    }
    if options.render {
        render(&mut inventory, &originals, earlier, context)?;
    }
    Ok(inventory)
}

/// Renders the relocated charts with Helm, to see which images they run. Where Helm renders a chart only
/// before it is relocated, relocation has broken it.
fn render(
    inventory: &mut Inventory,
    originals: &BTreeMap<usize, ChartFiles>,
    earlier: &EarlierImport,
    context: &Context,
) -> Result<()> {
    let helm = Helm::find(&inventory.options, &context.cancel)?;
    let charts = inventory.to_render();
    let rendered = workers::ask(workers::processors(), &charts, context, |(place, chart)| {
        let images = |chart: &PackedChart| helm.images(chart.bytes(), &context.cancel);
        match images(chart) {
            Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
            Err(error) if error.kind() == ErrorKind::Io => Ok(RenderedChart::Failed(error)),
            Err(error) => {
                let original = originals.get(place).map(PackedChart::new);
                let renders =
                    original.is_some_and(|original| original.and_then(|o| images(&o)).is_ok());
                Ok(if renders { RenderedChart::Broken(error) } else { RenderedChart::Not(error) })
            }
            Ok(images) => Ok(RenderedChart::Images(images)),
        }
    })?;
    let places: Vec<usize> = charts.into_iter().map(|(place, _)| place).collect();
    for (place, rendered) in places.into_iter().zip(rendered) {
        inventory.set_rendered(place, rendered?, earlier.registry());
    }
    Ok(())
}

/// Asks the target everything that a plan for these images needs to know.
///
/// # Errors
/// If the target as a whole cannot be read. An error of a single tag is kept with that tag.
pub(crate) fn observe(
    target: &OpenTarget,
    inventory: &Inventory,
    survey: &Survey,
    context: &Context,
) -> Result<Observed> {
    let store = &*target.images;
    let mut observed =
        Observed::new(store.shares_blobs(), inventory.options.verify || store.is_local());
    for image in inventory.images().flat_map(|(_, named)| named) {
        for blob in image.image.blobs() {
            if let BlobPlace::Target(repository) = &blob.place {
                observed.add_source(repository, &blob.descriptor.digest);
            }
        }
    }
    let memory = limit::HELD_DOCUMENTS.budget().shared();
    loop {
        let questions = observed.questions(inventory);
        if questions.is_empty() {
            return Ok(observed);
        }
        let creates = inventory.options.create_projects;
        let (known, questions): (Vec<_>, Vec<_>) = questions
            .into_iter()
            .map(|question| (of_missing_project(survey, creates, &question), question))
            .partition(|(answer, _)| answer.is_some());
        for (answer, question) in known {
            answer.into_iter().try_for_each(|answer| observed.answer(question.clone(), answer))?;
        }
        let questions: Vec<Question> =
            questions.into_iter().map(|(_, question)| question).collect();
        // A blob that is asked for may have to be sent.
        let next = questions.iter().map(|q| (q.repository(), matches!(q, Question::Blob(..))));
        let mut seen = BTreeSet::new();
        store.prepare(&next.filter(|next| seen.insert(*next)).collect::<Vec<_>>());
        let asked = |question: &Question| ask_one_of_many(store, question, &memory);
        let answers = workers::ask(store.jobs(), &questions, context, asked)?;
        for (question, answer) in questions.into_iter().zip(answers) {
            let answer = match (&question, answer) {
                (Question::Tag(name), Err(error)) => {
                    lost_document(inventory.image(name), &inventory.options, &error).ok_or(error)
                }
                (_, answer) => answer,
            };
            observed.answer(question, answer)?;
        }
    }
}

/// What a tag holds whose own document is gone or damaged, where a package has that document: then it is
/// sent again.
fn lost_document(named: &[NamedImage], options: &Options, error: &Error) -> Option<Answer> {
    if !matches!(error.kind(), ErrorKind::Missing | ErrorKind::DigestMismatch) {
        return None;
    }
    let is_lost =
        |document: &Document| Some(document.digest().to_string().as_str()) == error.digest();
    let documents = named.iter().flat_map(|named| &named.image.documents);
    let documents = documents.map(|stored| stored.document.clone()).chain(fused(named, options));
    documents.into_iter().find(is_lost).map(Answer::LostTag)
}

/// What these images give on a tag that holds nothing. Where a lost document has its digest, the tag held
/// nothing else.
fn fused(named: &[NamedImage], options: &Options) -> Option<Document> {
    let mut state = TagState::absent();
    named.iter().for_each(|image| state.add_incoming(&image.incoming));
    for image in named {
        state = fuse(&state, &image.incoming, &options.fuse).ok()?.state;
    }
    state.document().cloned()
}
