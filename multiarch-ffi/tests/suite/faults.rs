//! Faults of the library, and every code: with the feature `faults`.

use multiarch_core::ErrorKind;

use crate::common::program::Program;

#[test]
fn every_code_and_a_panic() {
    let kind = |kind: &ErrorKind| serde_json::to_value(kind).expect("JSON");
    let kinds = ErrorKind::ALL.iter().map(kind).zip(10..);
    let mut words: Vec<String> =
        kinds.map(|(kind, code)| format!("{code}={}", kind.as_str().expect("a text"))).collect();
    words.extend(["2=panic".into(), "2=panic-in-a-worker".into()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Program::new("codes").passes(&words);
}

#[test]
fn a_panic_says_where_it_was() {
    let ran = Program::new("call").run(&["import", r#"{"fault": "panic"}"#]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), ""), "{ran:#?}");
    let error: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let message = error["error"]["message"].as_str().expect("a text");
    assert!(message.contains("faults.rs:") && message.contains("on purpose"), "{message}");
    assert_eq!(crate::schema::flaws("error", &error), [""; 0]);
}
