//! References, configurations and plans.

use std::str;

use serde_json::Value;

use crate::{
    chart::parse_yaml,
    config::ClusterConfig,
    image::{Reference, canonical_reference, is_repository, is_tag, same_reference},
    plan::Plan,
};

/// A reference prints as it was written, and its one canonical spelling means the same.
pub(super) fn reference(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let canonical = canonical_reference(text);
    assert_eq!(canonical_reference(&canonical), canonical, "{text:?}");
    assert!(same_reference(text, &canonical), "{text:?} is not {canonical:?}");
    let Ok(reference) = text.parse::<Reference>() else {
        assert_eq!(canonical, text);
        return;
    };
    assert_eq!(reference.to_string(), text);
    assert_eq!(text.parse::<Reference>().as_ref().ok(), Some(&reference));
    assert!(!reference.host().is_empty() && is_repository(&reference.repository()), "{text:?}");
    assert!(reference.tag().is_none_or(is_tag), "{text:?}");
    // With the host that it implies, a name may be longer than names can be.
    let Ok(whole) = canonical.parse::<Reference>() else {
        assert!(canonical.len() > 255, "{canonical:?}");
        return;
    };
    assert_eq!(
        (whole.host(), whole.repository(), whole.digest()),
        (reference.host(), reference.repository(), reference.digest())
    );
}

/// An error of the configuration, and what is printed of it, contain no password. Passwords are recognised by
/// `hush` in them.
pub(super) fn cluster_config(data: &[u8]) {
    let secrets = str::from_utf8(data).map(secrets).unwrap_or_default();
    let shown = match ClusterConfig::parse(data) {
        Ok(config) => match config.destination(|| Ok("10.0.0.1".into())) {
            Ok(destination) => format!("{config:?} {destination:?}"),
            Err(error) => format!("{config:?} {error} {error:?}"),
        },
        Err(error) => format!("{error} {error:?}"),
    };
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret:?} is in {shown}");
    }
}

/// The passwords of a configuration that stand nowhere else in it.
fn secrets(text: &str) -> Vec<String> {
    let values = parse_yaml(text.as_bytes()).unwrap_or_default();
    let sections = [&values["spec"]["imagesAndCharts"], &values["imagesAndCharts"]];
    let members = sections.into_iter().filter_map(Value::as_object).flatten();
    let passwords =
        members.filter(|(key, _)| key.starts_with("external") && key.ends_with("Password"));
    let passwords = passwords.filter_map(|(_, value)| value.as_str().map(ToOwned::to_owned));
    passwords
        .filter(|secret| secret.contains("hush") && text.matches("hush").count() == 1)
        .collect()
}

/// A plan that is read and written again is the same plan, and prints.
pub(super) fn plan_json(data: &[u8]) {
    let Ok(plan) = serde_json::from_slice::<Plan>(data) else { return };
    let text = serde_json::to_string(&plan).expect("a plan is JSON");
    let again: Plan = serde_json::from_str(&text).expect("a plan that was written");
    assert_eq!(serde_json::to_string(&again).expect("a plan is JSON"), text);
    assert_eq!(again.to_string(), plan.to_string());
    assert!(plan.tags_to_write() <= plan.images.len());
    assert_eq!(plan.left_alone().count(), 0, "{text}");
}
