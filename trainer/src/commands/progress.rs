//! Progress on stderr: a bar on a terminal, else nothing.

use indicatif::{ProgressBar, ProgressStyle};

use crate::training::EpochFigures;

/// A bar over `length` pieces of `what`.
pub fn bar(what: &'static str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// One line of an epoch.
pub fn epoch_line(figures: &EpochFigures, epochs: usize) -> String {
    format!(
        "epoch {:3}/{epochs}  loss {:.4}  accuracy {:.4}  val_loss {:.4}  val_accuracy {:.4}  rate {:.1e}  {:.1} s",
        figures.epoch,
        figures.train_loss,
        figures.train_accuracy,
        figures.validation_loss,
        figures.validation_accuracy,
        figures.learning_rate,
        figures.seconds,
    )
}
