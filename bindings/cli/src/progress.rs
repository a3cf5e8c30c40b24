//! A progress bar on stderr, if that is a terminal, for work longer than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The bar appears after so long.
const DELAY: Duration = Duration::from_secs(1);

/// A progress bar. It is hidden at first, appears after a second of work, and is cleared when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::hidden();
        let style = "{msg:>10} {wide_bar} {human_pos}/{human_len} {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Progress { bar, started: Instant::now(), terminal: std::io::stderr().is_terminal() }
    }

    /// Reports the progress of `phase`. It is cheap enough to be called for every batch.
    pub(crate) fn tick(&self, phase: &str, done: u64, total: u64) {
        if !self.terminal || self.started.elapsed() < DELAY {
            return;
        }
        if self.bar.message() != phase {
            self.bar.reset();
            self.bar.set_message(phase.to_owned());
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Runs work that reports no progress; a spinner appears if it takes long.
    pub(crate) fn spin<T>(&self, phase: &'static str, work: impl FnOnce() -> T) -> T {
        if !self.terminal {
            return work();
        }
        std::thread::scope(|scope| {
            let (done, wait) = mpsc::channel::<()>();
            scope.spawn(move || {
                if wait.recv_timeout(DELAY) == Err(RecvTimeoutError::Timeout) {
                    self.bar.set_style(ProgressStyle::default_spinner());
                    self.bar.set_message(phase);
                    self.bar.set_draw_target(ProgressDrawTarget::stderr());
                    self.bar.enable_steady_tick(Duration::from_millis(100));
                    // Ends when the sender is dropped.
                    let _ = wait.recv();
                }
            });
            let result = work();
            drop(done);
            result
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
