//! What an error means for the person who reads it: the error itself, and the next step.

use multiarch_core::{Error, ErrorKind, Finding, Reason};

/// The error with its next step.
pub(crate) fn explain(error: &Error) -> String {
    if let (ErrorKind::Untrusted, Some(host)) = (error.kind(), error.host()) {
        return format!(
            "{error}\n  next: compare the fingerprint with the server's; then add `--ca FILE` with its authority's certificate, or `--insecure {host}`"
        );
    }
    match next_step(error.kind()) {
        Some(step) => format!("{error}\n  next: {step}"),
        None => error.to_string(),
    }
}

fn next_step(kind: ErrorKind) -> Option<&'static str> {
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
            "this part cannot be used as it is: fetch the package again, or ask whoever made it; the rest does not depend on it"
        }
        ErrorKind::DigestMismatch => {
            "the data is damaged: fetch the package again and compare its checksum, then run the same command"
        }
        ErrorKind::Unsupported => "remove what stands at the name, or import under another one",
        ErrorKind::UnreadableTag => {
            "nothing was changed there; repair or remove the tag, then run the same command"
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
            "the chart cannot say which image it means: ask whoever made the bundle; the other charts do not depend on it"
        }
        ErrorKind::Unnamed => {
            "give the image a name in the package (RepoTags, or org.opencontainers.image.ref.name)"
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
        _ => return None,
    })
}

/// 2 where nothing can have been written.
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

/// A finding in words.
pub(crate) fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Mislabelled { package, image, declared, actual } => {
            format!(
                "{image}: {package} declares {declared}, the config says {actual}; used as what it is"
            )
        }
        Finding::Incomplete { package, image, absent } => {
            let absent: Vec<_> = absent.iter().map(ToString::to_string).collect();
            format!("{image}: {package} lacks what its index lists: {}", absent.join(", "))
        }
        Finding::Referred { image, by } => {
            format!("{image}: gets a new digest; {} refer to the old one", by.join(", "))
        }
        Finding::Superseded { image, platform, package, instead_of, because } => {
            let because = match because {
                Reason::LaterVersion => "the later version",
                Reason::PreviousName => "the newer import",
                _ => "the other one is mislabelled",
            };
            format!(
                "{image} for {platform}: taken from {package}, {because}, instead of {instead_of}"
            )
        }
        Finding::LinkOutside { package, path, target } => {
            format!(
                "{package}: the link {path} leads outside, to {target}, and is not followed; name what it leads to as a package of its own"
            )
        }
        Finding::Mended { image, from } => {
            format!("{image}: what {} held is brought here, too", names(from))
        }
        Finding::ChartReplaced { chart, dangling } if dangling.is_empty() => {
            format!("{chart}: the stored chart named images elsewhere, and is replaced")
        }
        Finding::ChartReplaced { chart, dangling } => {
            format!(
                "{chart}: the stored chart named {}, which nobody pushed, and is replaced",
                names(dangling)
            )
        }
        Finding::ChartKept { chart, different } => {
            format!(
                "{chart}: another chart of this version is stored and stays ({} differ); --overwrite-charts replaces it",
                different.join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}

fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_a_package_has_a_next_step() {
        let error = Error::new(ErrorKind::Truncated, "the archive is cut").in_package("x.tar.gz");
        let text = explain(&error);
        assert!(text.starts_with("package x.tar.gz: the archive is cut\n  next: "), "{text}");
    }
}
