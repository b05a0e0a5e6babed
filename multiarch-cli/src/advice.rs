//! Errors as texts for people: the error itself, and the next step, chosen by its kind and detail.

use multiarch_core::{Error, ErrorKind};

/// The error with its next step.
pub(crate) fn explain(error: &Error) -> String {
    if let (ErrorKind::Untrusted, None, Some(host)) = (error.kind(), error.detail(), error.host()) {
        return format!(
            "{error}\n  next: compare the fingerprint with the server's; then add `--ca FILE` with its authority's certificate (and those between, where the server does not send them), or `--insecure {host}`"
        );
    }
    match of_error(error).or_else(|| next_step(error.kind(), error.detail())) {
        Some(step) => format!("{error}\n  next: {step}"),
        None => error.to_string(),
    }
}

/// The next step of an error whose kind and detail do not say all.
fn of_error(error: &Error) -> Option<&'static str> {
    // What the target holds is named by its tag, and what a package holds by its path there.
    if error.kind() == ErrorKind::Unsupported && (error.bundle().or(error.path())).is_some() {
        return of_kind(ErrorKind::Malformed);
    }
    // EAGAIN for a thread, ENFILE and EMFILE (errno(3)).
    let system = error.cause()?.downcast_ref::<std::io::Error>()?.raw_os_error()?;
    [11, 23, 24].contains(&system).then_some(
        "this machine allows no more threads or open files: see `ulimit -u` and `ulimit -n`, or use fewer at once with --jobs 1",
    )
}

fn next_step(kind: ErrorKind, detail: Option<&str>) -> Option<&'static str> {
    detail.and_then(of_detail).or_else(|| of_kind(kind))
}

