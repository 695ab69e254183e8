//! What the speech gate takes for speech: voices at any level, and nothing else a telephone line carries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod sounds;

use emotone::audio::{Waveform, resample};
use emotone::call::SpeechGate;
use emotone::features::{FeatureExtractor, FeatureSpec};
use sounds::{MAN, WOMAN, at_level, hum, joined, noise, pink, pulsed, tones};

/// A front end as a telephone needs it, and librosa's defaults, which are about as far from it as can be.
fn front_ends() -> [FeatureSpec; 2] {
    let telephone = r#"{"sample_rate": 8000, "n_fft": 256, "hop": 128, "n_mels": 48, "fmin": 60, "fmax": 3900, "n_mfcc": 40,
        "top_db": null, "frames": 250, "normalization": "recording", "epsilon": 0.001, "padding": "repeat"}"#;
    let librosa = r#"{"sample_rate": 22050, "n_fft": 2048, "hop": 512, "n_mels": 128, "fmin": 0, "fmax": 11025, "n_mfcc": 40,
        "top_db": 80, "frames": 100, "normalization": "recording", "epsilon": 0.001, "padding": "zero"}"#;
    [telephone, librosa].map(|json| serde_json::from_str(json).unwrap())
}

/// Seconds of speech in windows of 4 s, one after the other, and the seconds of all.
fn speech_seconds(spec: &FeatureSpec, samples: &[f32], rate: u32) -> (f64, f64) {
    let waveform = resample(&Waveform::new(samples.to_vec(), rate).unwrap(), spec.sample_rate).unwrap();
    let track = FeatureExtractor::new(spec).unwrap().frames(&waveform).unwrap();
    let seconds = spec.hop as f64 / f64::from(spec.sample_rate);
    let window = (4.0 / seconds) as usize;
    let gate = SpeechGate::new(spec);
    let mut frames = Vec::new();
    gate.push(track.log_mel(0..track.frames()), &mut frames);
    let spoken: usize =
        frames.chunks(window).map(|frames| gate.speech(frames).into_iter().filter(|speech| *speech).count()).sum();
    (spoken as f64 * seconds, frames.len() as f64 * seconds)
}

#[test]
fn what_is_no_speech_is_not_taken_for_speech() {
    let rate = 16_000;
    let silence = vec![0.0; 2 * rate as usize];
    let ring = tones(8.0, rate, &[(440.0, 0.1), (480.0, 0.1)]);
    let mut clicks = vec![0.0; 4 * rate as usize];
    [10_000, 30_000, 33_000, 50_000].into_iter().for_each(|at| clicks[at] = 0.9);
    let digits = [(697.0, 1209.0), (770.0, 1336.0), (852.0, 1477.0), (941.0, 1336.0)];
    let dialled: Vec<f32> = digits
        .iter()
        .flat_map(|(low, high)| joined(&[&tones(0.3, rate, &[(*low, 0.2), (*high, 0.2)]), &silence[..11_200]]))
        .collect();
    let quickly_dialled: Vec<f32> = (0..16)
        .flat_map(|key| {
            let (low, high) = (digits[key % 4].0, digits[(key * 7 + key / 4) % 4].1);
            joined(&[&tones(0.07, rate, &[(low, 0.2), (high, 0.25)]), &silence[..1120]])
        })
        .collect();
    let announced: Vec<f32> =
        [950.0, 1400.0, 1800.0].iter().flat_map(|pitch| tones(0.33, rate, &[(*pitch, 0.2)])).collect();
    let fading: Vec<f32> =
        noise(4.0, rate, 0.1, 5).iter().enumerate().map(|(at, sample)| sample * at as f32 / 64_000.0).collect();
    let cases = [
        ("silence", vec![0.0; 64_000]),
        ("a constant", vec![0.5; 64_000]),
        ("a step", joined(&[&silence, &vec![0.5; 32_000], &silence])),
        ("hum", hum(4.0, rate)),
        ("hum that starts and ends", joined(&[&silence, &hum(3.0, rate), &silence])),
        ("hum with hiss", hum(4.0, rate).iter().zip(noise(4.0, rate, 0.003, 1)).map(|(a, b)| a + b).collect()),
        ("line noise", noise(30.0, rate, 0.0003, 3)),
        ("white noise", noise(60.0, rate, 0.1, 4)),
        ("pink noise", pink(60.0, rate, 0.1, 5)),
        ("noise after silence", joined(&[&silence, &noise(2.0, rate, 0.01, 6), &silence, &pink(2.0, rate, 0.1, 7)])),
        ("noise that fades in", fading),
        ("noise in pulses", pulsed(&noise(4.0, rate, 0.1, 8), rate, 0.25, 0.25)),
        ("a tone", tones(4.0, rate, &[(1000.0, 0.3)])),
        ("ringing", pulsed(&ring, rate, 1.0, 1.0)),
        ("a busy line", pulsed(&tones(4.0, rate, &[(425.0, 0.2)]), rate, 0.5, 0.5)),
        ("a drone", tones(4.0, rate, &[(180.0, 0.1), (360.0, 0.05), (540.0, 0.03), (720.0, 0.025), (900.0, 0.02)])),
        ("clicks", clicks),
        ("dialling", dialled),
        ("quick dialling", quickly_dialled),
        ("an announcement", announced),
    ];
    for spec in front_ends() {
        for (name, samples) in &cases {
            let (speech, _) = speech_seconds(&spec, &at_level(samples, 0.0), rate);
            assert!(speech == 0.0, "{speech:.2} s of speech in {name} at {} Hz", spec.sample_rate);
        }
    }
}

#[test]
fn voices_are_heard_at_any_level_and_in_noise() {
    for spec in front_ends() {
        for voice in [MAN, WOMAN] {
            for rate in [8_000, 16_000] {
                let spoken = voice.speak(20.0, rate);
                for level in [0.0, -30.0, -40.0] {
                    let (speech, all) = speech_seconds(&spec, &at_level(&spoken, level), rate);
                    assert!(speech > 0.75 * all, "{speech:.1} of {all:.1} s at {level} dB, {} Hz", spec.sample_rate);
                }
                let noisy: Vec<f32> = spoken.iter().zip(noise(20.0, rate, 0.03, 9)).map(|(a, b)| a + b).collect();
                let (speech, all) = speech_seconds(&spec, &noisy, rate);
                assert!(speech > 0.6 * all, "{speech:.1} of {all:.1} s in noise, {} Hz", spec.sample_rate);
            }
        }
    }
}

#[test]
fn a_window_without_rows_or_with_few_holds_no_speech() {
    let [spec, _] = front_ends();
    let gate = SpeechGate::new(&spec);
    assert!(gate.speech(&[]).is_empty());
    let mut frames = Vec::new();
    gate.push(&vec![-20.0; 2 * spec.n_mels], &mut frames);
    assert_eq!(gate.speech(&frames), [false, false]);
}
