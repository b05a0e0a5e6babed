//! The table of faults: what servers, and what stands before them, do to a request.

use std::time::Duration;

use multiarch_testing::{Answer, Fault};

use crate::{
    disturbance::{Hit, elsewhere},
    requests::Kind,
};

/// How long the client may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Patience {
    /// Six attempts with growing pauses.
    Failures,
    /// Twelve attempts.
    Throttled,
    /// The server holds the connection and says nothing.
    Hanging,
}

type Make = Box<dyn Fn(&Hit<'_>) -> Fault + Send + Sync>;

/// A fault.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) applies: fn(Kind) -> bool,
    pub(crate) make: Make,
    /// How many requests in a row get it.
    pub(crate) width: usize,
    pub(crate) patience: Patience,
}

impl Row {
    pub(crate) fn new(
        name: impl Into<String>,
        applies: fn(Kind) -> bool,
        make: impl Fn(&Hit<'_>) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let (name, make) = (name.into(), Box::new(make));
        Self { name, applies, make, width: 1, patience: Patience::Failures }
    }

    fn for_moments(self) -> Self {
        Self { width: 3, ..self }
    }

    fn with(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }
}

fn all(_: Kind) -> bool {
    true
}

fn of_images(kind: Kind) -> bool {
    !kind.is_of_charts()
}

fn begins_or_goes_on(kind: Kind) -> bool {
    matches!(kind, Kind::Mount | Kind::Session | Kind::Patch)
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = statuses();
    rows.extend(connections());
    rows.extend(headers());
    rows.extend(contents());
    rows.extend(moments());
    rows
}

/// The errors of the distribution specification for something that is not there.
fn unknown(hit: &Hit<'_>) -> Answer {
    let code = match hit.kind {
        Kind::HeadBlob | Kind::ReadBlob => "BLOB_UNKNOWN",
        Kind::Patch | Kind::PutBlob => "BLOB_UPLOAD_UNKNOWN",
        Kind::ReadTag | Kind::ReadBack | Kind::ReadManifest | Kind::HeadManifest => {
            "MANIFEST_UNKNOWN"
        }
        _ => "NOT_FOUND",
    };
    Answer::error(404, code, "unknown to registry")
}

fn statuses() -> Vec<Row> {
    let mut rows = Vec::new();
    for status in [403, 405, 409, 412, 413, 416, 429, 500, 502, 503, 504] {
        let patience =
            if matches!(status, 429 | 503) { Patience::Throttled } else { Patience::Failures };
        rows.push(
            Row::new(status.to_string(), all, move |_| {
                Fault::Answer(Answer::error(status, "UNKNOWN", "a fault of the test"))
            })
            .with(patience),
        );
    }
    let challenge = |hit: &Hit<'_>| {
        let host = hit.request.header("host").unwrap_or_default();
        let realm = format!("Bearer realm=\"http://{host}/token\",service=\"multiarch-testing\"");
        let answer = Answer::error(401, "UNAUTHORIZED", "authentication required");
        Fault::Answer(answer.header("WWW-Authenticate", realm))
    };
    rows.extend([
        Row::new("401", all, challenge),
        Row::new("401, every token has ended", of_images, |hit| {
            if let Some(registry) = hit.world.registry() {
                registry.revoke_tokens();
            }
            Fault::Nothing
        }),
        Row::new("404", all, |hit| Fault::Answer(unknown(hit))),
        Row::new("404 of a proxy", all, |_| page(404)),
        Row::new("200 with a page", all, |_| page(200)),
        Row::new("413 before the body", Kind::writes, |_| Fault::EarlyEnd(413)),
        Row::new("500 before the body", Kind::writes, |_| Fault::EarlyEnd(500)),
        // The connection looks as if it could be used again, and nothing is read from it any more.
        Row::new("413, then silence", Kind::writes, |_| Fault::Early(413)).with(Patience::Hanging),
    ]);
    rows
}

fn page(status: u16) -> Fault {
    let page = Answer::new(status).header("Content-Type", "text/html");
    Fault::Answer(page.body("<html><title>Portal</title></html>"))
}

fn connections() -> Vec<Row> {
    let (late, very_late) = (Duration::from_millis(1500), Duration::from_secs(150));
    vec![
        Row::new("reset before the body", all, |_| Fault::Reset),
        Row::new("reset in the body", Kind::writes, |_| Fault::Cut(7)),
        Row::new("reset after the body", all, |_| Fault::Unheard),
        Row::new("done, answer lost", all, |_| Fault::Lost),
        Row::new("answer cut", Kind::has_body, |_| Fault::CutAnswer(5)),
        Row::new("answer late", all, move |_| Fault::Delay(late)),
        Row::new("answer slow", all, move |_| Fault::Linger(late)),
        Row::new("no answer", all, move |_| Fault::Delay(very_late)).with(Patience::Hanging),
        Row::new("answer without end", Kind::has_body, move |_| Fault::Linger(very_late))
            .with(Patience::Hanging),
    ]
}

