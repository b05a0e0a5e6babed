//! The command `multiarch`: turns single-architecture offline packages into multi-architecture images.
//!
//! This crate parses the command line, calls the library once per verb, and prints. Exit codes: 0 all
//! that was asked for is in the target, 1 a part of it is not, 2 wrong use and nothing was written.

mod advice;
mod args;
mod causes;
mod colors;
mod messages;
mod output;
mod progress;
mod saved;
mod signals;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Verb};

/// Thousands of small archives each take large buffers for a moment, and leave small things between them: what glibc's
/// allocator has at the end is tens of times what is used, and musl's is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The installer's published manual spells the verb `import -addon`, with a blank.
    let mut words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|w| w == "import") && words.get(2).is_some_and(|w| w == "-addon") {
        words.splice(1..3, ["import-addon".into()]);
    }
    let args = Args::parse_from(words);
    let cancel = multiarch_core::Cancel::new();
    signals::survive_file_limit();
    let wants_json = args.verb.show().is_none_or(|show| show.json);
    colors::choose(args.verb.show().map_or(args::Color::Never, |show| show.color));
    let asks = match args.verb {
        Verb::Call(_) => signals::Asks::Program,
        _ => signals::Asks::Person,
    };
    let give_up = {
        let cancel = cancel.clone();
        move || {
            let Err(error) = cancel.check() else { return };
            let code = advice::exit_code(&error);
            // The reader of what is printed may be stopped, so it is not waited for.
            std::thread::spawn(move || report(&error, wants_json));
            std::thread::sleep(std::time::Duration::from_millis(100));
            std::process::exit(code.into());
        }
    };
    if let Err(error) = signals::stop(&cancel, asks, give_up) {
        output::note(&format!("a signal ends this run without a report: {error}"));
    }
    let result = match &args.verb {
        Verb::Import(import) => verbs::import::run(import, &cancel),
        Verb::ImportAddon(import) => verbs::import::run_addon(import, &cancel),
        Verb::ClusterCreate(create) => verbs::import::run_create(create, &cancel),
        Verb::ImportArtifact(artifact) => verbs::import::run_artifact(artifact, &cancel),
        Verb::Plan(plan) => verbs::plan::run(plan, &cancel),
        Verb::Check(check) => verbs::check::run(check, &cancel),
        Verb::Apply(apply) => verbs::apply::run(apply, &cancel),
        Verb::Rollback(rollback) => verbs::rollback::run(rollback, &cancel),
        Verb::Doctor(doctor) => verbs::doctor::run(doctor, &cancel),
        Verb::Inspect(inspect) => verbs::inspect::run(inspect, &cancel),
        Verb::Generate(generate) => verbs::generate::run(generate),
        Verb::Call(call) => verbs::call::run(call, &cancel),
        Verb::Status(status) => verbs::status::run(status, &cancel),
    };
    match result {
        Ok(_) if output::is_lost() => ExitCode::from(1),
        Ok(verbs::Completion::Complete) => ExitCode::SUCCESS,
        Ok(verbs::Completion::Incomplete) => ExitCode::from(1),
        Err(error) => ExitCode::from(report(&error, wants_json)),
    }
}

/// Prints an error that ended a verb before it had a result, and returns the exit code.
fn report(error: &multiarch_core::Error, as_json: bool) -> u8 {
    if as_json {
        output::json_error(error);
    }
    output::error(&advice::explain(error));
    advice::exit_code(error)
}
