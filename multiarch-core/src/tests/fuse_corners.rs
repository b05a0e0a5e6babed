//! Corners of the fusion: sources of parts, tags that say little, and what is kept.

use crate::{
    ErrorKind,
    fuse::{
        Change, ConflictPolicy, FuseOptions, Incoming, IncomingImage, Reason, TagChild, TagState,
        fuse, fuse_again, is_image,
    },
    image::{Document, Family, ImageConfig, Index, Manifest, types},
};
use serde_json::{Value, json};

use super::images::{
    Image, attestation, config_text, document, entry, fused, incoming_index, index_text, tag_of,
    tag_of_image, text_after,
};

const OCI: Family = Family::Oci;

fn oci(entries: &[Value]) -> String {
    index_text(types::OCI_INDEX, entries)
}

fn part(image: &Image) -> IncomingImage {
    IncomingImage::new(image.document.clone(), image.config.clone(), None)
}

/// An image whose config says no platform, as an index lists it: the entry says it.
fn silent(content: &str) -> Image {
    let config = config_text("linux/amd64", content).replace("amd64", "").replace("linux", "");
    Image::of_config(OCI, &config)
}

fn entry_for(image: &Image, platform: Value) -> Value {
    let mut entry = image.entry();
    entry["platform"] = platform;
    entry
}

fn artifact(of: &str) -> Document {
    let config = json!({"mediaType": "application/x", "digest": crate::Digest::sha256(of.as_bytes()), "size": 2});
    document(&json!({"schemaVersion": 2, "mediaType": types::OCI_MANIFEST, "config": config, "layers": []}).to_string())
}

#[test]
fn images_of_one_name_bring_their_attestations() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let sbom = attestation(&arm, "sbom");
    let mut incoming = Incoming::images_of_one_name(vec![part(&mine), part(&arm)]).expect("images");
    incoming.add_other(entry(&sbom));
    let fusion = fused(&TagState::absent(), &incoming);
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), arm.entry(), sbom]));
}

#[test]
fn a_source_without_an_image_lacks_its_attestation_alone() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let (of_mine, of_arm) = (attestation(&mine, "1"), attestation(&arm, "2"));
    let text = oci(&[mine.entry(), arm.entry(), of_mine.clone(), of_arm]);
    let incoming = incoming_index(&text, &[&mine, &arm]);
    let rest = incoming.without(&[arm.digest()].into()).expect("an image is left");
    assert_eq!(rest.images().len(), 1);
    assert_eq!(text_after(&fused(&TagState::absent(), &rest)), oci(&[mine.entry(), of_mine]));
    assert!(incoming.without(&[mine.digest(), arm.digest()].into()).is_none());
}

#[test]
fn an_empty_index_keeps_its_bytes_on_an_absent_tag() {
    let text = format!(" {} ", oci(&[]));
    let fusion = fused(&TagState::absent(), &incoming_index(&text, &[]));
    assert_eq!(fusion.document, Some(document(&text)));
}

/// A config of an image makes an image where it says a platform, where there are no layers, or where one
/// of them belongs to a file system.
#[test]
fn images_and_artifacts() {
    let image = |platform: &str, layers: &[&str]| {
        let mut config: Value =
            serde_json::from_str(&config_text("linux/amd64", "a")).expect("JSON");
        if platform.is_empty() {
            config["os"] = "".into();
            config["architecture"] = "".into();
        }
        let config = config.to_string();
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| json!({"mediaType": layer, "digest": crate::Digest::sha256(b"l"), "size": 1}))
            .collect();
        let config_digest = crate::Digest::sha256(config.as_bytes());
        let text = json!({
            "schemaVersion": 2, "mediaType": types::OCI_MANIFEST, "layers": layers,
            "config": {"mediaType": types::OCI_CONFIG, "digest": config_digest, "size": config.len()},
        });
        let manifest = Manifest::parse(&document(&text.to_string())).expect("a manifest");
        is_image(&manifest, &ImageConfig::parse(config.as_bytes()).expect("a config"))
    };
    let (rootfs, other) = (types::DOCKER_LAYER, "application/vnd.dev.cosign.simplesigning.v1+json");
    assert!(
        image("linux/amd64", &[rootfs])
            && image("linux/amd64", &[other])
            && image("linux/amd64", &[])
    );
    assert!(image("", &[rootfs]) && image("", &[other, rootfs]) && image("", &[]));
    assert!(!image("", &[other]));
}

