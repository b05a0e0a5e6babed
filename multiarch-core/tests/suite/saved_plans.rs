//! Plans that are saved, and applied later.

use multiarch_core::{ErrorKind, plan::SavedPlan};
use multiarch_generator::{Image, images_tar};

use crate::runs::{Folder, import, open, plan};

#[test]
fn the_same_plan_is_accepted_and_another_is_not() {
    let folder = Folder::new();
    let image = Image::new("amd64", "x");
    let path =
        folder.write("x-amd64.tar", images_tar(&[("q.io/x:1", &image), ("q.io/y:1", &image)]));
    let packages = [open(&path)];
    let target = folder.layout("store");
    let now = plan(&packages, &target);
    let text = serde_json::to_vec(&now).expect("JSON");
    let saved = SavedPlan::parse(&text).expect("a plan");
    saved.check(&now).expect("the same");
    saved.check(&plan(&packages, &target)).expect("made again");

    // Applied already, wholly or in part: what is left is the same plan.
    import(&packages, &target);
    saved.check(&plan(&packages, &target)).expect("done already");

    // Somebody else wrote the tag.
    let other = Image::new("arm64", "x");
    let arm64 = folder.write("x-arm64.tar", images_tar(&[("q.io/x:1", &other)]));
    import(&[open(&arm64)], &target);
    let error = saved.check(&plan(&packages, &target)).expect_err("changed");
    assert_eq!(error.kind(), ErrorKind::PlanOutdated);
    assert_eq!(error.place().image.as_deref(), Some("x:1"));

    // Another package under the same path.
    std::fs::write(&path, images_tar(&[("q.io/x:1", &other), ("q.io/y:1", &other)]))
        .expect("written");
    let packages = [open(&path)];
    let error = saved.check(&plan(&packages, &target)).expect_err("changed");
    assert_eq!(error.kind(), ErrorKind::PlanOutdated);

    assert!(SavedPlan::parse(b"{}").is_err());
    let older =
        String::from_utf8(text).expect("text").replace("multiarch.plan/v1", "multiarch.plan/v0");
    assert!(SavedPlan::parse(older.as_bytes()).is_err());
}