fn of_detail(detail: &str) -> Option<&'static str> {
    Some(match detail {
        "target-address" => {
            "name the target as oci:DIR, docker://host[:port][/path], or host[:port][/path]"
        }
        "credentials-in-address" => {
            "take them out of the address: log in with `docker login` or `podman login`, or set MULTIARCH_USERNAME and MULTIARCH_PASSWORD"
        }
        "chart-repository-address" => "name it as oci://host/path, http(s)://host/path, or dir:DIR",
        "chart-folder" => {
            "name it with --charts-to FOLDER=REPO, or one for all other folders with --charts-to REPO"
        }
        "charts-differ" => {
            "ask the charts' author for one chart that names all images, or import the packages with chart repositories of their own"
        }
        "helm" => "install helm, or name it with --helm FILE",
        "rendered-elsewhere" => {
            "the value that names it needs a hint; --rewrite-unhinted relocates values that name images of the package, and without --render only hints are checked"
        }
        "registry-unknown" => "say with --registry HOST[:PORT][/PATH] where the images will be",
        "names-path" => {
            "give --repository PATH with --names repository and prefix-repository, and with no other mode"
        }
        "image-name" => {
            "give --name REF, or --name FILE=REF with the path of a package; `multiarch inspect` lists the images and their names"
        }
        "no-default-route" => {
            "write the address as .spec.bootstrapNode, or name the target with --to"
        }
        "cluster-config" => {
            "give the installer's clusterConfig.yaml, which has apiVersion, kind and spec"
        }
        "cluster-config-scalar" => "write a single text there",
        "cluster-config-port" => "write a number up to 65535",
        "cluster-config-type" => "write type: builtin or type: external below imagesAndCharts",
        "cluster-config-registry" => {
            "write the registry's address, such as https://harbor.example.com"
        }
        "nothing-selected" => {
            "`multiarch inspect` lists the charts and images of a package; * stands for any text"
        }
        "insecure-host" => "write HOST or HOST:PORT, without a scheme and a path",
        "proxy-address" => {
            "write http://, https://, socks5:// or socks5h:// with HOST:PORT into the variable, or unset it"
        }
        "official-service" => "write builtin or external, or name the target with --to",
        "shared-value" => "try another --names mode, such as prefix-registry",
        "login-refused" => {
            "check user and password where the message says they come from; no other request was made with them, so that no account is locked"
        }
        "login-expired" => "log in again: this login is good for a time only, and that is over",
        "no-login" => {
            "log in with `docker login` or `podman login`, name a file with --authfile, or set MULTIARCH_USERNAME and MULTIARCH_PASSWORD (for charts MULTIARCH_CHARTS_USERNAME and MULTIARCH_CHARTS_PASSWORD)"
        }
        "login-unreadable" => {
            "mend the place that the message names (a credential helper docker-credential-NAME belongs on the PATH), name another file with --authfile, or set MULTIARCH_USERNAME and MULTIARCH_PASSWORD"
        }
        "client-certificate" => {
            "give the certificate and its key with --client-cert FILE and --client-key FILE, or put them into /etc/containers/certs.d/HOST:PORT as client.cert and client.key"
        }
        "certificate-expired" => {
            "have the server's certificate renewed; where it has not expired, this machine's clock is wrong"
        }
        "certificate-not-yet-valid" => {
            "set this machine's clock right; where it is right, the certificate begins later"
        }
        "certificate-name" => {
            "name the server as its certificate does, or have a certificate made for the name in use"
        }
        "certificate-form" => {
            "have a certificate of X.509 version 3 with current algorithms made for the server, or name the server with --insecure HOST[:PORT]"
        }
        "login-unprotected" => {
            "have the registry name a token server with https://, or use http:// for the registry, too, where that is meant"
        }
        "plain-http" => {
            "name the target with http:// where plain HTTP is meant, or add `--insecure HOST:PORT`"
        }
        "tls-expected" => "name the server with https://",
        "tls-version" => "have the server offer TLS 1.2 or 1.3 with a current cipher",
        "broken-off" => {
            "run the same command again: what arrived stays; if it happens again, look at the server's log, and at the proxies before it"
        }
        "silent" => {
            "look whether the server, and each proxy before it, still works; the same command then does what is left"
        }
        "no-such-host" => {
            "check the spelling of the host, this machine's DNS and /etc/hosts, and HTTPS_PROXY and NO_PROXY where a proxy knows the host"
        }
        "proxy" => {
            "look into the proxy's log; where it wants a login, write it into HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT); servers that are reached without a proxy belong into NO_PROXY"
        }
        "proxy-login" => {
            "write user and password into HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT), or name the server in NO_PROXY"
        }
        "project-unknown" => {
            "add --create-projects, which creates it in a Harbor (for members only, or with --public-projects for everyone), have it created, or name a project that is there in the target's path, such as HOST/PROJECT"
        }
        "repository-name" => {
            "give a project in the target's path, such as HOST/PROJECT, or choose another --names mode, such as prefix-registry"
        }
        "immutable-tag" => {
            "take the tag out of the rule that keeps it as it is, or let the import be its first push: a second architecture changes the tag"
        }
        "read-only" => {
            "have the registry's read-only mode switched off; then run the same command again (--anyway tries nevertheless)"
        }
        "quota" => {
            "raise the quota of the project by at least the bytes that are left, or make room in it; then run the same command again: what was sent stays (--anyway begins although not all fits)"
        }
        "listed-twice" => {
            "import it into a registry of another kind: a Harbor takes no index that lists a manifest twice (goharbor/harbor#16718)"
        }
        "no-push-right" => {
            "log in as someone who may push there, or have this user made a developer of the project, or more"
        }
        "no-room" => {
            "make room on the target's disk, or name one with more room; --anyway begins nevertheless, and what fits stays"
        }
        "tag-removal" => {
            "remove it in the registry's own interface, by the tag and not by the digest, or leave it: nothing needs it to go"
        }
        "proxy-project" => "choose another project: this one only mirrors another registry",
        "media-type" => {
            "have the registry take docker's types, too (zot: `compat: [docker2s2]` below `http`), or import an OCI layout"
        }
        "redirected" => "name the address to which the server sends, if that is the right one",
        "not-a-registry" => {
            "check host, port and path: the address is that of a web page, such as a portal, a login page or the web interface of the registry"
        }
        "body-limit" => {
            "raise the limit of the proxy before the registry (nginx: client_max_body_size 0; ingress: nginx.ingress.kubernetes.io/proxy-body-size: \"0\"), and run the same command again"
        }
        "busy" => "run the same command again: it goes on from where this run ended",
        "not-from-registry" => {
            "check the address, and what stands before the registry, such as a proxy or a login page: the registry itself did not answer"
        }
        "not-stored" => {
            "check the registry's storage, and what stands before it; then run the same command again"
        }
        "lost-child" => {
            "import the package that holds the lost image in the same run, or before; `multiarch doctor` lists what is lost"
        }
        "foreign-layers" => {
            "have the registry accept manifests with `urls` (distribution: validation.manifests.urls.allow), or use an image whose layers are all its own"
        }
        "chart-limit" => {
            "raise the limit of the chart repository, or of the proxy in front of it, and run the same command again"
        }
        _ => return None,
    })
}

