//! What `fit` and `evaluate` draw.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use emotone::model::Emotion;

use crate::metrics::{Answer, Figures, reliability};
use crate::report::{self, ConfidenceBin, Epoch};
use crate::training::EpochFigures;

/// Writes `curves.svg`, `confusion.svg` and `reliability.svg` into `folder`.
///
/// # Errors
/// If one cannot be drawn or written.
pub fn write(
    folder: &Path,
    name: &str,
    history: &[EpochFigures],
    best_epoch: usize,
    figures: &Figures,
    answers: &[Answer],
) -> Result<()> {
    let epochs: Vec<Epoch> = history
        .iter()
        .map(|figures| Epoch {
            training_loss: figures.train_loss,
            training_accuracy: figures.train_accuracy,
            validation_loss: figures.validation_loss,
            validation_accuracy: figures.validation_accuracy,
        })
        .collect();
    let names = Emotion::ALL.map(Emotion::name);
    let counts: Vec<Vec<u64>> =
        figures.confusion.iter().map(|row| row.iter().map(|count| *count as u64).collect()).collect();
    let bin = |(count, confidence, accuracy)| ConfidenceBin { confidence, accuracy, count: count as u64 };
    let bins: Vec<ConfidenceBin> = reliability(answers).into_iter().map(bin).collect();
    let pictures = [
        ("curves.svg", report::curves(&format!("{name}: training"), &epochs, Some(best_epoch))?),
        ("confusion.svg", report::confusion(&format!("{name}: test clips"), &names, &counts)?),
        ("reliability.svg", report::reliability(&format!("{name}: test clips"), &bins)?),
    ];
    for (file, svg) in pictures {
        let path = folder.join(file);
        fs::write(&path, svg).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    Ok(())
}
