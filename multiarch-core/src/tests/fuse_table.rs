//! A table of cases: tag × incoming image × policy, with the expected bytes or the expected error.

use crate::{
    ErrorKind,
    fuse::{
        Change, ConflictPolicy, FuseOptions, Incoming, IncomingImage, IndexMode, Reason, TagChild,
        TagState, fuse,
    },
    image::{Descriptor, Digest, Document, Entry, Family, Index, Platform, types},
};
use serde_json::{Value, json};

use super::images::{
    Image, attestation, config_text, document, entry, fused, incoming_index, index_text, tag_of,
    tag_of_image, text_after,
};

const DOCKER: Family = Family::Docker;
const OCI: Family = Family::Oci;

fn amd64(content: &str) -> Image {
    Image::new(DOCKER, "linux/amd64", content)
}

fn arm64(content: &str) -> Image {
    Image::new(DOCKER, "linux/arm64/v8", content)
}

fn policy(on_conflict: ConflictPolicy) -> FuseOptions {
    FuseOptions { on_conflict, ..FuseOptions::default() }
}

fn list(images: &[&Image]) -> String {
    index_text(types::DOCKER_LIST, &images.iter().map(|i| i.entry()).collect::<Vec<_>>())
}

fn oci(entries: &[Value]) -> String {
    index_text(types::OCI_INDEX, entries)
}

#[test]
fn absent_keeps_the_bytes() {
    let image = amd64("a");
    let fusion = fused(&TagState::absent(), &image.incoming());
    assert_eq!(fusion.state.document(), Some(&image.document));
    assert_eq!(fusion.decisions[0].change, Change::Added);

    let text = format!(" {} ", oci(&[image.entry(), attestation(&image, "sbom")]));
    let fusion = fused(&TagState::absent(), &incoming_index(&text, &[&image]));
    assert_eq!(text_after(&fusion), text);
}

#[test]
fn absent_with_index_always() {
    let image = amd64("a");
    let options = FuseOptions { index: IndexMode::Always, ..FuseOptions::default() };
    let fusion = fuse(&TagState::absent(), &image.incoming(), &options).expect("fuses");
    assert_eq!(text_after(&fusion), list(&[&image]));
}

#[test]
fn manifest_of_the_same_platform() {
    let (mine, other) = (amd64("a"), amd64("b"));
    let recoded = Image::new(OCI, "linux/amd64", "a");
    let respelled = Image::of_config(
        DOCKER,
        &config_text("linux/amd64", "a").replace(r#"{"arch"#, r#"{"docker_version":"1","arch"#),
    );
    let tag = tag_of_image(&mine);
    for (incoming, expected) in [
        (&mine, Change::Present),
        (&recoded, Change::Same { stays: mine.digest() }),
        (&respelled, Change::Same { stays: mine.digest() }),
        (&other, Change::Replaced { from: vec![mine.digest()] }),
    ] {
        let fusion = fused(&tag, &incoming.incoming());
        let replaced = expected.is_written();
        assert_eq!(fusion.decisions[0].change, expected);
        assert_eq!(fusion.document.is_some(), replaced);
        let after = if replaced { &incoming.document } else { &mine.document };
        assert_eq!(fusion.state.document(), Some(after));
    }
    let kept = fuse(&tag, &other.incoming(), &policy(ConflictPolicy::Existing)).expect("fuses");
    assert!(kept.document.is_none());
    let failed = fuse(&tag, &other.incoming(), &policy(ConflictPolicy::Fail));
    assert_eq!(failed.expect_err("conflict").kind(), ErrorKind::Conflict);
}

#[test]
fn a_mislabelled_image_never_wins() {
    let (mine, other) = (amd64("a"), amd64("b"));
    let incoming = other.incoming().doubtful();
    let fusion = fused(&tag_of_image(&mine), &incoming);
    let kept = Change::NotTaken { stays: mine.digest(), because: Reason::Mislabelled };
    assert_eq!(fusion.decisions[0].change, kept);
    assert!(fusion.document.is_none());
    assert!(fused(&TagState::absent(), &incoming).document.is_some());
}

#[test]
fn manifest_of_another_platform() {
    let (mine, arm) = (amd64("a"), arm64("a"));
    let fusion = fused(&tag_of_image(&mine), &arm.incoming());
    assert_eq!(text_after(&fusion), list(&[&mine, &arm]));
    // The other way round gives the same bytes, because the entries are sorted by platform.
    let fusion = fused(&tag_of_image(&arm), &mine.incoming());
    assert_eq!(text_after(&fusion), list(&[&mine, &arm]));
    // One OCI child makes it an OCI index.
    let oci_arm = Image::new(OCI, "linux/arm64/v8", "a");
    let fusion = fused(&tag_of_image(&mine), &oci_arm.incoming());
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), oci_arm.entry()]));
}

