//! The JSON schemas, as they are committed, and stricter.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

use crate::common::program::root;

/// The committed schema of this name.
pub(crate) fn committed(name: &str) -> Value {
    let path = root().join(format!("schemas/{name}.json"));
    serde_json::from_slice(&fs::read(path).expect(name)).expect("JSON")
}

/// A validator of the committed schema.
pub(crate) fn validator(name: &str) -> Validator {
    jsonschema::validator_for(&committed(name)).expect("a schema")
}

/// What a document of a schema has that the schema says nothing of, or says otherwise. Where the schema
/// leaves room for newer libraries, what this one writes must be listed all the same.
pub(crate) fn flaws(name: &str, document: &Value) -> Vec<String> {
    let mut schema = committed(name);
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator
        .iter_errors(document)
        .map(|error| format!("{name}: {}: {error}", error.instance_path()))
        .collect()
}

/// Turns examples into all values, and properties into all properties.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(examples) = members.remove("examples") {
                members.insert("enum".into(), examples);
            }
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
