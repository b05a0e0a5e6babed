//! Manifests that a tag of a live registry may already hold.

use crate::stage::{KINDS, NAME, Stage, image};

#[test]
fn a_manifest_of_the_same_or_another_platform() {
    for kind in KINDS {
        let (amd64, arm64, newer) = (image("amd64", "a"), image("arm64", "a"), image("amd64", "b"));
        let stage = Stage::new(kind);
        stage.push(&amd64, NAME);
        // The tag already has this image, written by another tool, so nothing is written.
        let before = stage.manifest();
        assert_eq!(stage.import(&amd64, &[]).0, Some(0), "{kind:?}");
        assert_eq!(stage.manifest(), before);
        // The tag has another image of this platform, so the policy decides.
        let (code, said) = stage.import(&newer, &["--on-conflict", "fail"]);
        assert_eq!(code, Some(1), "{said}");
        assert_eq!(stage.import(&newer, &["--on-conflict", "existing"]).0, Some(0));
        assert_eq!(stage.manifest(), before);
        assert_eq!(stage.import(&arm64, &[]).0, Some(0));
        let held = stage.entries();
        assert_eq!(held[1], ("arm64".into(), arm64.digest()));
        let kept = held[0].1.clone();
        let (code, said) = stage.import(&newer, &[]);
        assert_eq!(code, Some(0));
        assert!(said.contains(&kept), "the report says what was replaced: {said}");
        let expected = [("amd64".to_owned(), newer.digest()), ("arm64".to_owned(), arm64.digest())];
        assert_eq!(stage.entries(), expected);
    }
}