fn headers() -> Vec<Row> {
    const DIGEST: &str = "Docker-Content-Digest";
    let located = |to: fn(&str) -> Option<String>| {
        move |_: &Hit<'_>| {
            Fault::changed(move |answer| {
                let Some(was) = answer.value("Location").map(str::to_owned) else { return answer };
                let answer = answer.without("Location");
                match to(&was) {
                    Some(now) => answer.header("Location", now),
                    None => answer,
                }
            })
        }
    };
    let last = |was: &str| was.rsplit('/').next().map(str::to_owned);
    let redirect = |status: u16| {
        move |hit: &Hit<'_>| {
            let path = &hit.request.path;
            let sign = if path.contains('?') { '&' } else { '?' };
            let answer =
                Answer::new(status).header("Location", format!("{path}{sign}redirected=1"));
            Fault::Answer(answer)
        }
    };
    vec![
        Row::new("another digest", of_images, |_| {
            let other = format!("sha256:{}", "0".repeat(64));
            Fault::changed(move |answer| answer.without(DIGEST).header(DIGEST, &*other))
        }),
        Row::new("no digest", of_images, |_| Fault::changed(|answer| answer.without(DIGEST))),
        Row::new("no Location", begins_or_goes_on, located(|_| None)),
        // As GitLab and others answer: relative to the request's path.
        Row::new("relative Location", begins_or_goes_on, located(last)),
        Row::new(
            "Location elsewhere",
            begins_or_goes_on,
            located(|_| Some(elsewhere() + "/x?y=z")),
        ),
        Row::new(
            "Location of no session",
            begins_or_goes_on,
            located(|was| Some(was.replace("session-", "stale-"))),
        ),
        Row::new("307", all, redirect(307)),
        Row::new("308", all, redirect(308)),
        Row::new("301", all, redirect(301)),
        Row::new("302", all, redirect(302)),
        Row::new("307 elsewhere", all, |_| {
            Fault::Answer(Answer::new(307).header("Location", elsewhere() + "/x"))
        }),
        Row::new("307 without Location", all, |_| Fault::answer(307)),
    ]
}

fn contents() -> Vec<Row> {
    let typed = |media_type: &'static str| {
        move |_: &Hit<'_>| {
            Fault::changed(move |answer| {
                answer.without("Content-Type").header("Content-Type", media_type)
            })
        }
    };
    vec![
        Row::new("type octet-stream", Kind::has_body, typed("application/octet-stream")),
        Row::new("type html", Kind::has_body, typed("text/html")),
        Row::new("no type", Kind::has_body, |_| {
            Fault::changed(|answer| answer.without("Content-Type"))
        }),
        Row::new("gzip", Kind::has_body, |_| {
            Fault::changed(|answer| {
                let packed = multiarch_generator::gzip(&answer.body);
                answer.header("Content-Encoding", "gzip").body(packed)
            })
        }),
        Row::new("other bytes", Kind::has_body, |_| {
            Fault::changed(|answer| {
                let body = answer.body.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>();
                answer.body(body)
            })
        }),
        Row::new("201, nothing is done", Kind::writes, |hit| {
            let digest = hit.digest().unwrap_or_default();
            let answer = Answer::json(201, &serde_json::json!({"saved": true}));
            Fault::Answer(answer.header("Docker-Content-Digest", digest).header("Location", "/x"))
        }),
    ]
}

/// States that last for moments: replicas and caches, and garbage collections.
fn moments() -> Vec<Row> {
    let reads_tag = |kind| matches!(kind, Kind::ReadBack | Kind::ReadTag);
    let stores =
        |kind| matches!(kind, Kind::HeadBlob | Kind::Mount | Kind::PutBlob | Kind::PutManifest);
    vec![
        Row::new(
            "old for moments",
            |kind| kind == Kind::ReadBack,
            |hit| match hit.world.old.get(hit.request.local_path()) {
                Some(old) => Fault::As(old.clone()),
                None => Fault::Answer(unknown(hit)),
            },
        )
        .for_moments(),
        Row::new("404 for moments", reads_tag, |hit| Fault::Answer(unknown(hit))).for_moments(),
        Row::new("collected after", stores, |hit| {
            let (world, repository) = (hit.world.clone(), hit.repository().to_owned());
            let digest = hit.digest();
            Fault::changed(move |answer| {
                if let Some(digest) = digest.as_ref().filter(|_| answer.status < 300) {
                    world.collect(&repository, digest);
                }
                answer
            })
        }),
    ]
}
