//! The documents have the form that their JSON schemas say.

use std::fs;

use multiarch_core::{ErrorKind, Options};
use multiarch_testing::{Fault, Registry, Setup};
use serde_json::{Value, json};

use crate::{
    common::{
        program::{Program, Ran},
        stage::Stage,
    },
    schema,
};

/// The document that a function gave, which must have the schema's form.
fn document(name: &str, ran: &Ran) -> Value {
    let found: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:#?}"));
    assert_eq!(schema::flaws(name, &found), [""; 0], "{found:#}");
    assert!(schema::validator(name).is_valid(&found));
    found
}

/// Every function that gives a document, with options, and the codes that it may end with.
fn all_of(options: &Value, codes: &[i32]) {
    let call = Program::new("call");
    let text = options.to_string();
    for (function, name) in [
        ("inspect", "inspections"),
        ("plan", "plan"),
        ("verify", "plan"),
        ("import", "report"),
        ("verify", "plan"),
        ("plan", "plan"),
        ("import", "report"),
        ("status", "status"),
    ] {
        let ran = call.run(&[function, &text]);
        let code = ran.code.expect("a code");
        assert!(codes.contains(&code), "{function}: {ran:#?}");
        document(if code > 1 { "error" } else { name }, &ran);
    }
}

#[test]
fn of_an_import_into_a_directory() {
    all_of(&Stage::new().layout_options(), &[0, 1]);
}

#[test]
fn of_an_import_into_a_registry() {
    let registry = Registry::new();
    all_of(&Stage::new().registry_options(&registry.address()), &[0, 1]);
}

#[test]
fn of_one_architecture_after_the_other() {
    let stage = Stage::new();
    let mut options = stage.layout_options();
    for package in stage.packages() {
        options["packages"] = json!([package]);
        all_of(&options, &[0, 1]);
    }
}

#[test]
fn of_packages_that_are_broken() {
    let stage = Stage::new();
    let mut options = stage.layout_options();
    let packages = stage.packages();
    let bytes = fs::read(&packages[0]).expect("a package");
    fs::write(&packages[0], &bytes[..bytes.len() / 2]).expect("written");
    fs::write(stage.path("text"), "no package").expect("written");
    options["packages"] = json!([packages[0], packages[1], stage.path("text")]);
    all_of(&options, &[0, 1]);
    options["packages"] = json!([stage.path("not-there")]);
    all_of(&options, &[0, 1, 11]);
}

#[test]
fn of_a_registry_that_fails() {
    // Blobs are refused, the rest is not.
    let registry = Registry::start(Setup::default(), |request| match request.method.as_str() {
        "POST" | "PATCH" => Fault::answer(403),
        _ => Fault::Nothing,
    });
    all_of(&Stage::new().registry_options(&registry.address()), &[0, 1]);
    let registry = Registry::start(Setup::default().user("u", "p"), |_| Fault::Nothing);
    all_of(&Stage::new().registry_options(&registry.address()), &[0, 1, 30]);
}

#[test]
fn of_the_library_itself() {
    let call = Program::new("call");
    let found = document("capabilities", &call.run(&["capabilities", ""]));
    for (_, name) in found["schemas"].as_object().expect("schemas") {
        let file = name.as_str().and_then(|name| name.strip_prefix("multiarch.")).expect("a name");
        let (file, _) = file.split_once('/').expect("a version");
        assert_eq!(schema::committed(file)["properties"]["schema"]["const"], *name);
    }
    let known = &schema::committed("error")["$defs"]["error"]["properties"]["kind"]["examples"];
    let known = known.as_array().expect("a list");
    for kind in ErrorKind::ALL {
        let name = serde_json::to_value(kind).expect("JSON");
        assert!(known.contains(&name), "{name} is no example in schemas/error.json");
        assert!(found["error_codes"][name.as_str().expect("a text")].is_i64());
    }
}

#[test]
fn options_of_a_cluster_config() {
    let text = "spec:\n  imagesAndCharts:\n    type: external\n    externalImageRepo: https://h.example.com\n    externalImageRepoUsername: u\n    externalImageRepoPassword: p\n  addonPackage: {path: /a}\n";
    let call = Program::new("call");
    let found = document("options", &call.run(&["config", text]));
    let expected = json!({
        "schema": "multiarch.options/v1", "packages": ["/a"], "target": "https://h.example.com",
        "credentials": {"username": "u", "password": "p"},
    });
    assert_eq!(found, expected);
    // It is what the other functions take.
    assert_eq!(call.run(&["options_check", &found.to_string()]).code, Some(0));
    let builtin = "spec: {imagesAndCharts: {type: builtin}, bootstrapNode: 10.1.2.3}";
    let found = document("options", &call.run(&["config", builtin]));
    assert_eq!(found["charts_to"], "http://10.1.2.3:8081");
    assert_eq!(call.run(&["options_check", &found.to_string()]).code, Some(0));
    let ran = call.run(&["config", "kind: Pod"]);
    assert_eq!((ran.code, &document("error", &ran)["error"]["kind"]), (Some(10), &json!("usage")));
}