#[test]
fn docker_list_becomes_an_oci_index_and_never_back() {
    let (mine, arm) = (amd64("a"), Image::new(OCI, "linux/arm64", "a"));
    let fusion = fused(&tag_of(&list(&[&mine]), &[]), &arm.incoming());
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), arm.entry()]));

    let docker_arm = arm64("b");
    let fusion = fused(&tag_of(&text_after(&fusion), &[&mine, &arm]), &docker_arm.incoming());
    assert_eq!(fusion.decisions[0].change, Change::Replaced { from: vec![arm.digest()] });
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), docker_arm.entry()]));
}

#[test]
fn attestations_follow_their_subject() {
    let (mine, newer, arm) =
        (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/amd64", "b"), arm64("a"));
    let (sbom, provenance) = (attestation(&mine, "sbom"), attestation(&mine, "provenance"));
    let text = oci(&[mine.entry(), sbom.clone(), provenance.clone()]);
    let tag = tag_of(&text, &[&mine]);

    let mut both = [sbom, provenance];
    both.sort_by_key(|a| a["digest"].to_string());
    let fusion = fused(&tag, &arm.incoming());
    let [first, second] = both;
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), first, second, arm.entry()]));

    // A replacing image brings its own attestation; those of the old image are dropped. The tag then holds
    // just what the source's index lists, and gets that index itself.
    let new_sbom = attestation(&newer, "new sbom");
    let incoming = oci(&[new_sbom, newer.entry()]);
    let fusion = fused(&tag, &incoming_index(&incoming, &[&newer]));
    assert_eq!(text_after(&fusion), incoming);

    // Attestations of the same subject are united by digest.
    let more = attestation(&mine, "more");
    let incoming = oci(&[mine.entry(), attestation(&mine, "sbom"), more.clone()]);
    let fusion = fused(&tag, &incoming_index(&incoming, &[&mine]));
    assert_eq!(
        Index::from_document(fusion.state.document().expect("the tag exists"))
            .expect("index")
            .entries()
            .len(),
        4
    );

    // An image that is not taken brings no attestation.
    let fusion = fuse(
        &tag,
        &incoming_index(&oci(&[newer.entry(), attestation(&newer, "x")]), &[&newer]),
        &policy(ConflictPolicy::Existing),
    );
    assert!(fusion.expect("fuses").document.is_none());
}

#[test]
fn unknown_members_stay_to_the_byte() {
    let (mine, arm) = (Image::new(OCI, "linux/amd64", "a"), arm64("a"));
    let odd_entry = mine.entry().to_string().replacen(
        '{',
        r#"{"x":123456789012345678901234567890, "x":1.50,"annotations":{"k":"v"},"#,
        1,
    );
    let text = format!(
        r#"{{ "annotations" : {{"a": "b"}}, "schemaVersion":2,"manifests":[{odd_entry}],
        "mediaType":"{}","subject":{{"digest":"{}"}},"y":1e1000,"y":2}}"#,
        types::OCI_INDEX,
        Digest::sha256(b"subject"),
    );
    let fusion = fused(&tag_of(&text, &[]), &arm.incoming());
    let expected = format!(
        r#"{{"annotations":{{"a": "b"}},"schemaVersion":2,"manifests":[{odd_entry},{}],"mediaType":"{}","subject":{{"digest":"{}"}},"y":1e1000,"y":2}}"#,
        arm.entry(),
        types::OCI_INDEX,
        Digest::sha256(b"subject"),
    );
    assert_eq!(text_after(&fusion), expected);
}

