//! Holds the default model to its card: golden clips, what is no speech, and the figures that `models/README.md` states.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod sounds;

use emotone::audio::{AudioLimits, RawEncoding, RawFormat};
use emotone::call::Verdict;
use emotone::model::{Classifier, Emotion};
use emotone::pipeline::{Pipeline, Request};
use serde_json::Value;
use sounds::{MAN, WOMAN, hum, noise, pink, pulsed, tones};

const MODEL: &[u8] = include_bytes!("../models/emotone-robust.onnx");
const README: &str = include_str!("../models/README.md");
/// Largest difference from a golden probability: processors round differently.
const TOLERANCE: f32 = 1e-4;

/// Probabilities in the order of the labels, printed by this test when the model was put here.
const GOLDENS: [(&str, [f32; Emotion::COUNT]); 4] = [
    ("caller.wav", [0.18414368, 0.0035418929, 0.0069491123, 0.017571693, 0.78127116, 0.0010901068, 0.005432384]),
    ("a man", [0.012245779, 0.015112156, 0.0058842385, 0.0070004966, 0.90534264, 0.0032174347, 0.051197268]),
    ("a woman", [0.027674858, 0.013638792, 0.016571071, 0.029869186, 0.79017234, 0.011685264, 0.11038854]),
    (
        "a woman for ten seconds",
        [0.04120201, 0.029690962, 0.016980685, 0.041574772, 0.6127543, 0.012149415, 0.24564786],
    ),
];

fn pipeline() -> Pipeline {
    Pipeline::new(Classifier::from_onnx(MODEL).unwrap(), AudioLimits::default()).unwrap()
}

/// What is said of 16-bit samples at 8 kHz.
fn verdict(pipeline: &Pipeline, samples: &[f32]) -> Verdict {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| ((sample * 32_767.0).round() as i16).to_le_bytes()).collect();
    let format = RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz: 8_000, channels: 1 };
    pipeline.classify(bytes.into(), Request { raw: Some(format), ..Request::default() }).unwrap().1.verdict
}

#[test]
fn golden_clips_are_judged_as_when_the_model_was_put_here() {
    let pipeline = pipeline();
    let caller = include_bytes!("../examples/caller.wav").as_slice().into();
    let verdicts = [
        pipeline.classify(caller, Request::default()).unwrap().1.verdict,
        verdict(&pipeline, &MAN.speak(3.0, 8_000)),
        verdict(&pipeline, &WOMAN.speak(3.0, 8_000)),
        verdict(&pipeline, &WOMAN.speak(10.0, 8_000)),
    ];
    let heard = verdicts.map(|verdict| verdict.probabilities().unwrap().values().to_owned());
    for ((name, _), heard) in GOLDENS.iter().zip(&heard) {
        println!("(\"{name}\", {heard:?}),");
    }
    for ((name, golden), heard) in GOLDENS.iter().zip(&heard) {
        let largest = heard.iter().zip(golden).map(|(heard, golden)| (heard - golden).abs()).fold(0.0, f32::max);
        assert!(largest <= TOLERANCE, "{name}: {largest} away from {golden:?}");
    }
}

#[test]
fn silence_hum_tones_and_noise_are_no_speech() {
    let pipeline = pipeline();
    let cases = [
        ("silence", vec![0.0; 24_000]),
        ("a constant", vec![0.3; 24_000]),
        ("hum", hum(3.0, 8_000)),
        ("a dial tone", tones(3.0, 8_000, &[(350.0, 0.2), (440.0, 0.2)])),
        (
            "keys",
            (0..20)
                .flat_map(|key| {
                    pulsed(
                        &tones(0.15, 8_000, &[([697.0, 770.0, 852.0][key % 3], 0.2), ([1209.0, 1336.0][key % 2], 0.2)]),
                        8_000,
                        0.08,
                        0.07,
                    )
                })
                .collect(),
        ),
        ("white noise", noise(3.0, 8_000, 0.1, 1)),
        ("pink noise", pink(3.0, 8_000, 0.1, 2)),
    ];
    for (name, samples) in cases {
        assert_eq!(verdict(&pipeline, &samples), Verdict::NoSpeech, "{name}");
    }
}

#[test]
fn the_readme_states_the_figures_that_the_file_carries() {
    let classifier = Classifier::from_onnx(MODEL).unwrap();
    let card = classifier.card();
    let figures = &card.metrics["cross_validation"];
    let lines = figures["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 12, "six rows, clean and phone");
    let percent = |value: &Value| format!("{:.1}", 100.0 * value.as_f64().unwrap());
    for line in lines {
        let draws = line["draws"].as_array().unwrap().iter().map(|draw| percent(&draw["uar"]));
        let text = format!(
            "| {} | {} | {} ± {} | {} ± {} | {} | {:.3} | {:+.1} % | {} |",
            line["row"].as_str().unwrap(),
            line["heard"].as_str().unwrap(),
            percent(&line["accuracy"][0]),
            percent(&line["accuracy"][1]),
            percent(&line["uar"][0]),
            percent(&line["uar"][1]),
            draws.collect::<Vec<_>>().join(", "),
            line["ece"].as_f64().unwrap(),
            100.0 * line["gain_at_75"].as_f64().unwrap(),
            line["clips"],
        );
        println!("{text}");
        assert!(README.contains(&text), "models/README.md lacks {text}");
    }
    let calibration = &figures["calibration"];
    assert_eq!(figures["parameters"], card.more["parameters"]);
    assert!(README.contains(&card.version), "models/README.md lacks {}", card.version);
    for (name, carried) in [
        ("temperature", card.temperature),
        ("temperature_in_doubt", card.temperature_in_doubt.unwrap()),
        ("rejection_threshold", card.rejection_threshold),
    ] {
        assert!((calibration[name].as_f64().unwrap() as f32 - carried).abs() < 1e-6, "{name}");
        assert!(README.contains(&format!("{carried:.3}")), "models/README.md lacks the {name} {carried:.3}");
    }
}

#[test]
fn nobody_can_miss_that_the_data_allow_no_commercial_use() {
    let classifier = Classifier::from_onnx(MODEL).unwrap();
    for corpus in &classifier.card().data {
        assert!(corpus.licence.contains("BY-NC"), "{}: {}", corpus.name, corpus.licence);
        assert!(README.contains(&corpus.name) && README.contains(corpus.licence.trim()), "{}", corpus.name);
    }
    assert!(README.contains("no commercial use"));
}
