//! Showing how far a run is: bars on a terminal, lines otherwise.

use std::{
    io::IsTerminal,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use multiarch_core::{
    apply::{NoProgress, Progress},
    chart::TargetName,
};

use crate::{args::Show, output};

/// Bars on a terminal, a line now and then in a log, nothing when asked for nothing.
pub(crate) fn shown(show: &Show) -> Arc<dyn Progress> {
    if show.quiet {
        Arc::new(NoProgress)
    } else if std::io::stderr().is_terminal() {
        Arc::new(Bar::default())
    } else {
        Arc::new(Lines::default())
    }
}

const STYLE: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left {prefix}";

#[derive(Default)]
struct Bar {
    bar: Mutex<Option<ProgressBar>>,
    done: AtomicU64,
    images: AtomicU64,
}

impl Bar {
    fn start(&self, what: String, bytes: u64) {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template(STYLE) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        let mut slot = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = slot.replace(bar) {
            old.finish_and_clear();
        }
    }

    fn with(&self, act: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            act(bar);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.with(ProgressBar::finish_and_clear);
    }
}

impl Progress for Bar {
    fn reading(&self, package: &str, bytes: u64) {
        self.start(format!("reading {package}"), bytes);
    }

    fn read(&self, bytes: u64) {
        self.with(|bar| bar.inc(bytes));
    }

    fn begin(&self, bytes: u64, images: u64) {
        self.images.store(images, Ordering::Relaxed);
        self.start("sending".into(), bytes);
    }

    fn sent(&self, bytes: u64) {
        self.with(|bar| bar.inc(bytes));
    }

    fn unsent(&self, bytes: u64) {
        self.with(|bar| bar.set_position(bar.position().saturating_sub(bytes)));
    }

    fn image(&self, name: &TargetName, failed: bool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let images = self.images.load(Ordering::Relaxed);
        self.with(|bar| {
            bar.set_prefix(format!("({done}/{images} images)"));
            if failed {
                bar.suspend(|| output::note(&format!("failed: {name}")));
            }
        });
    }
}

/// How often a line is written.
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Lines(Mutex<State>);

#[derive(Default)]
struct State {
    what: String,
    total: u64,
    done: u64,
    images: u64,
    images_done: u64,
    begun: Option<Instant>,
    last: Option<Instant>,
}

impl Lines {
    fn with(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn start(&mut self, what: String, total: u64, images: u64) {
        let now = Some(Instant::now());
        *self = Self { what, total, images, begun: now, last: now, ..Self::default() };
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        let (Some(begun), Some(last)) = (self.begun, self.last) else { return };
        if last.elapsed() < PERIOD {
            return;
        }
        self.last = Some(Instant::now());
        let elapsed = begun.elapsed();
        let rate = self.done / elapsed.as_secs().max(1);
        let left = self.total.saturating_sub(self.done) / rate.max(1);
        output::note(&format!(
            "{}: {} of {}, {} of {} images, {}/s, {} left",
            self.what,
            HumanBytes(self.done),
            HumanBytes(self.total),
            self.images_done,
            self.images,
            HumanBytes(rate),
            HumanDuration(Duration::from_secs(left)),
        ));
    }
}

impl Progress for Lines {
    fn reading(&self, package: &str, bytes: u64) {
        self.with(|state| state.start(format!("reading {package}"), bytes, 0));
    }

    fn read(&self, bytes: u64) {
        self.with(|state| state.advance(bytes));
    }

    fn begin(&self, bytes: u64, images: u64) {
        self.with(|state| state.start("sending".into(), bytes, images));
    }

    fn sent(&self, bytes: u64) {
        self.with(|state| state.advance(bytes));
    }

    fn unsent(&self, bytes: u64) {
        self.with(|state| state.done = state.done.saturating_sub(bytes));
    }

    fn image(&self, name: &TargetName, failed: bool) {
        self.with(|state| state.images_done += 1);
        if failed {
            output::note(&format!("failed: {name}"));
        }
    }
}
