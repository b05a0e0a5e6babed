//! Shows the progress of a run: as a bar on a terminal, as lines, or as JSON.

use std::{fmt::Write as _, io::IsTerminal, sync::mpsc, thread::JoinHandle, time::Duration};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use multiarch_core::{Meter, Phase, Progress, embed::Events};

use crate::{args::Style, output};

/// A display of progress, which ends when this is dropped.
pub(crate) struct Shown {
    meter: Meter,
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    /// The meter that the run reports its progress to.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts to show progress in the style that was asked for; by default a bar on a terminal, else lines.
pub(crate) fn shown(style: Style) -> Shown {
    let (meter, terminal) = (Meter::new(), std::io::stderr().is_terminal());
    let mut display: Box<dyn Display> = match style {
        Style::None => {
            return Shown { meter, end: None, thread: None };
        }
        Style::Auto if terminal => Box::new(Bar::new()),
        Style::Auto | Style::Lines => Box::new(Lines::default()),
        Style::Json => Box::<Json>::default(),
    };
    let (end, ended) = mpsc::channel::<()>();
    let seen = meter.clone();
    let look = move || {
        while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(display.period()) {
            display.show(&seen);
        }
        display.finish(&seen);
    };
    let thread = std::thread::Builder::new().name("progress".into()).spawn(look).ok();
    Shown { meter, end: Some(end), thread }
}

/// A way to show progress.
trait Display: Send {
    /// The time between two updates.
    fn period(&self) -> Duration;
    /// Shows the state of the run, and the images that failed since the last update.
    fn show(&mut self, meter: &Meter);
    /// Shows the end of the run.
    fn finish(&mut self, meter: &Meter);
}

/// A progress as a text.
fn describe(now: &Progress) -> String {
    let mut text = String::new();
    let mut add = |part: std::fmt::Arguments<'_>| {
        let gap = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{gap}{part}");
    };
    // The most important part comes first, because a narrow terminal cuts the line.
    if let Some(what) = &now.waiting_for {
        add(format_args!("waiting for {what}"));
    } else if let Some(left) = now.seconds_left.filter(|_| now.bytes < now.bytes_total) {
        add(format_args!("{} left", HumanDuration(Duration::from_secs(left))));
    }
    if now.bytes_total > 0 {
        add(format_args!("{} of {}", HumanBytes(now.bytes), HumanBytes(now.bytes_total)));
        add(format_args!("{}/s", HumanBytes(now.bytes_per_second)));
    }
    if now.answers_total > 0 {
        add(format_args!("{} of {} answers", now.answers, now.answers_total));
    }
    if now.images_total > 0 {
        add(format_args!("{} of {} images", now.images, now.images_total));
    }
    if now.charts_total > 0 {
        add(format_args!("{} of {} charts", now.charts, now.charts_total));
    }
    text
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Reading => "reading",
        Phase::Asking => "asking the target",
        Phase::Sending => "sending",
        _ => "starting",
    }
}

fn note_failed(failed: &[String]) {
    for image in failed {
        output::note(&format!("failed: {image}"));
    }
}

struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Display for Bar {
    fn period(&self) -> Duration {
        Duration::from_millis(125)
    }

    fn show(&mut self, meter: &Meter) {
        let (now, failed) = (meter.progress(), meter.take_failed());
        if !failed.is_empty() {
            self.0.suspend(|| note_failed(&failed));
        }
        if now.phase == Phase::Starting {
            return;
        }
        let (done, total) = match now.bytes_total {
            0 => (now.answers + now.images, now.answers_total + now.images_total),
            total => (now.bytes, total),
        };
        // A single message, so that each update is drawn only once.
        self.0.set_message(format!(
            "{} [{}] {}",
            name(now.phase),
            bar(done, total),
            describe(&now)
        ));
    }

    fn finish(&mut self, meter: &Meter) {
        self.0.finish_and_clear();
        note_failed(&meter.take_failed());
    }
}

/// A bar of 20 characters, filled to the share that is done.
fn bar(done: u64, total: u64) -> String {
    const WIDTH: usize = 20;
    let share = u128::from(done.min(total)) * WIDTH as u128 / u128::from(total.max(1));
    let full = usize::try_from(share).unwrap_or(WIDTH);
    format!("{:WIDTH$}", "=".repeat(full) + if full < WIDTH { ">" } else { "" })
}

#[derive(Default)]
struct Lines {
    periods: u32,
}

impl Lines {
    /// Failures are shown within a second, everything else every 10 seconds.
    const PERIODS: u32 = 10;

    fn line(now: &Progress) {
        output::note(&format!("{}: {}", name(now.phase), describe(now)));
    }
}

impl Display for Lines {
    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn show(&mut self, meter: &Meter) {
        note_failed(&meter.take_failed());
        self.periods += 1;
        if self.periods.is_multiple_of(Self::PERIODS) {
            Self::line(&meter.progress());
        }
    }

    fn finish(&mut self, meter: &Meter) {
        note_failed(&meter.take_failed());
        if self.periods >= Self::PERIODS {
            Self::line(&meter.progress());
        }
    }
}

/// Programs show it as it comes: eight times a second, as the C library reports it.
#[derive(Default)]
struct Json(Events);

impl Display for Json {
    fn period(&self) -> Duration {
        Duration::from_millis(125)
    }

    fn show(&mut self, meter: &Meter) {
        output::note(&self.0.next(meter));
    }

    fn finish(&mut self, meter: &Meter) {
        self.show(meter);
    }
}
