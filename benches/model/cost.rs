//! What a clip of 3 s costs each model, on one thread: its features, and the network.
//!
//! ```sh
//! cargo run --release --example measure-model [MODEL...]
//! ```
//!
//! Without arguments, every model of this repository. Times are the best of many runs, in microseconds.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

#[path = "../stopwatch.rs"]
mod stopwatch;

use std::path::PathBuf;

use emotone::audio::Waveform;
use emotone::features::FeatureExtractor;
use emotone::model::Classifier;
use stopwatch::best;

fn main() {
    let mut models: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if models.is_empty() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/models")).unwrap();
        models = folder.map(|entry| entry.unwrap().path()).collect();
        models.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
        models.sort();
    }
    println!("{:40} {:>10} {:>12} {:>10}", "", "features", "window", "file");
    for path in models {
        let bytes = std::fs::read(&path).unwrap();
        let size = bytes.len();
        let classifier = Classifier::from_onnx(bytes).unwrap();
        let spec = classifier.features();
        let extractor = FeatureExtractor::new(spec).unwrap();
        let clip = Waveform::new(glide(3 * spec.sample_rate, spec.sample_rate), spec.sample_rate).unwrap();
        let window = extractor.features(&clip).unwrap();
        let features_us = best(200, || extractor.features(&clip).unwrap());
        let window_us = best(200, || classifier.probabilities(std::slice::from_ref(&window)).unwrap());
        println!(
            "{:40} {features_us:7.0} us {window_us:9.0} us {:7} kB",
            path.file_name().unwrap().to_string_lossy(),
            size / 1_000
        );
    }
}

/// A tone with harmonics that rises and falls like a voice's.
fn glide(samples: u32, rate_hz: u32) -> Vec<f32> {
    let mut phase = 0.0_f32;
    let sample = |index: u32| {
        let seconds = index as f32 / rate_hz as f32;
        phase += (160.0 + 40.0 * (3.0 * seconds).sin()) / rate_hz as f32;
        (1..12).map(|harmonic| (std::f32::consts::TAU * phase * harmonic as f32).sin() / harmonic as f32).sum::<f32>()
            * 0.2
    };
    (0..samples).map(sample).collect()
}