#[test]
fn index_onto_index() {
    let (a, b) = (Image::new(OCI, "linux/amd64", "a"), Image::new(OCI, "linux/amd64", "b"));
    let (arm, s390x) = (Image::new(OCI, "linux/arm64", "a"), Image::new(OCI, "linux/s390x", "a"));
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{},{}],"annotations":{{"mine":"1"}}}}"#,
        types::OCI_INDEX,
        s390x.entry(),
        a.entry(),
    );
    let incoming = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{},{}],"annotations":{{"theirs":"1"}}}}"#,
        types::OCI_INDEX,
        b.entry(),
        arm.entry(),
    );
    let fusion = fused(&tag_of(&text, &[&a]), &incoming_index(&incoming, &[&b, &arm]));
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{},{},{}],"annotations":{{"mine":"1"}}}}"#,
        types::OCI_INDEX,
        b.entry(),
        arm.entry(),
        s390x.entry(),
    );
    assert_eq!(text_after(&fusion), expected);
}

#[test]
fn nested_index_stays_and_counts() {
    let (mine, arm, newer) = (amd64("a"), arm64("a"), arm64("b"));
    let nested = document(&list(&[&arm]));
    let nested_entry =
        json!({"mediaType": types::DOCKER_LIST, "digest": nested.digest(), "size": nested.size()});
    let text = oci(&[nested_entry.clone(), mine.entry()]);

    let mut tag = tag_of(&text, &[&mine, &arm]);
    let unknown = tag.unknown_children(&[arm.incoming()]).expect("readable");
    assert_eq!(unknown, [nested.digest().clone()]);
    let too_early = fuse(&tag, &arm.incoming(), &FuseOptions::default());
    assert_eq!(too_early.expect_err("not yet read").kind(), ErrorKind::UnreadableTag);

    tag.add_child(
        nested.digest().clone(),
        TagChild::Index(Index::from_document(&nested).expect("an index")),
    );
    assert_eq!(tag.platforms().expect("readable").len(), 2);
    assert!(fused(&tag, &arm.incoming()).document.is_none());
    let kept = Change::NotTaken { stays: arm.digest(), because: Reason::Nested };
    assert_eq!(fused(&tag, &newer.incoming()).decisions[0].change, kept);
    let s390x = Image::new(DOCKER, "linux/s390x", "a");
    let fusion = fused(&tag, &s390x.incoming());
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), s390x.entry(), nested_entry]));
}

#[test]
fn variants_of_arm() {
    let v6 = Image::new(OCI, "linux/arm/v6", "a");
    let v7 = Image::new(OCI, "linux/arm/v7", "a");
    let plain_arm = Image::new(OCI, "linux/arm", "b");
    let v8 = Image::new(OCI, "linux/arm64/v8", "a");
    let plain_arm64 = Image::new(OCI, "linux/arm64", "a");
    let text = oci(&[v6.entry(), v7.entry(), v8.entry()]);
    let tag = tag_of(&text, &[&v6, &v7, &v8]);
    // arm64 without a variant is arm64/v8; the configs differ in that text, so it is another image.
    let arm64 = &fused(&tag, &plain_arm64.incoming()).decisions[0].change;
    assert_eq!(*arm64, Change::Replaced { from: vec![v8.digest()] });
    // arm without a variant is arm/v7.
    let arm = &fused(&tag, &plain_arm.incoming()).decisions[0].change;
    assert_eq!(*arm, Change::Replaced { from: vec![v7.digest()] });
}

#[test]
fn windows_versions_are_platforms_of_their_own() {
    let old = Image::new(DOCKER, "windows(10.0.17763.1)/amd64", "a");
    let new = Image::new(DOCKER, "windows(10.0.20348.1)/amd64", "a");
    let fusion = fused(&tag_of_image(&new), &old.incoming());
    assert_eq!(text_after(&fusion), list(&[&old, &new]));
}

