//! Plans that are saved and applied later.

use multiarch_core::{ErrorKind, Import, Plan, Result};
use multiarch_generator::{Image, images_tar};

use crate::runs::{Folder, import, open, plan};

fn again(saved: &Plan) -> Result<Plan> {
    Import::from_saved_plan(saved).expect("a target").plan()
}

#[test]
fn the_same_plan_is_accepted_and_another_is_not() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path =
        folder.write("x-amd64.tar", images_tar(&[("q.io/x:1", &image), ("q.io/y:1", &image)]));
    let packages = [open(&path)];
    let target = folder.layout("store");
    let now = plan(&packages, &target);
    let text = serde_json::to_string(&now).expect("JSON");
    let saved: Plan = serde_json::from_str(&text).expect("a plan");
    assert_eq!(serde_json::to_string(&saved).expect("JSON"), text, "nothing is lost");
    again(&saved).expect("the same");

    // A plan that was applied already is still accepted.
    import(&packages, &target);
    again(&saved).expect("done already");

    // Another writer wrote the tag.
    let other = Image::new("arm64", "x");
    let arm64 = folder.write("x-arm64.tar", images_tar(&[("q.io/x:1", &other)]));
    import(&[open(&arm64)], &target);
    let error = again(&saved).expect_err("changed");
    assert_eq!(error.kind(), ErrorKind::PlanOutdated);
    assert_eq!(error.image(), Some("x:1"));

    // Another package under the same path.
    std::fs::write(&path, images_tar(&[("q.io/x:1", &other), ("q.io/y:1", &other)]))
        .expect("written");
    assert_eq!(again(&saved).expect_err("changed").kind(), ErrorKind::PlanOutdated);

    assert!(serde_json::from_str::<Plan>("{}").is_err());
    let older = text.replace("multiarch.plan/v2", "multiarch.plan/v1");
    let error = serde_json::from_str::<Plan>(&older).expect_err("older").to_string();
    assert!(error.starts_with("a plan of schema multiarch.plan/v1, not"), "{error}");
}

/// A saved plan is computed again when it is applied, and writes nothing where it is outdated.
#[test]
fn a_saved_plan_is_computed_again() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path = folder.write("x-amd64.tar", images_tar(&[("q.io/x:1", &image)]));
    let target = folder.layout("store");
    let text = serde_json::to_string(&plan(&[open(&path)], &target)).expect("JSON");
    let saved: Plan = serde_json::from_str(&text).expect("a plan");
    let report = saved.apply();
    assert!(report.complete && report.tags_written == 1, "{report}");

    let newer = folder.write("y-amd64.tar", images_tar(&[("q.io/x:1", &Image::new("amd64", "y"))]));
    assert!(import(&[open(&newer)], &target).complete);
    let report = saved.apply();
    assert_eq!(report.errors().map(|e| e.kind()).collect::<Vec<_>>()[0], ErrorKind::PlanOutdated);
    assert!(!report.complete && report.tags_written == 0);
}

fn assert_owned<T: Send + Sync + 'static>() {}

#[test]
fn plans_and_imports_are_send_and_sync() {
    assert_owned::<Plan>();
    assert_owned::<Import>();
}
