//! Shows progress: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::journal::Journal;

/// How often a line is written where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Progress that the user sees.
pub struct Progress {
    bar: ProgressBar,
    /// When the next line is due. `None` if no lines are written.
    next_line_at: Option<Instant>,
}

impl Progress {
    /// Progress to standard error.
    pub fn to_stderr() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let target = if is_terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed} {per_sec}") {
            bar.set_style(style);
        }
        Self {
            bar,
            next_line_at: (!is_terminal).then(Instant::now),
        }
    }

    /// Shows no progress.
    pub fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            next_line_at: None,
        }
    }

    /// Sets how many lines there are.
    pub fn expect(&mut self, lines: u64) {
        self.bar.set_length(lines);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {eta}") {
            self.bar.set_style(style);
        }
    }

    /// Shows how much is moved.
    pub fn moved(&mut self, journal: &Journal) {
        let failed = journal.failed;
        self.show("moved", journal.lines, failed);
    }

    /// Shows how much is read back.
    pub fn read_back(&mut self, journal: &Journal) {
        let failed = journal.failed.saturating_add(journal.read_back.bad);
        self.show("read back", journal.read_back.lines, failed);
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&mut self, what: &'static str, lines: u64, failed: u64) {
        self.bar.set_position(lines);
        let failures = match failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        self.bar.set_message(format!("lines {what}{failures}"));
        let now = Instant::now();
        if self.next_line_at.is_some_and(|at| now >= at) {
            self.next_line_at = now.checked_add(PAUSE);
            // Standard error may be closed. The work goes on all the same.
            let _ = writeln!(io::stderr(), "{lines} lines {what}{failures}");
        }
    }
}
