//! What the network is given of a sound.

use anyhow::Result;
use emotone::audio::{Waveform, resample};
use emotone::features::{FeatureExtractor, FeatureSpec};
use plotters::prelude::RGBColor;

use super::axis::Axis;
use super::heatmap::{Heatmap, heatmap};

/// Blue for less, red for more, as RdBu of ColorBrewer, which the colour-blind can read.
const BLUE_TO_RED: [RGBColor; 9] = [
    RGBColor(33, 102, 172),
    RGBColor(67, 147, 195),
    RGBColor(146, 197, 222),
    RGBColor(209, 229, 240),
    RGBColor(247, 247, 247),
    RGBColor(253, 219, 199),
    RGBColor(244, 165, 130),
    RGBColor(214, 96, 77),
    RGBColor(178, 24, 43),
];
/// Share of the coefficients, the first of each frame left out, that lie within the colours.
const SHOWN: f64 = 0.99;

/// The mel-frequency cepstral coefficients of `spec` over time, before they are standardized.
///
/// The first tells the level and is several times larger than all others, so the colours are made for these.
///
/// # Errors
/// If the features can't be computed; else of the drawing libraries alone.
pub fn cepstrum(title: &str, waveform: &Waveform, spec: &FeatureSpec) -> Result<String> {
    let spec = FeatureSpec { columns: Vec::new(), ..spec.clone() };
    let extractor = FeatureExtractor::new(&spec)?;
    let track = extractor.frames(&resample(waveform, spec.sample_rate)?)?;
    let coefficients = extractor.coefficients(&track, 0..track.frames());
    let rows: Vec<&[f32]> = coefficients.rows().collect();
    let mut sizes: Vec<f32> = rows.iter().flat_map(|row| row.iter().skip(1)).map(|value| value.abs()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let largest = sizes.get((SHOWN * sizes.len() as f64) as usize).copied().filter(|size| *size > 0.0);
    let largest = f64::from(largest.unwrap_or(1.0));
    let map = Heatmap {
        title,
        seconds: waveform.seconds().max(1e-3),
        vertical_name: "coefficient",
        vertical: Axis::linear(-0.5, spec.n_mfcc as f64 - 0.5, 8),
        value_name: "value (dB)",
        value_range: (-largest, largest),
        colors: &BLUE_TO_RED,
    };
    heatmap(&map, |time, coefficient| {
        let frame = (time * f64::from(spec.sample_rate) / spec.hop as f64).round() as usize;
        let row = rows.get(frame).or(rows.last());
        row.and_then(|row| row.get(coefficient.round() as usize)).map_or(0.0, |value| f64::from(*value))
    })
}