#[test]
fn an_entry_without_platform_is_read_and_counts() {
    let (mine, other, arm) = (amd64("a"), amd64("b"), arm64("a"));
    let mut bare = mine.entry();
    bare.as_object_mut().expect("object").remove("platform");
    let text = oci(&[bare.clone()]);
    let mut tag = TagState::new(document(&text));
    assert_eq!(tag.unknown_children(&[arm.incoming()]).expect("readable"), [mine.digest()]);
    tag.add_child(mine.digest(), TagChild::Image(mine.config.clone()));
    assert_eq!(tag.platforms().expect("readable"), [(mine.key(), mine.digest())]);
    // An entry without a platform comes last, unchanged.
    assert_eq!(text_after(&fused(&tag, &arm.incoming())), oci(&[arm.entry(), bare]));
    let replaced = fused(&tag, &other.incoming());
    assert_eq!(text_after(&replaced), oci(&[other.entry()]));

    // The target lists the manifest but has lost it: it stays listed, and gives no platform.
    let mut gone = TagState::new(document(&text));
    gone.add_child(mine.digest(), TagChild::Missing);
    assert_eq!(gone.platforms().expect("readable"), []);
}

#[test]
fn duplicate_entries_of_the_tag_stay() {
    let (a, b, arm) = (amd64("a"), amd64("b"), arm64("a"));
    let text = list(&[&b, &a, &b]);
    let after = text_after(&fused(&tag_of(&text, &[]), &arm.incoming()));
    let index = Index::parse(after.as_bytes()).expect("an index");
    assert_eq!(index.entries().len(), 4);
    // Replacing a platform replaces all entries that were listed for it.
    let c = amd64("c");
    let fusion = fused(&tag_of(&text, &[&a, &b]), &c.incoming());
    assert_eq!(text_after(&fusion), list(&[&c]));
}

#[test]
fn artifacts_are_never_fused() {
    let artifact = document(
        &json!({
            "schemaVersion": 2, "mediaType": types::OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": Digest::sha256(b"{}"), "size": 2},
            "layers": [],
        })
        .to_string(),
    );
    let mut tag = TagState::new(artifact.clone());
    assert_eq!(
        tag.unknown_children(&[amd64("a").incoming()]).expect("readable"),
        [artifact.digest().clone()]
    );
    tag.add_child(artifact.digest().clone(), TagChild::Artifact);
    let onto = |tag: &TagState, incoming: &Incoming| fuse(tag, incoming, &FuseOptions::default());
    assert_eq!(
        onto(&tag, &amd64("a").incoming()).expect_err("artifact").kind(),
        ErrorKind::Unsupported
    );
    let incoming = Incoming::artifact(artifact.clone());
    assert_eq!(
        onto(&tag_of_image(&amd64("a")), &incoming).expect_err("artifact").kind(),
        ErrorKind::Unsupported
    );
    assert!(onto(&tag, &incoming).expect("the same").document.is_none());
    let fusion = onto(&TagState::absent(), &incoming).expect("absent");
    assert_eq!(fusion.document, Some(artifact));
}

/// An artifact listed beside images provides no platform, whatever its entry states.
#[test]
fn an_artifact_entry_with_a_platform_stays_beside_the_image() {
    let image = amd64("a");
    let mut artifact = amd64("of wasm").entry();
    artifact["artifactType"] = "application/vnd.wasm.config.v0+json".into();
    let tag = tag_of(&oci(&[artifact.clone(), arm64("a").entry()]), &[]);
    let fusion = fused(&tag, &image.incoming());
    assert_eq!(fusion.decisions[0].change, Change::Added);
    let index: Value = serde_json::from_str(&text_after(&fusion)).expect("an index");
    let listed: Vec<_> = index["manifests"].as_array().expect("a list").iter().collect();
    assert!(listed.contains(&&artifact) && listed.contains(&&image.entry()) && listed.len() == 3);
}

#[test]
fn an_image_is_parsed_and_an_artifact_is_refused() {
    let image = amd64("a");
    let config = config_text("linux/amd64", "a");
    let parse = |manifest: &Document| Incoming::parse(manifest.raw(), config.as_bytes());
    let incoming = parse(&image.document).expect("an image");
    assert_eq!(incoming.images()[0].document().digest(), &image.digest());
    let text = String::from_utf8(image.document.raw().to_vec()).expect("JSON");
    let typed = text.replace(types::DOCKER_CONFIG, "application/vnd.example.config+json");
    assert_ne!(typed, text);
    assert_eq!(parse(&document(&typed)).expect_err("an artifact").kind(), ErrorKind::Unsupported);
}

