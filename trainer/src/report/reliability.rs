//! Whether a confidence can be taken at its word.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::style::{self, BLUE, INK, ORANGE, SOFT_INK, TITLE_ROOM};

/// Size of the picture, in pixels.
const SIZE: (u32, u32) = (560, 640);

/// The clips whose confidence, that of the best class, fell between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceBin {
    /// Mean confidence of these clips, in [0, 1].
    pub confidence: f64,
    /// Share of these clips that were right, in [0, 1].
    pub accuracy: f64,
    /// Number of these clips; a bin of 0 is left out.
    pub count: u64,
}

/// The reliability diagram: accuracy over confidence, in as many bins of equal width over [0, 1] as are given, and
/// below it how the clips spread over them. A bar that ends at the line is an honest bin.
///
/// # Errors
/// Of the drawing library alone.
pub fn reliability(title: &str, bins: &[ConfidenceBin]) -> Result<String> {
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &ConfidenceBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    let error = bins.iter().map(gap).fold(0.0, |sum, gap| sum + gap) / total.max(1) as f64;
    let (svg, ()) = style::picture(SIZE, title, |root| {
        style::legend(root, SIZE.0 as i32 - 20, &[("accuracy", BLUE), ("confidence", ORANGE)])?;
        let (upper, lower) = root.margin(TITLE_ROOM, 8, 4, 12).split_vertically(SIZE.1 - 230);
        let filled = || bins.iter().enumerate().filter(|(_, bin)| bin.count > 0);
        let edges =
            |index: usize| (100.0 * index as f64 / bins.len() as f64, 100.0 * (index + 1) as f64 / bins.len() as f64);
        let percent = || Axis::linear(0.0, 100.0, 5);

        let mut chart = chart_on(&upper, 24).build_cartesian_2d(percent(), percent())?;
        style::axes(&mut chart, "", "accuracy (%)", true)?;
        chart.draw_series(filled().map(|(index, bin)| {
            let (left, right) = edges(index);
            Rectangle::new([(left + 0.4, 0.0), (right - 0.4, 100.0 * bin.accuracy)], BLUE.mix(0.75).filled())
        }))?;
        chart.draw_series([PathElement::new(vec![(0.0, 0.0), (100.0, 100.0)], SOFT_INK.stroke_width(1))])?;
        chart.draw_series(filled().map(|(index, bin)| {
            let (left, right) = edges(index);
            let height = 100.0 * bin.confidence;
            PathElement::new(vec![(left + 0.4, height), (right - 0.4, height)], ORANGE.stroke_width(3))
        }))?;
        let note = format!("expected calibration error {error:.3}");
        upper.draw(&Text::new(note, (78, 16), style::text(style::TEXT_SIZE, &INK, HPos::Left)))?;

        let highest = bins.iter().map(|bin| 100.0 * bin.count as f64 / total.max(1) as f64).fold(1.0, f64::max) * 1.1;
        let mut chart = chart_on(&lower, 44).build_cartesian_2d(percent(), Axis::linear(0.0, highest, 4))?;
        style::axes(&mut chart, "confidence (%)", "clips (%)", true)?;
        chart.draw_series(filled().map(|(index, bin)| {
            let ((left, right), share) = (edges(index), 100.0 * bin.count as f64 / total as f64);
            Rectangle::new([(left + 0.4, 0.0), (right - 0.4, share)], SOFT_INK.mix(0.6).filled())
        }))?;
        Ok(())
    })?;
    Ok(svg)
}

fn chart_on<'a, 'b>(area: &'a style::Area<'b>, below: u32) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(14).margin_top(8).x_label_area_size(below).y_label_area_size(62);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_mean_gap_weighted_by_clips() {
        let bin = |confidence, accuracy, count| ConfidenceBin { confidence, accuracy, count };
        let bins = [bin(0.2, 0.4, 10), bin(0.0, 0.0, 0), bin(0.9, 0.8, 30)];
        assert!(reliability("test", &bins).unwrap().contains("calibration error 0.125"));
        assert!(reliability("test", &[]).unwrap().contains("calibration error 0.000"));
    }
}
