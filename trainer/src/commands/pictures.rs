//! What `fit` and `crossval` draw.

use std::path::Path;

use anyhow::{Context, Result};
use emotone::model::Emotion;

use super::record::write;
use crate::metrics::{Answer, Figures, reliability};
use crate::report::{self, ConfidenceBin, Epoch};
use crate::training::EpochFigures;

/// Writes the loss and accuracy by epoch of one network, `curves-NAME.svg`.
///
/// # Errors
/// If it cannot be drawn or written.
pub fn curves(folder: &Path, name: &str, history: &[EpochFigures], best_epoch: usize) -> Result<()> {
    // An epoch without validation leaves a gap.
    let validated = history.iter().any(|figures| figures.validation_loss > 0.0);
    let gap = |value: f64| if validated { value } else { f64::NAN };
    let epoch = |figures: &EpochFigures| Epoch {
        training_loss: figures.train_loss,
        training_accuracy: figures.train_accuracy,
        validation_loss: gap(figures.validation_loss),
        validation_accuracy: gap(figures.validation_accuracy),
    };
    let epochs: Vec<Epoch> = history.iter().map(epoch).collect();
    let svg = report::curves(&format!("{name}: training"), &epochs, Some(best_epoch))?;
    write(&folder.join(format!("curves-{name}.svg")), svg.as_bytes())
}

/// Writes confusion matrix and reliability diagram of some answers, `confusion-WHAT.svg` and `reliability-WHAT.svg`.
///
/// # Errors
/// If one cannot be drawn or written.
pub fn judged(folder: &Path, title: &str, what: &str, figures: &Figures, answers: &[Answer]) -> Result<()> {
    let names = Emotion::ALL.map(Emotion::name);
    let counts: Vec<Vec<u64>> =
        figures.confusion.iter().map(|row| row.iter().map(|count| *count as u64).collect()).collect();
    let bin = |(count, confidence, accuracy)| ConfidenceBin { confidence, accuracy, count: count as u64 };
    let bins: Vec<ConfidenceBin> = reliability(answers).into_iter().map(bin).collect();
    write(&folder.join(format!("confusion-{what}.svg")), report::confusion(title, &names, &counts)?.as_bytes())?;
    write(&folder.join(format!("reliability-{what}.svg")), report::reliability(title, &bins)?.as_bytes())
}

/// Removes what [`judged`] has drawn.
///
/// # Errors
/// If a picture is there and cannot be removed.
pub fn forget(folder: &Path, what: &str) -> Result<()> {
    for kind in ["confusion", "reliability"] {
        let picture = folder.join(format!("{kind}-{what}.svg"));
        if let Err(error) = std::fs::remove_file(&picture)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| picture.display().to_string());
        }
    }
    Ok(())
}