#[test]
fn options_are_refused_where_the_schema_refuses_them() {
    let call = Program::new("call");
    let schema = schema::validator("options");
    let login = |login: Value| json!({"target": "oci:a", "credentials": login});
    let with = |options: Value| json!({"target": "oci:a", "options": options});
    for (fits, options) in [
        (true, json!({"target": "oci:a"})),
        (true, json!({"schema": "multiarch.options/v1", "target": "oci:a", "packages": ["b"]})),
        (
            true,
            json!({"target": "r.example.com", "charts_to": ["a=dir:b", "oci://r.example.com/c"]}),
        ),
        (
            true,
            json!({"target": "r.example.com", "charts_to": "dir:b", "cache": "/c", "read_programs": true}),
        ),
        (true, login(json!("none"))),
        (true, login(json!({"username": "u", "password": "p"}))),
        (true, login(json!({"identity_token": "t"}))),
        (true, login(json!({"access_token": "t"}))),
        (true, with(json!({"names": {"mode": "repository", "repository": "a/b"}}))),
        (true, with(json!({"fuse": {"on-conflict": "fail", "index": "always"}, "jobs": 3}))),
        (
            true,
            with(
                json!({"limit-rate": 1, "verify": true, "ca-files": ["/c"], "insecure-hosts": ["h"]}),
            ),
        ),
        (true, with(json!({"auth-file": "/a", "client-certificate": "/c", "client-key": "/k"}))),
        (true, with(json!({"registry": "r.example.com", "helm": null, "image-names": ["a/b:1"]}))),
        (false, json!([])),
        (false, json!({"target": "oci:a", "schema": "multiarch.options/v2"})),
        (false, json!({"target": "oci:a", "Packages": []})),
        (false, json!({"target": "oci:a", "packages": "b"})),
        (false, json!({"target": 1})),
        (false, json!({"target": "oci:a", "charts_to": {"a": "b"}})),
        (false, json!({"target": "oci:a", "options": []})),
        (false, login(json!("hush"))),
        (false, login(json!({"username": "u"}))),
        (false, login(json!({"username": "u", "password": "p", "realm": "r"}))),
        (false, with(json!({"overwrite_charts": true}))),
        (false, with(json!({"fuse": {"on-conflict": "ours"}}))),
        (false, with(json!({"names": {"mode": "repo"}}))),
        (false, with(json!({"jobs": 0}))),
        (false, with(json!({"jobs": -1}))),
        (false, with(json!({"limit-rate": 0}))),
        (false, with(json!({"verify": "yes"}))),
    ] {
        assert_eq!(schema.is_valid(&options), fits, "the schema: {options}");
        let ran = call.run(&["options_check", &options.to_string()]);
        assert_eq!(ran.code, Some(if fits { 0 } else { 10 }), "the library: {options}: {ran:#?}");
    }
}

#[test]
fn the_schema_has_every_option() {
    // The library itself lists its members when it refuses one.
    let refused = serde_json::from_str::<Options>(r#"{"?": 1}"#).expect_err("no option");
    let text = refused.to_string();
    let (_, listed) = text.split_once("expected one of ").expect("a list");
    let mut listed: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    let schema = schema::committed("options");
    let members = schema["properties"]["options"]["properties"].as_object().expect("members");
    let mut members: Vec<&str> = members.keys().map(String::as_str).collect();
    listed.sort_unstable();
    members.sort_unstable();
    assert_eq!(listed, members);
}

#[test]
fn events_of_progress() {
    let stage = Stage::new();
    let registry =
        Registry::start(Setup::default(), |_| Fault::Delay(std::time::Duration::from_millis(30)));
    let options = stage.registry_options(&registry.address()).to_string();
    let ran = Program::new("events").run(&["import", &options]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let events: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for event in &events {
        assert_eq!(schema::flaws("progress", event), [""; 0], "{event:#}");
    }
    let last = events.last().expect("an event");
    assert_eq!((&last["phase"], &last["images"]), (&json!("sending"), &last["images_total"]));
    let lines = events.iter().flat_map(|event| event["log"].as_array().expect("lines"));
    assert!(lines.clone().any(|line| line == "sending"), "{:?}", lines.collect::<Vec<_>>());
}
