//! What resampling does to the features: MFCC of our resampler against librosa's of soxr's "high quality"
//! (`goldens/resampled_mfcc.py`).

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::path::Path;

use emotone::audio::{AudioLimits, decode, resample};
use emotone::features::{Boundary, FeatureExtractor, FeatureSpec, Normalization, Padding};
use serde::Deserialize;

/// For coefficients that spread over 10 to 100. Both resamplers pass up to 91.3 % of the Nyquist frequency and stop at it;
/// in between, where the last mel bands lie, their filters fall differently. On forty recordings of TESS and RAVDESS, with
/// more sound there than this voice has, the largest difference was 0.66 and the mean 0.02.
const TOLERANCE: f32 = 0.05;

#[derive(Deserialize)]
struct Golden {
    recording: String,
    mfcc: Vec<Vec<f32>>,
}

#[test]
fn mfcc_of_resampled_recordings_agree_with_librosas() {
    let spec = FeatureSpec {
        sample_rate: 8_000,
        pre_emphasis: 0.0,
        n_fft: 256,
        hop: 128,
        n_mels: 48,
        fmin: 60.0,
        fmax: 3_900.0,
        n_mfcc: 20,
        top_db: Some(80.0),
        frames: 100,
        normalization: Normalization::Recording { epsilon: 1e-5 },
        padding: Padding::Zero,
        boundary: Boundary::Zero,
        columns: Vec::new(),
    };
    let extractor = FeatureExtractor::new(&spec).unwrap();
    let goldens: Vec<Golden> = serde_json::from_str(include_str!("goldens/resampled_mfcc.json")).unwrap();
    for golden in goldens {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(&golden.recording);
        let recording = decode(std::fs::read(file).unwrap().into(), None, &AudioLimits::default()).unwrap();
        let track = extractor.frames(&resample(&recording.channels[0], 8_000).unwrap()).unwrap();
        let mfcc = extractor.coefficients(&track, 0..track.frames());
        assert_eq!(mfcc.frames(), golden.mfcc.len(), "{}", golden.recording);
        let pairs = mfcc.rows().zip(&golden.mfcc).flat_map(|(ours, theirs)| ours.iter().zip(theirs));
        let largest = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        println!("{}: largest difference {largest:.3}", golden.recording);
        assert!(largest <= TOLERANCE, "{}: {largest}", golden.recording);
    }
}
