//! Programs that call the library.

use multiarch_testing::{Fault, Registry, Setup};
use serde_json::json;

use crate::{
    closing_peer,
    common::{
        program::{self, Program},
        stage::Stage,
    },
};

const CONFIG: &str = "\
apiVersion: provision.daocloud.io/v1alpha1
kind: ClusterConfig
spec:
  addonPackage: {path: [/a.tar.gz, /b.tar.gz]}
  imagesAndCharts:
    type: external
    externalImageRepo: https://harbor.example.com
    externalImageRepoUsername: admin
    externalImageRepoPassword: hush
";

#[test]
fn every_function_once() {
    let stage = Stage::new();
    Program::new("smoke").passes(&[&stage.layout_options().to_string(), CONFIG]);
}

#[test]
fn every_function_once_with_a_registry() {
    let (stage, registry) = (Stage::new(), Registry::new());
    let options = stage.registry_options(&registry.address()).to_string();
    Program::new("smoke").passes(&[&options, CONFIG]);
}

#[test]
fn what_a_caller_gets_wrong_is_an_error() {
    Program::new("misuse").passes(&[]);
}

#[test]
fn a_cancel_at_any_moment() {
    let program = Program::new("cancel");
    // A memory checker takes half a minute for each.
    let moments: &[u32] =
        if program::is_checked() { &[900] } else { &[0, 20, 100, 300, 600, 1000, 1500] };
    for milliseconds in moments {
        let stage = Stage::new();
        // Slow enough that all of these moments lie in the run.
        let registry = Registry::start(Setup::default(), |_| {
            Fault::Delay(std::time::Duration::from_millis(60))
        });
        let options = stage.registry_options(&registry.address()).to_string();
        program.passes(&[&options, &milliseconds.to_string()]);
        for repository in registry.repositories() {
            for tag in registry.tags(&repository) {
                assert_eq!(registry.flaws(&repository, &tag), [""; 0], "{repository}:{tag}");
            }
        }
        let again = Program::new("call").run(&["import", &options]);
        assert_eq!(again.code, Some(0), "{again:#?}");
    }
}

#[test]
fn a_callback_that_listens_and_one_that_refuses() {
    let stage = Stage::new();
    let registry =
        Registry::start(Setup::default(), |_| Fault::Delay(std::time::Duration::from_millis(120)));
    let mut options = stage.registry_options(&registry.address());
    // One request after the other takes long enough for many events.
    options["options"] = json!({"jobs": 1});
    Program::new("progress").passes(&[&options.to_string()]);
}

#[test]
fn the_process_is_as_it_was() {
    let program = Program::new("process");
    let stage = Stage::new();
    let layout = stage.layout_options().to_string();
    program.passes(&["import", &layout, "0"]);
    program.passes(&["inspect", &layout, "0"]);
    program.passes(&["import", "{}", "10"]);

    let registry = Registry::new();
    let options = stage.registry_options(&registry.address());
    program.passes(&["import", &options.to_string(), "0"]);
    program.passes(&["status", &options.to_string(), "0"]);

    // Layers that are read ahead, on threads of their own, to the end and not.
    let large = Stage::large();
    program.passes(&["import", &large.layout_options().to_string(), "0"]);
    program.passes(&["import", &large.registry_options(&registry.address()).to_string(), "0"]);
    let broken = Registry::start(Setup::default(), |request| match request.method.as_str() {
        "PUT" | "PATCH" | "POST" => Fault::answer(401),
        _ => Fault::Nothing,
    });
    program.passes(&["import", &large.registry_options(&broken.address()).to_string(), "0"]);

    // A name that is looked up, on a thread of its own, and is not there.
    let mut nowhere = options.clone();
    nowhere["target"] = json!("http://registry.invalid:5000");
    program.passes(&["import", &nowhere.to_string(), "33"]);
}

#[test]
fn logins_are_those_of_the_options() {
    let (stage, call) = (Stage::new(), Program::new("call"));
    let registry = Registry::start(Setup::default().user("u", "p"), |_| Fault::Nothing);
    let mut options = stage.registry_options(&registry.address());
    let in_environment = |options: &serde_json::Value| {
        let mut program = call.command(&["import", &options.to_string()]);
        program.0.env("MULTIARCH_USERNAME", "u").env("MULTIARCH_PASSWORD", "p");
        program.finish().code
    };
    // With none, nothing is looked for, although there is one that fits.
    assert_eq!(in_environment(&options), Some(30));
    let sent = registry.take();
    assert!(sent.iter().all(|request| request.header("authorization").is_none()));
    options["credentials"] = json!({"username": "u", "password": "wrong"});
    assert_eq!(in_environment(&options), Some(30));
    options["credentials"] = json!({"username": "u", "password": "p"});
    assert_eq!(call.run(&["import", &options.to_string()]).code, Some(0));
    options.as_object_mut().expect("an object").remove("credentials");
    assert_eq!(in_environment(&options), Some(0));
}

#[test]
fn a_peer_that_closes_early() {
    // No handler of SIGPIPE: writing to a closed connection would end the process.
    let (stage, program) = (Stage::large(), Program::new("cancel"));
    let options = stage.registry_options(&closing_peer::start()).to_string();
    program.passes(&[&options, "3000"]);
    for fault in [Fault::Reset, Fault::Early(500), Fault::Cut(100_000)] {
        let registry = Registry::start(Setup::default(), move |request| {
            if matches!(request.method.as_str(), "PUT" | "PATCH") {
                fault.clone()
            } else {
                Fault::Nothing
            }
        });
        let options = stage.registry_options(&registry.address()).to_string();
        program.passes(&[&options, "1000"]);
    }
}

#[test]
fn loaded_used_and_closed() {
    let stage = Stage::new();
    let first = program::library();
    let options = stage.layout_options().to_string();
    let program = Program::new("load");
    program.passes(&[&options, first.to_str().expect("UTF-8")]);
    // A second library in the same process, with all of its own state.
    let second = stage.path("libother.so");
    std::fs::copy(&first, &second).expect("a copy");
    let (first, second) = (first.to_str().expect("UTF-8"), second.to_str().expect("UTF-8"));
    program.passes(&[&options, first, second]);
}