#[test]
fn an_artifact_replaces_an_artifact_by_the_policy() {
    let (old, new) = (artifact("old"), artifact("new"));
    let mut tag = TagState::new(old.clone());
    tag.add_artifact(old.digest().clone());
    let onto = |on_conflict| {
        let options = FuseOptions { on_conflict, ..FuseOptions::default() };
        fuse(&tag, &Incoming::artifact(new.clone()), &options)
    };
    assert_eq!(onto(ConflictPolicy::Incoming).expect("fuses").document, Some(new.clone()));
    assert_eq!(onto(ConflictPolicy::Existing).expect("fuses").document, None);
    assert_eq!(onto(ConflictPolicy::Fail).expect_err("another").kind(), ErrorKind::Conflict);
}

/// A tag's single manifest says no platform; the source that lists the very manifest does.
#[test]
fn the_source_says_the_platform_of_the_tags_own_manifest() {
    let (mine, arm) = (silent("a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let mine_entry = entry_for(&mine, json!({"architecture": "amd64", "os": "linux"}));
    let text = oci(&[mine_entry.clone(), arm.entry()]);
    let fusion = fused(&tag_of_image(&mine), &incoming_index(&text, &[&mine, &arm]));
    assert_eq!(text_after(&fusion), text);
    let changes: Vec<_> = fusion.decisions.iter().map(|decision| &decision.change).collect();
    assert_eq!(changes, [&Change::Present, &Change::Added]);
}

/// An attestation stays while an image of its subject's digest stays, for whichever platform.
#[test]
fn attestations_of_a_manifest_for_two_platforms() {
    let shared = Image::new(OCI, "linux/arm", "a");
    let newer = Image::new(OCI, "linux/arm/v6", "b");
    let of = |variant: &str| {
        entry_for(&shared, json!({"architecture": "arm", "os": "linux", "variant": variant}))
    };
    let sbom = attestation(&shared, "sbom");
    let text = oci(&[of("v6"), of("v7"), sbom.clone()]);
    let fusion = fused(&tag_of(&text, &[&shared]), &newer.incoming());
    assert_eq!(fusion.decisions[0].change, Change::Replaced { from: vec![shared.digest()] });
    assert_eq!(text_after(&fusion), oci(&[newer.entry(), of("v7"), sbom]));
}

/// An image without any platform is taken where nothing is that it could take the place of.
#[test]
fn an_image_without_platform_is_alone_or_refused() {
    let (nowhere, mine) = (silent("a"), Image::new(OCI, "linux/amd64", "a"));
    let incoming = nowhere.incoming();
    assert_eq!(fused(&TagState::absent(), &incoming).document, Some(nowhere.document.clone()));
    // A rerun has nothing to do.
    let again = fused(&tag_of_image(&nowhere), &incoming);
    assert_eq!((again.document, &again.decisions[0].change), (None, &Change::Present));
    let refused = |tag: &TagState, incoming: &Incoming| {
        let error = fuse(tag, incoming, &FuseOptions::default()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    };
    refused(&tag_of_image(&mine), &incoming);
    let listed = entry_for(&nowhere, json!({"architecture": "unknown", "os": "unknown"}));
    let text = oci(&[listed, mine.entry()]);
    refused(&TagState::absent(), &incoming_index(&text, &[&nowhere, &mine]));
    // All that the tag has stands in a nested index.
    let nested = document(&oci(&[mine.entry()]));
    let outer =
        json!({"mediaType": types::OCI_INDEX, "digest": nested.digest(), "size": nested.size()});
    let mut tag = tag_of(&oci(&[outer]), &[&mine]);
    let index = Index::from_document(&nested).expect("an index");
    tag.add_child(nested.digest().clone(), TagChild::Index(index));
    refused(&tag, &incoming);
}

/// A listed image that is gone, or that fits no config, is nothing that could stay.
#[test]
fn what_is_lost_is_no_rival() {
    let (gone, mine, arm) = (
        Image::new(OCI, "linux/amd64", "gone"),
        Image::new(OCI, "linux/amd64", "a"),
        Image::new(OCI, "linux/arm64/v8", "a"),
    );
    let text = oci(&[gone.entry(), arm.entry()]);
    let options = FuseOptions { on_conflict: ConflictPolicy::Existing, ..FuseOptions::default() };
    let taken = |tag: &TagState| {
        let fusion = fuse(tag, &mine.incoming(), &options).expect("fuses");
        fusion.document.is_some()
    };
    let whole = tag_of(&text, &[&gone, &arm]);
    assert!(!taken(&whole));
    let mut missing = whole.clone();
    missing.add_missing(gone.digest());
    assert!(taken(&missing));
    let mut misfit = whole.clone();
    misfit.add_child(gone.digest(), TagChild::Misfit(gone.config.clone()));
    assert!(taken(&misfit));
}

/// After this run has written a tag, an image there that was not there before is another writer's, and newer.
#[test]
fn an_image_that_came_meanwhile_stays() {
    let (there, mine) =
        (Image::new(OCI, "linux/amd64", "there"), Image::new(OCI, "linux/amd64", "a"));
    let tag = tag_of_image(&there);
    let change = |known: &[&Image]| {
        let known = known.iter().map(|image| image.digest()).collect();
        let fusion = fuse_again(&tag, &mine.incoming(), &FuseOptions::default(), Some(&known));
        fusion.expect("fuses").decisions[0].change.clone()
    };
    let newer = Change::NotTaken { stays: there.digest(), because: Reason::Newer };
    assert_eq!(change(&[&mine]), newer);
    assert_eq!(change(&[&there]), Change::Replaced { from: vec![there.digest()] });
}

/// An attestation has the config of an image, and is not one.
#[test]
fn an_attestation_provides_no_platform() {
    let mine = Image::new(OCI, "linux/amd64", "a");
    let arm = Image::new(OCI, "linux/arm64/v8", "attestation");
    let mut sbom = attestation(&mine, "sbom");
    sbom["digest"] = json!(arm.digest());
    let mut tag = TagState::new(document(&oci(&[mine.entry(), sbom])));
    tag.add_image(mine.digest(), mine.config.clone());
    tag.add_image(arm.digest(), arm.config.clone());
    let platforms = tag.platforms().expect("readable");
    assert_eq!(platforms, [(mine.key(), mine.digest())]);
}

/// A config is read where it may say a variant or a version that the entry leaves open, and where it has
/// to be compared with an incoming one.
#[test]
fn configs_that_must_be_known() {
    let full = json!({"os": "windows", "architecture": "arm", "variant": "v7", "os.version": "10"});
    let open = json!({"os": "windows", "architecture": "arm", "variant": "v7"});
    let linux = json!({"os": "linux", "architecture": "arm", "variant": "v7", "os.version": "10"});
    let listed = Image::new(OCI, "windows/arm/v7", "a");
    let config = config_text("linux/arm/v7", "b").replace("\"linux\"", "\"windows\"");
    let config = config.replacen('{', "{\"os.version\":\"10\",", 1);
    let incoming = Image::of_config(OCI, &config).incoming();
    for (platform, is_read) in [(&full, true), (&open, true), (&linux, false)] {
        let tag = TagState::new(document(&oci(&[entry_for(&listed, platform.clone())])));
        let unknown = tag.unknown_children(std::slice::from_ref(&incoming)).expect("readable");
        assert_eq!(unknown.contains(&listed.digest()), is_read, "{platform}");
    }
}

/// An attestation whose image is not listed stays, at the end.
#[test]
fn orphans_stay() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let orphan = attestation(&Image::new(OCI, "linux/amd64", "elsewhere"), "sbom");
    let tag = tag_of(&oci(&[orphan.clone(), arm.entry()]), &[&arm]);
    let fusion = fused(&tag, &mine.incoming());
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), arm.entry(), orphan]));
}

