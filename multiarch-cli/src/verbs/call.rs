//! `multiarch call`: a function of the C library, for programs that run the command instead of linking.

use std::io::Read as _;

use multiarch_core::{
    Cancel, Error, ErrorKind, Result,
    embed::{self, CallOutcome, Planned, Request},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Completion;
use crate::{
    args::{Call, Function},
    output,
    progress::{self, Shown},
    signals,
};

/// Options are short, and the plan of 300 charts has some 3 MiB.
const MAX_INPUT: u64 = 64 << 20;

/// What is read from standard input.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Input {
    /// The document of options.
    options: Option<Box<RawValue>>,
    /// The plan, for `apply`.
    plan: Option<Box<RawValue>>,
    /// The content of clusterConfig.yaml, for `config`.
    text: Option<String>,
}

impl Input {
    fn read() -> Result<Self> {
        let mut text = Vec::new();
        std::io::stdin()
            .take(MAX_INPUT + 1)
            .read_to_end(&mut text)
            .map_err(|e| Error::from_io("reading standard input", e))?;
        if text.len() as u64 > MAX_INPUT {
            return Err(Error::new(ErrorKind::TooLarge, "a document of more than 64 MiB"));
        }
        let wrong = |e| Error::caused_by(ErrorKind::Usage, "standard input cannot be read", e);
        serde_json::from_slice(&text).map_err(wrong)
    }

    fn request(&self) -> Result<Request> {
        Request::parse(self.options.as_ref().map_or("{}", |options| options.get()))
    }
}

pub(crate) fn run(args: &Call, cancel: &Cancel) -> Result<Completion> {
    let input = match args.function {
        Function::Capabilities => Input::default(),
        _ => Input::read()?,
    };
    let shown = progress::shown(args.progress);
    let outcome = match args.function {
        Function::OptionsCheck => {
            input.request()?.check()?;
            return Ok(Completion::Complete);
        }
        Function::Config => embed::config(input.text.as_deref().unwrap_or_default())?,
        Function::Inspect => input.request()?.inspect(shown.meter(), cancel)?,
        Function::Status => input.request()?.status(shown.meter(), cancel)?,
        Function::Plan => input.request()?.plan(shown.meter(), cancel)?,
        Function::Verify => input.request()?.verify(shown.meter(), cancel)?,
        Function::Import => write(&input.request()?.import(shown.meter(), cancel)?)?,
        Function::Apply => {
            let plan = input.plan.as_ref().map_or("", |plan| plan.get());
            write(&input.request()?.apply(plan, shown.meter(), cancel)?)?
        }
        Function::Capabilities => CallOutcome::new(&embed::capabilities(), true)?,
    };
    drop::<Shown>(shown);
    Ok(print(&outcome))
}

fn write(planned: &Planned) -> Result<CallOutcome> {
    signals::writing_begins();
    let outcome = planned.write();
    signals::writing_ends();
    outcome
}

fn print(outcome: &CallOutcome) -> Completion {
    output::json_text(&outcome.json);
    Completion::from(outcome.complete)
}
