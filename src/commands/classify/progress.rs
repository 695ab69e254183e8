//! How far the work is: a bar on a terminal, a sentence in the end.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::labour::Done;

const BAR: &str = "{bar:40} {pos}/{len} files, {msg}, {eta} left";
const SECONDS_AN_HOUR: f64 = 3600.0;

/// What has been done so far.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    files: usize,
    earlier: usize,
    failures: usize,
    /// The first of this run's, and why: one is enough to begin with, and the answers tell all.
    first_failure: Option<String>,
    audio_seconds: f64,
}

impl Progress {
    /// So many files to do; so many done by an earlier run, of which some could not be judged.
    pub fn new(files: usize, earlier: usize, failures: usize) -> Self {
        let is_worth_a_bar = files > 1 && std::io::stderr().is_terminal();
        let target = if is_worth_a_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(files as u64), target);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), files: 0, earlier, failures, first_failure: None, audio_seconds: 0.0 }
    }

    /// One more file.
    pub fn file(&mut self, done: &Done) {
        self.files += 1;
        match &done.answer {
            Ok(answer) => self.audio_seconds += answer.audio.duration_seconds,
            Err(error) => {
                self.failures += 1;
                self.first_failure.get_or_insert_with(|| format!(" (the first: {}: {error})", done.file.display()));
            }
        }
        self.bar.inc(1);
        self.bar.set_message(format!("{:.1} audio hours a minute", self.hours_a_minute()));
    }

    /// Files that could not be judged.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// A line on stderr, above the bar.
    pub fn complain(&self, line: &str) {
        // Who cannot hear of it is no reason to end.
        self.bar.suspend(|| drop(writeln!(std::io::stderr(), "{line}")));
    }

    /// The last word; `others` were left out.
    pub fn sum_up(&self, others: usize) {
        self.bar.finish_and_clear();
        let took = self.begun.elapsed();
        let earlier = if self.earlier > 0 { format!(" ({} were done before)", self.earlier) } else { String::new() };
        let others = if others > 0 { format!("; left out by their names: {others}") } else { String::new() };
        let _ = writeln!(
            std::io::stderr(),
            "{} {}{earlier}, {} of them could not be judged{}{others}; {:.2} h of audio in {:.1} s: {:.1} audio hours a minute",
            self.files,
            if self.files == 1 { "file" } else { "files" },
            self.failures,
            self.first_failure.as_deref().unwrap_or_default(),
            self.audio_seconds / SECONDS_AN_HOUR,
            took.as_secs_f64(),
            self.hours_a_minute(),
        );
    }

    fn hours_a_minute(&self) -> f64 {
        let minutes = self.begun.elapsed().max(Duration::from_millis(1)).as_secs_f64() / 60.0;
        self.audio_seconds / SECONDS_AN_HOUR / minutes
    }
}