/// A media type that stays keeps its spelling.
#[test]
fn a_media_type_keeps_its_bytes() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let spelled = types::OCI_INDEX.replace('/', "\\/");
    let text = oci(&[mine.entry()]).replace(types::OCI_INDEX, &spelled);
    let fusion = fused(&tag_of(&text, &[&mine]), &arm.incoming());
    assert!(text_after(&fusion).contains(&spelled), "{}", text_after(&fusion));
}

/// What the public functions note is what fusing goes by.
#[test]
fn an_image_that_was_added_counts() {
    let mine = Image::new(OCI, "linux/amd64", "a");
    let mut tag = TagState::new(mine.document.clone());
    assert_eq!(tag.platforms().expect("readable"), []);
    tag.add_image(mine.digest(), mine.config.clone());
    assert_eq!(tag.platforms().expect("readable"), [(mine.key(), mine.digest())]);
}

#[test]
fn a_nested_index_that_was_added_counts() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let nested = document(&oci(&[arm.entry()]));
    let outer =
        json!({"mediaType": types::OCI_INDEX, "digest": nested.digest(), "size": nested.size()});
    let mut tag = TagState::new(document(&oci(&[outer, mine.entry()])));
    for image in [&mine, &arm] {
        tag.add_image(image.digest(), image.config.clone());
    }
    tag.add_nested_index(&nested).expect("an index");
    assert_eq!(tag.platforms().expect("readable").len(), 2);
    assert!(fused(&tag, &arm.incoming()).document.is_none());
}

