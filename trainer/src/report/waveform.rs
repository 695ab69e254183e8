//! The samples themselves.

use anyhow::Result;
use emotone::audio::Waveform;
use plotters::prelude::*;

use super::axis::Axis;
use super::style::{self, BLUE, TITLE_ROOM};

/// Size of the picture, in pixels.
const SIZE: (u32, u32) = (960, 300);
/// Columns of the picture: with more samples than that, each column shows its lowest and highest.
const COLUMNS: usize = 860;

/// Amplitude over time.
///
/// # Errors
/// Of the drawing library alone.
pub fn waveform(title: &str, waveform: &Waveform) -> Result<String> {
    let samples = waveform.samples();
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let top = f64::from(if peak > 0.0 { peak * 1.08 } else { 1.0 });
    let seconds = waveform.seconds().max(1e-3);
    let (svg, ()) = style::picture(SIZE, title, |root| {
        let mut chart = ChartBuilder::on(&root.margin(TITLE_ROOM, 8, 4, 18))
            .margin_top(6)
            .x_label_area_size(46)
            .y_label_area_size(78)
            .build_cartesian_2d(Axis::linear(0.0, seconds, 8), Axis::linear(-top, top, 5))?;
        style::axes(&mut chart, "time (s)", "amplitude (full scale 1)", true)?;
        chart.draw_series([PathElement::new(outline(waveform), BLUE.stroke_width(1))])?;
        Ok(())
    })?;
    Ok(svg)
}

/// A line through every sample, or down and up through the extremes of each column.
fn outline(waveform: &Waveform) -> Vec<(f64, f64)> {
    let samples = waveform.samples();
    let rate = f64::from(waveform.sample_rate_hz());
    let column = samples.len().div_ceil(COLUMNS).max(1);
    if column <= 2 {
        return samples.iter().enumerate().map(|(n, sample)| (n as f64 / rate, f64::from(*sample))).collect();
    }
    let extremes = samples.chunks(column).enumerate().flat_map(|(index, chunk)| {
        let low = chunk.iter().copied().fold(f32::INFINITY, f32::min);
        let high = chunk.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let time = (index * column) as f64 / rate;
        let (first, second) = if index % 2 == 0 { (low, high) } else { (high, low) };
        [(time, f64::from(first)), (time, f64::from(second))]
    });
    extremes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_takes_no_more_room_than_a_second() {
        let hour = Waveform::new((0..8_000 * 3_600).map(|n| (n as f32).sin()).collect(), 8_000).unwrap();
        assert!(waveform("hour", &hour).unwrap().len() < 60_000);
        assert!(waveform("nothing", &Waveform::new(vec![], 8_000).unwrap()).is_ok());
    }
}