fn of_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Io => {
            "check that the path exists, that you may read or write it, and that there is room"
        }
        ErrorKind::NotAPackage => {
            "give an offline package, a bundle, a docker-archive or an OCI layout, or a directory of them"
        }
        ErrorKind::Truncated => {
            "the file is incomplete: fetch it again and compare its checksum, then run the same command"
        }
        ErrorKind::Malformed | ErrorKind::TooLarge | ErrorKind::UnsafePath | ErrorKind::Missing => {
            "this part cannot be used as it is: fetch the package again, or ask the package's author; the rest does not depend on it"
        }
        ErrorKind::DigestMismatch => {
            "the data is damaged: fetch the package again and compare its checksum, then run the same command"
        }
        ErrorKind::Unsupported => "remove what the tag holds, or import under another one",
        ErrorKind::UnreadableTag => {
            "the tag was left as it is; run the same command again, and if it stays so, repair what the target holds there"
        }
        ErrorKind::Conflict => "choose with --on-conflict incoming or --on-conflict existing",
        ErrorKind::NoChartRepository => {
            "check --charts-to: the address of a ChartMuseum (with its tenant, where it has tenants) or of a Harbor's project, oci://HOST/PATH, or dir:DIR"
        }
        ErrorKind::ChartConflict => {
            "compare the chart in the chart repository with the package's; --overwrite-charts replaces it, where the repository lets charts be replaced"
        }
        ErrorKind::NameClash => {
            "the charts concerned send nothing; another --names mode, such as prefix-registry, keeps the images apart, or import the packages one by one into targets of their own"
        }
        ErrorKind::Hint => {
            "the chart cannot say which image it means: ask the bundle's author; the other charts do not depend on it"
        }
        ErrorKind::Unnamed => {
            "give the image a name with --name REF, or --name FILE=REF where there are several such files"
        }
        ErrorKind::PlanOutdated => "make a new plan with `multiarch plan … -o`, and look at it",
        ErrorKind::Contended => "run the same command again: it does what is left",
        ErrorKind::Unauthorized => {
            "log in with `docker login` or `podman login`, or set MULTIARCH_USERNAME and MULTIARCH_PASSWORD (for charts MULTIARCH_CHARTS_USERNAME and MULTIARCH_CHARTS_PASSWORD); if you are logged in, check the password and that the user may push there"
        }
        ErrorKind::Denied => {
            "ask for the right to push there, or for the missing project, quota or rule that the server names"
        }
        ErrorKind::Untrusted => {
            "compare the fingerprint with the server's, then trust its authority with --ca FILE, or name the host with --insecure HOST[:PORT]"
        }
        ErrorKind::Network => {
            "check host and port, the network between, and HTTPS_PROXY and NO_PROXY; the same command then does what is left"
        }
        ErrorKind::Unreachable => {
            "check host and port, HTTPS_PROXY and NO_PROXY, that the server runs, and that nothing in front of it limits requests; the same command then does what is left"
        }
        ErrorKind::Server => {
            "look into the server's log for this request; the same command then does what is left"
        }
        ErrorKind::BlobUnknown => {
            "the server lost something meanwhile, as when it collects garbage: run the same command again"
        }
        ErrorKind::Cancelled => "run the same command again: it does what is left",
        // The message itself says what is wrong with the arguments.
        ErrorKind::Usage => return None,
        _ => return None,
    })
}

/// The exit code of a command that ends with this error: 2 where nothing can have been written.
pub(crate) fn exit_code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Usage
        | ErrorKind::Io
        | ErrorKind::PlanOutdated
        | ErrorKind::Untrusted
        | ErrorKind::NoChartRepository => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_for_what_is_at_fault() {
        let unknown = || Error::new(ErrorKind::Unsupported, "an unknown media type");
        assert!(explain(&unknown()).contains("what the tag holds"));
        for error in
            [unknown().at_path("images.tar/index.json"), unknown().in_bundle("a_1.bundle.tar")]
        {
            assert!(explain(&error).contains("fetch the package again"), "{}", explain(&error));
        }
        let threads = std::io::Error::from_raw_os_error(11);
        assert!(explain(&Error::from_io("starting a thread", threads)).contains("ulimit -u"));
        assert!(!explain(&Error::from_io("a", std::io::Error::other("b"))).contains("ulimit"));
    }

    const DOCUMENT: &str = include_str!("../../docs/errors.md");
    const INTRODUCTION: &str = "\
# Errors

Every kind of error and what it means, with its detail where the next step depends on it, the exit code of a command
that it ends, and the next step as the command prints it. In JSON the kind is the member `kind`. This file is
compared with the code by a test of the command, which prints what it should be.

| kind | means | detail | exit code | next step |
|---|---|---|---|---|
";

    /// The kind's name in JSON.
    fn name(kind: ErrorKind) -> String {
        serde_json::to_string(&kind).expect("JSON").trim_matches('"').to_owned()
    }

    #[test]
    fn the_document_lists_every_error() {
        let mut text = INTRODUCTION.to_owned();
        for &kind in ErrorKind::ALL {
            let details = Error::details().iter().filter(|(of, _)| *of == kind);
            let details = details.map(|(_, detail)| Some(*detail));
            for detail in std::iter::once(None).chain(details) {
                let step = next_step(kind, detail);
                if detail.is_some() {
                    assert!(detail.and_then(of_detail).is_some(), "{detail:?} has no advice");
                }
                let step = step.unwrap_or("as the message says").replace('|', "\\|");
                let code = exit_code(&Error::new(kind, ""));
                let detail = detail.unwrap_or_default();
                text.push_str(&format!(
                    "| {} | {kind} | {detail} | {code} | {step} |\n",
                    name(kind)
                ));
            }
        }
        assert!(text == DOCUMENT, "docs/errors.md should be:\n{text}");
    }

    #[test]
    fn the_next_step_follows_the_error() {
        let error = Error::new(ErrorKind::Truncated, "the archive is cut").in_package("x.tar.gz");
        let text = explain(&error);
        assert!(text.starts_with("package x.tar.gz: the archive is cut\n  next: "), "{text}");
        let error = "registry.example.com/UPPER".parse::<multiarch_core::Target>();
        let text = explain(&error.expect_err("no target"));
        assert!(text.contains("\n  next: name the target as "), "{text}");
    }
}
