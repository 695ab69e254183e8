//! Which frequencies sound when.

use anyhow::Result;
use emotone::audio::Waveform;
use emotone::features::PowerSpectrum;
use plotters::prelude::RGBColor;

use super::axis::Axis;
use super::heatmap::{Heatmap, heatmap};

/// Samples of one spectrum at 22 050 Hz, scaled with the rate: 93 ms, fine enough for the harmonics of a low voice.
const WINDOW_SECONDS: f64 = 2_048.0 / 22_050.0;
/// Spectra in the picture, at most.
const COLUMNS: usize = 760;
/// Lowest frequency shown, in Hz.
const LOWEST_HZ: f64 = 50.0;
/// Levels shown, in dB below the loudest.
const RANGE_DB: f64 = 80.0;

/// Dark to light as magma of matplotlib has it: lightness alone tells the level, so it survives a grey print.
const MAGMA: [RGBColor; 9] = [
    RGBColor(0, 0, 4),
    RGBColor(28, 16, 68),
    RGBColor(79, 18, 123),
    RGBColor(129, 37, 129),
    RGBColor(181, 54, 122),
    RGBColor(229, 80, 100),
    RGBColor(251, 135, 97),
    RGBColor(254, 194, 135),
    RGBColor(252, 253, 191),
];

/// Level over time and the logarithm of frequency, in dB relative to the loudest place (Hann windows of 93 ms).
///
/// # Errors
/// Of the drawing libraries alone.
pub fn spectrogram(title: &str, waveform: &Waveform) -> Result<String> {
    let rate = f64::from(waveform.sample_rate_hz());
    let size = ((WINDOW_SECONDS * rate) as usize).next_power_of_two().max(16);
    let hop = (waveform.samples().len() / COLUMNS).max(size / 16);
    let levels = levels_db(waveform.samples(), size, hop);
    let loudest = levels.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
    let lowest = LOWEST_HZ.min(rate / 8.0).max(rate / size as f64);
    let map = Heatmap {
        title,
        seconds: waveform.seconds().max(1e-3),
        vertical_name: "frequency (Hz)",
        vertical: Axis::logarithmic(lowest, rate / 2.0),
        value_name: "level (dB)",
        value_range: (-RANGE_DB, 0.0),
        colors: &MAGMA,
    };
    heatmap(&map, |time, hz| {
        let spectrum = levels.get((time * rate / hop as f64).round() as usize).or(levels.last());
        let bin = hz * size as f64 / rate;
        let at =
            |bin: usize| spectrum.and_then(|levels| levels.get(bin)).map_or(-RANGE_DB, |db| f64::from(db - loudest));
        let below = at(bin as usize);
        below + bin.fract() * (at(bin as usize + 1) - below)
    })
}

/// Power in dB of every bin of every spectrum, each centered on a multiple of `hop`, silence beyond the edges.
fn levels_db(samples: &[f32], size: usize, hop: usize) -> Vec<Vec<f32>> {
    let mut spectrum = PowerSpectrum::new(size);
    let mut frame = vec![0.0; size];
    let mut levels = |center: usize| {
        for (n, place) in frame.iter_mut().enumerate() {
            let sample = (center + n).checked_sub(size / 2).and_then(|at| samples.get(at));
            *place = sample.copied().unwrap_or(0.0);
        }
        let mut power = vec![0.0; spectrum.bins()];
        spectrum.apply(&frame, &mut power);
        power.iter_mut().for_each(|power| *power = 10.0 * power.max(1e-12).log10());
        power
    };
    (0..=samples.len() / hop).map(|number| levels(number * hop)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_loudest_at_its_frequency() {
        let tone: Vec<f32> = (0..8_000).map(|n| (n as f32 * std::f32::consts::TAU / 8.0).sin()).collect();
        let levels = levels_db(&tone, 1_024, 200);
        assert_eq!(levels.len(), 41);
        let loudest = (0..513).max_by(|a, b| levels[20][*a].total_cmp(&levels[20][*b]));
        assert_eq!(loudest, Some(128));
    }

    #[test]
    fn silence_and_nothing_have_pictures_too() {
        for samples in [0, 100, 8_000] {
            assert!(spectrogram("quiet", &Waveform::new(vec![0.0; samples], 8_000).unwrap()).is_ok());
        }
    }
}
