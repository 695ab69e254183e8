//! The cepstral chain against librosa 0.11, stage by stage, on the values of `goldens/librosa_goldens.py`.
//!
//! `cargo test --test librosa -- --nocapture` prints the largest error of each stage, setting and signal.

#![allow(clippy::unwrap_used, reason = "goldens that cannot be read are a failed test")]

use std::fs;
use std::path::Path;

use emotone::audio::Waveform;
use emotone::features::{Boundary, FeatureExtractor, FeatureSpec, Framer, MelBank, PowerSpectrum, PreEmphasis};
use serde_json::{Value, json};

/// Largest relative error of power and mel energies; values below [`SMALLEST_POWER`] are compared with that.
const POWER_TOLERANCE: f32 = 1e-4;
/// The floor of the decibels: what is below counts as this.
const SMALLEST_POWER: f32 = 1e-10;
/// Largest absolute error of a coefficient.
const MFCC_TOLERANCE: f32 = 1e-3;

struct Goldens {
    index: Value,
    values: Vec<f32>,
}

impl Goldens {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
        let index = serde_json::from_slice(&fs::read(folder.join("librosa.json")).unwrap()).unwrap();
        let bytes = fs::read(folder.join("librosa.f32")).unwrap();
        let values = bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        Self { index, values }
    }

    fn array(&self, case: &Value, stage: &str) -> &[f32] {
        let [start, length] = [0, 1].map(|side| case["arrays"][stage][side].as_u64().unwrap() as usize);
        &self.values[start..start + length]
    }
}

fn spec_of(case: &Value) -> FeatureSpec {
    let mut features = case["features"].clone();
    let more = json!({"frames": 100, "normalization": "recording", "epsilon": 1.0, "padding": "zero"});
    features.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(features).unwrap()
}

/// Power and mel energies of every frame, frame-major.
fn spectra(spec: &FeatureSpec, signal: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut spectrum = PowerSpectrum::new(spec.n_fft);
    let bank = MelBank::new(spec.sample_rate, spec.n_fft, spec.n_mels, spec.fmin, spec.fmax);
    let (mut power, mut mel) = (vec![0.0; spectrum.bins()], vec![0.0; spec.n_mels]);
    let (mut powers, mut mels) = (Vec::new(), Vec::new());
    let mut emphasized = signal.to_vec();
    PreEmphasis::new(spec.pre_emphasis).apply(&mut emphasized);
    let mut framer = Framer::new(spec.n_fft, spec.hop, Boundary::Zero);
    let mut each = |frame: &[f32]| {
        spectrum.apply(frame, &mut power);
        bank.apply(&power, &mut mel);
        powers.extend_from_slice(&power);
        mels.extend_from_slice(&mel);
    };
    framer.push(&emphasized, |_| (), &mut each);
    framer.finish(&mut each);
    (powers, mels)
}

fn largest(found: impl IntoIterator<Item = f32>, expected: &[f32], error: impl Fn(f32, f32) -> f32) -> f32 {
    let found: Vec<f32> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "another number of values than librosa's");
    found.iter().zip(expected).map(|(found, expected)| error(*found, *expected)).fold(0.0, f32::max)
}

#[test]
fn every_stage_agrees_with_librosa() {
    let goldens = Goldens::read();
    let every = goldens.index["power_every"].as_u64().unwrap() as usize;
    let relative = |found: f32, expected: f32| (found - expected).abs() / expected.max(SMALLEST_POWER);
    println!("{:18} {:7} {:>10} {:>10} {:>10}", "setting", "signal", "power", "mel", "MFCC");
    let mut worst = [0.0_f32; 3];
    for case in goldens.index["cases"].as_array().unwrap() {
        let (spec, signal) = (spec_of(case), goldens.array(case, "signal"));
        let (powers, mels) = spectra(&spec, signal);
        let bins = spec.n_fft / 2 + 1;
        let extractor = FeatureExtractor::new(&spec).unwrap();
        let track = extractor.frames(&Waveform::new(signal.to_vec(), spec.sample_rate).unwrap()).unwrap();
        let mfcc = extractor.coefficients(&track, 0..track.frames()).into_values();
        let errors = [
            largest(powers.chunks(bins).step_by(every).flatten().copied(), goldens.array(case, "power"), relative),
            largest(mels, goldens.array(case, "mel"), relative),
            largest(mfcc, goldens.array(case, "mfcc"), |found, expected| (found - expected).abs()),
        ];
        let [power, mel, cepstrum] = errors;
        let name = |key: &str| case[key].as_str().unwrap().to_owned();
        println!("{:18} {:7} {power:10.1e} {mel:10.1e} {cepstrum:10.1e}", name("setting"), name("signal"));
        worst.iter_mut().zip(errors).for_each(|(worst, error)| *worst = worst.max(error));
    }
    assert!(worst[0] <= POWER_TOLERANCE && worst[1] <= POWER_TOLERANCE, "power or mel energies: {worst:?}");
    assert!(worst[2] <= MFCC_TOLERANCE, "MFCC: {worst:?}");
}