#[test]
fn unknown_media_types_are_refused() {
    let signed = r#"{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}"#;
    let error = Document::new(signed.as_bytes(), None).expect_err("schema 1");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let twice =
        r#"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"manifests":[]}"#;
    let error = Document::new(twice.as_bytes(), None).expect_err("ambiguous");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn the_entry_says_the_platform_and_the_config_completes_it() {
    let config = Image::new(OCI, "linux/arm", "a");
    let described = |platform: &str| {
        let mut descriptor: Descriptor = config.document.descriptor();
        descriptor.platform = Some(platform.parse().expect("a platform"));
        Entry::new(descriptor)
    };
    let platform = |entry| {
        IncomingImage::new(config.document.clone(), config.config.clone(), Some(entry))
            .platform()
            .to_string()
    };
    assert_eq!(platform(described("linux/arm/v6")), "linux/arm/v6");
    assert_eq!(platform(described("linux/arm64/v8")), "linux/arm64/v8");
    assert_eq!(platform(entry(&json!({"digest": config.digest(), "size": 1}))), "linux/arm");
    assert_eq!(
        config.config.platform().key(),
        "linux/arm/v7".parse::<Platform>().expect("a platform").key()
    );
}

/// go-containerregistry writes the config's type as the `artifactType` of ordinary images.
#[test]
fn an_image_config_as_artifact_type_does_not_make_an_artifact() {
    let (mine, arm, newer) = (amd64("a"), arm64("a"), arm64("b"));
    let with_type = |image: &Image| {
        let mut entry = image.entry();
        entry["artifactType"] = types::DOCKER_CONFIG.into();
        entry
    };
    let text = list(&[]).replace("[]", &json!([with_type(&mine), with_type(&arm)]).to_string());
    let fusion = fused(&tag_of(&text, &[&mine, &arm]), &newer.incoming());
    assert_eq!(fusion.decisions[0].change, Change::Replaced { from: vec![arm.digest()] });
    assert_eq!(fusion.state.platforms().expect("readable").len(), 2);
}

/// One manifest listed for two platforms provides both.
#[test]
fn one_manifest_for_two_platforms() {
    let (mine, shared) = (amd64("a"), Image::new(OCI, "linux/arm", "a"));
    let entry_for = |variant: &str| {
        let mut entry = shared.entry();
        entry["platform"]["variant"] = variant.into();
        entry
    };
    let text = oci(&[entry_for("v6"), entry_for("v7")]);
    let incoming = incoming_index(&text, &[&shared]);
    let expected = oci(&[mine.entry(), entry_for("v6"), entry_for("v7")]);
    let fusion = fused(&tag_of_image(&mine), &incoming);
    assert_eq!(text_after(&fusion), expected);
    assert!(fused(&fusion.state, &incoming).document.is_none());
    let other_way = fused(&tag_of(&text, &[&shared]), &mine.incoming());
    assert_eq!(text_after(&other_way), expected);
}

/// An incoming index that lacks a part adds its attestations the first time, so that fusing it again
/// changes nothing.
#[test]
fn an_incomplete_index_is_idempotent() {
    let mine = Image::new(OCI, "linux/amd64", "a");
    let sbom = attestation(&mine, "sbom");
    let text = oci(&[mine.entry(), arm64("a").entry(), sbom.clone()]);
    let document = document(&text);
    let image = IncomingImage::new(mine.document.clone(), mine.config.clone(), None);
    let incoming = Incoming::index(document, vec![image], vec![entry(&sbom)], &[]).expect("valid");
    let fusion = fused(&TagState::absent(), &incoming);
    assert_eq!(text_after(&fusion), oci(&[mine.entry(), sbom]));
    assert!(fused(&fusion.state, &incoming).document.is_none());
}

/// Where the config names no platform, the entry's is taken.
#[test]
fn a_config_without_platform_takes_the_entrys() {
    let config = config_text("linux/amd64", "a").replace("amd64", "").replace("linux", "");
    let silent = Image::of_config(OCI, &config);
    let mut descriptor = silent.document.descriptor();
    descriptor.platform = Some("linux/amd64".parse().expect("a platform"));
    let image = IncomingImage::new(
        silent.document.clone(),
        silent.config.clone(),
        Some(Entry::new(descriptor)),
    );
    assert_eq!(image.platform().to_string(), "linux/amd64");
}