/// Indexes that each list the next one many times would multiply: 200 times in each of four levels.
#[test]
fn a_nested_index_counts_once() {
    let arm = Image::new(OCI, "linux/arm64/v8", "a");
    let mut levels = vec![document(&oci(&[arm.entry()]))];
    for _ in 0..4 {
        let below = levels.last().expect("the innermost");
        let entry =
            json!({"mediaType": types::OCI_INDEX, "digest": below.digest(), "size": below.size()});
        levels.push(document(&oci(&vec![entry; 200])));
    }
    let mut tag = TagState::new(levels.pop().expect("the outermost"));
    tag.add_image(arm.digest(), arm.config.clone());
    levels.iter().for_each(|index| tag.add_nested_index(index).expect("an index"));
    assert_eq!(tag.platforms().expect("readable").len(), 1);
    assert!(fused(&tag, &arm.incoming()).document.is_none());
}

/// The upstream index takes the place of the tag's only where nothing of the tag's own is lost: no member
/// of the index, and none of an entry.
#[test]
fn an_upstream_index_loses_nothing_of_the_tags() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/arm64/v8", "a"));
    let upstream = format!(" {}", oci(&[mine.entry(), arm.entry()]));
    let onto = |text: &str| {
        text_after(&fused(&tag_of(text, &[&mine]), &incoming_index(&upstream, &[&mine, &arm])))
    };
    assert_eq!(onto(&oci(&[mine.entry()])), upstream);
    let annotated = oci(&[mine.entry()]).replacen('{', "{\"annotations\":{\"x\":\"1\"},", 1);
    assert!(onto(&annotated).contains("\"annotations\":{\"x\":\"1\"}"));
    let mut entry = mine.entry();
    entry["annotations"] = json!({"y": "1"});
    assert!(onto(&oci(&[entry.clone()])).contains("\"annotations\":{\"y\":\"1\"}"));
    // The upstream index says the same, and more.
    let mut more = entry.clone();
    more["annotations"]["z"] = "2".into();
    let upstream = oci(&[entry.clone(), arm.entry()]);
    let incoming = incoming_index(&upstream, &[&mine, &arm]);
    let same = fused(&tag_of(&oci(&[entry]), &[&mine]), &incoming);
    assert_eq!(text_after(&same), upstream);
    let other = fused(&tag_of(&oci(&[more]), &[&mine]), &incoming);
    assert!(text_after(&other).contains("\"z\":\"2\""));
}
