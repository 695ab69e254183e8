//! The bytes of a file to frames of features: whatever they are, a recording of finite samples or an error, and finite
//! frames from it.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../src/audio/mod.rs"]
mod audio;
#[path = "../../src/features/mod.rs"]
mod features;

use std::sync::LazyLock;

use audio::{AudioLimits, resample};
use features::{Boundary, Column, FeatureExtractor, FeatureSpec, Normalization, Padding};
use libfuzzer_sys::fuzz_target;

/// Small enough for thousands of files a second, and to notice at once when memory does not follow the limits.
const LIMITS: AudioLimits = AudioLimits {
    max_seconds: 4.0,
    min_seconds: 0.01,
    max_channels: 8,
    min_sample_rate_hz: 4_000,
    max_sample_rate_hz: 192_000,
    max_decoded_mib: 8,
};

/// What most models of this project have, with every column.
static EXTRACTOR: LazyLock<FeatureExtractor> = LazyLock::new(|| {
    let spec = FeatureSpec {
        sample_rate: 8_000,
        pre_emphasis: 0.0,
        n_fft: 256,
        hop: 128,
        n_mels: 48,
        fmin: 60.0,
        fmax: 3_900.0,
        n_mfcc: 40,
        top_db: Some(80.0),
        frames: 150,
        normalization: Normalization::Recording { epsilon: 1e-5 },
        padding: Padding::Repeat,
        boundary: Boundary::Zero,
        columns: vec![Column::RelativeLogPitch, Column::LogPitch, Column::PitchSlope, Column::Voicing, Column::Energy],
    };
    FeatureExtractor::new(&spec).expect("the settings make sense")
});

fuzz_target!(init: leave_guarded_panics_alone(), |bytes: &[u8]| {
    let Ok(recording) = audio::decode(bytes.to_vec().into(), None, &LIMITS) else { return };
    let frames = recording.channels[0].samples().len();
    assert!(frames > 0 && recording.channels.len() <= 8);
    assert!(recording.channels.len() * frames * 4 <= 8 << 20);
    for channel in &recording.channels {
        assert_eq!(channel.samples().len(), frames);
        assert!(channel.samples().iter().all(|sample| sample.is_finite()));
    }
    // One channel is enough: they take the same way.
    let waveform = resample(&recording.channels[0], 8_000).expect("rates within the limits can be resampled");
    let expected = (frames as u64 * 8_000).div_ceil(u64::from(recording.sample_rate_hz));
    assert_eq!(waveform.samples().len() as u64, expected);
    let matrix = EXTRACTOR.features(&waveform).expect("the rate is the features'");
    assert!(matrix.values().iter().all(|value| value.is_finite()));
});

/// libFuzzer's hook takes every panic for a finding. Those inside codec libraries are caught by the code under test, so
/// they are none; all others are.
fn leave_guarded_panics_alone() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |location| location.file());
        if !["symphonia", "rusty-opus"].iter().any(|library| file.contains(library)) {
            report(panic);
        }
    }));
}
