//! How a training went.

use anyhow::Result;
use plotters::prelude::*;

use super::axis::Axis;
use super::style::{self, Area, BLUE, ORANGE, SOFT_INK, TITLE_ROOM};

/// Size of the picture, in pixels.
const SIZE: (u32, u32) = (960, 380);

/// What one epoch ended with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Mean loss over the training part, with regularization as the framework counts it; NaN leaves a gap.
    pub training_loss: f64,
    /// Share of the training part that was right, in [0, 1].
    pub training_accuracy: f64,
    /// Mean loss over the validation part.
    pub validation_loss: f64,
    /// Share of the validation part that was right, in [0, 1].
    pub validation_accuracy: f64,
}

/// Loss and accuracy by epoch, the first epoch being 1; the one whose weights were kept is marked.
///
/// # Errors
/// Of the drawing library alone.
pub fn curves(title: &str, epochs: &[Epoch], kept: Option<usize>) -> Result<String> {
    let (svg, ()) = style::picture(SIZE, title, |root| {
        let mark = kept.map(|kept| format!("kept, epoch {kept}"));
        let lines = [("training", BLUE), ("validation", ORANGE)];
        let entries: Vec<_> = mark.iter().map(|mark| (mark.as_str(), SOFT_INK)).chain(lines).collect();
        style::legend(root, SIZE.0 as i32 - 20, &entries)?;
        let (left, right) = root.margin(TITLE_ROOM, 8, 4, 12).split_horizontally(SIZE.0 / 2 - 8);
        let highest = epochs.iter().flat_map(|epoch| [epoch.training_loss, epoch.validation_loss]);
        let highest = highest.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
        let top = if highest > 0.0 { highest * 1.05 } else { 1.0 };
        panel(&left, "loss", top, epochs, kept, [|epoch| epoch.training_loss, |epoch| epoch.validation_loss])?;
        panel(
            &right,
            "accuracy (%)",
            102.0,
            epochs,
            kept,
            [|epoch| 100.0 * epoch.training_accuracy, |epoch| 100.0 * epoch.validation_accuracy],
        )
    })?;
    Ok(svg)
}

fn panel(
    area: &Area<'_>,
    name: &str,
    top: f64,
    epochs: &[Epoch],
    kept: Option<usize>,
    values: [fn(&Epoch) -> f64; 2],
) -> Result<()> {
    let last = epochs.len().max(2) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_right(12)
        .margin_top(6)
        .x_label_area_size(44)
        .y_label_area_size(58)
        .build_cartesian_2d(Axis::linear(1.0, last, 7).whole(), Axis::linear(0.0, top, 6))?;
    style::axes(&mut chart, "epoch", name, true)?;
    if let Some(kept) = kept.filter(|kept| (1..=epochs.len()).contains(kept)) {
        let line = vec![(kept as f64, 0.0), (kept as f64, top)];
        chart.draw_series([PathElement::new(line, SOFT_INK.stroke_width(1))])?;
    }
    for (value, color) in values.into_iter().zip([BLUE, ORANGE]) {
        let points = epochs.iter().enumerate().map(|(index, epoch)| (index as f64 + 1.0, value(epoch)));
        let points: Vec<(f64, f64)> = points.filter(|(_, value)| value.is_finite()).collect();
        if points.len() == 1 {
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, color.filled())))?;
        }
        chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_of_any_length_has_a_picture() {
        let epoch = |n: usize| Epoch {
            training_loss: 2.0 / (n + 1) as f64,
            training_accuracy: 0.9,
            validation_loss: f64::NAN,
            validation_accuracy: 0.8,
        };
        for length in [0, 1, 2, 30] {
            let svg = curves("CNN", &(0..length).map(epoch).collect::<Vec<_>>(), Some(length)).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("NaN"));
        }
    }
}
