//! The trainer from folders of audio to a served model, on voices that the test makes itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::f32::consts::TAU;
use std::path::Path;
use std::process::{Command, Output};

use emotone::audio::AudioLimits;
use emotone::model::{Classifier, Emotion};
use emotone::pipeline::{Pipeline, Request};

const RATE_HZ: u32 = 16_000;
const CLIPS_EACH: usize = 10;

/// A hum of some harmonics, whose pitch, melody and brightness tell the emotion, and whose speaker shifts all of them.
fn voice(emotion: usize, speaker: usize, take: usize) -> Vec<i16> {
    let base: f32 = [110.0, 190.0][speaker] * (1.0 + 0.02 * take as f32);
    let melody: f32 = [0.5, -0.3, 0.1, 0.3, 0.0, 0.8, -0.15][emotion];
    let brightness: f32 = [0.9, 0.5, 0.7, 0.8, 0.4, 0.85, 0.25][emotion];
    let tremble: f32 = [0.0, 0.0, 0.15, 0.05, 0.0, 0.0, 0.05][emotion];
    let length = RATE_HZ as usize * (20 + take % 4) / 10;
    let mut phase = 0.0_f32;
    let sample = |index: usize| {
        let time = index as f32 / length as f32;
        let pitch = base * (1.0 + melody * time) * (1.0 + tremble * (TAU * 6.0 * time).sin());
        phase += TAU * pitch / RATE_HZ as f32;
        let tone: f32 = (1..20).map(|harmonic| brightness.powi(harmonic) * (harmonic as f32 * phase).sin()).sum();
        (6_000.0 * tone * (std::f32::consts::PI * time).sin().sqrt()).clamp(-32_000.0, 32_000.0) as i16
    };
    (0..length).map(sample).collect()
}

fn corpus(folder: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for emotion in Emotion::ALL {
        for (speaker, name) in ["ada", "bea"].into_iter().enumerate() {
            let folder = folder.join(format!("{name}_{emotion}"));
            std::fs::create_dir_all(&folder).unwrap();
            for take in 0..CLIPS_EACH {
                let mut file = hound::WavWriter::create(folder.join(format!("{take}.wav")), spec).unwrap();
                voice(emotion as usize, speaker, take).into_iter().for_each(|value| file.write_sample(value).unwrap());
                file.finalize().unwrap();
            }
        }
    }
}

fn emotone_train(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emotone-train")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_made_corpus_is_learned_exported_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    corpus(&data);
    std::fs::write(data.join("ada_sad").join("broken.wav"), b"this is no audio").unwrap();
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let trained = emotone_train(&[
        "fit",
        "--data",
        data,
        "--arch",
        "cnn-lstm",
        "--recipe",
        "paper",
        "--split",
        "random",
        "--out",
        out,
        "--epochs",
        "40",
        "--batch-size",
        "8",
        "--seed",
        "3",
    ]);
    let said = stdout(&trained);
    let complaints = String::from_utf8_lossy(&trained.stderr);
    assert!(complaints.contains("broken.wav"), "{complaints}");
    assert_eq!(complaints.matches("\nepoch ").count(), 40, "{complaints}");
    assert!(said.contains("accuracy"), "{said}");

    let model = Path::new(out).join("emotone-cnn-lstm.onnx");
    let classifier = Classifier::from_onnx(std::fs::read(&model).unwrap()).unwrap();
    assert_eq!(classifier.card().name, "emotone-cnn-lstm");

    let scored = stdout(&emotone_train(&["evaluate", "--model", model.to_str().unwrap(), "--data", data, "--json"]));
    let figures: serde_json::Value = serde_json::from_str(&scored).unwrap();
    assert_eq!(figures["clips"], 7 * 2 * CLIPS_EACH);
    assert!(figures["accuracy"].as_f64().unwrap() > 0.8, "{scored}");
}

#[test]
fn draws_are_trained_apart_kept_and_scored_together() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    corpus(&data);
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let crossval = |seed: &str, draws: &str| {
        let few = ["--recipe", "paper", "--arch", "cnn", "--epochs", "1", "--only", "data-1"];
        let ran = emotone_train(
            &[&["crossval", "--data", data, "--out", out, "--seed", seed, "--draws", draws], &few[..]].concat(),
        );
        let figures = std::fs::read(Path::new(out).join("figures.json")).unwrap();
        let figures: serde_json::Value = serde_json::from_slice(&figures).unwrap();
        (stdout(&ran), String::from_utf8_lossy(&ran.stderr).matches("data-1 cnn: ").count(), figures)
    };
    let (_, trained, first) = crossval("5", "1");
    assert_eq!(trained, 1);
    let (said, trained, both) = crossval("5", "2");
    assert_eq!(trained, 1, "the first draw is there");
    let tables = std::fs::read_to_string(Path::new(out).join("figures.md")).unwrap();
    let line = format!(
        "| data, unheard speakers | clean | {:.1} ± 0.0",
        100.0 * both["lines"][0]["accuracy"][0].as_f64().unwrap()
    );
    assert!(tables.contains(&line), "{tables}");
    let (_, trained, second) = crossval("6", "1");
    assert_eq!(trained, 0, "both are there");

    let draws = |figures: &serde_json::Value| figures["lines"][0]["draws"].as_array().unwrap().clone();
    assert_eq!(draws(&both), [draws(&first), draws(&second)].concat());
    let uar = |draw: usize| 100.0 * draws(&both)[draw]["uar"].as_f64().unwrap();
    assert!(said.contains(&format!("{:.1} {:.1}", uar(0), uar(1))), "{said}");
}

#[test]
fn a_clip_is_scored_once_and_as_the_service_judges_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/emotone-cnn-lstm.onnx");
    let (clip, copy) = (folder.path().join("sad/anna_1.wav"), folder.path().join("sad/anna_2.wav"));
    std::fs::create_dir_all(folder.path().join("sad")).unwrap();
    for (path, bits) in [(&clip, 16), (&copy, 24)] {
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 2, sample_rate: RATE_HZ, bits_per_sample: bits, sample_format };
        let mut file = hound::WavWriter::create(path, spec).unwrap();
        for (one, other) in voice(0, 0, 0).into_iter().zip(voice(6, 1, 0)) {
            [one, other].into_iter().for_each(|value| file.write_sample(i32::from(value) << (bits - 16)).unwrap());
        }
        file.finalize().unwrap();
    }
    let pipeline = Pipeline::new(Classifier::from_onnx(std::fs::read(model).unwrap()).unwrap(), AudioLimits::default());
    let served = pipeline.unwrap().classify(std::fs::read(&clip).unwrap().into(), Request::default()).unwrap().1;
    let sad = served.verdict.probabilities().unwrap().of(Emotion::Sad);

    let data = folder.path().to_str().unwrap();
    let scored = emotone_train(&["evaluate", "--model", model, "--data", data, "--json"]);
    let figures: serde_json::Value = serde_json::from_str(&stdout(&scored)).unwrap();
    assert_eq!(figures["clips"], 1, "{figures}");
    let difference = figures["nll"].as_f64().unwrap() + f64::from(sad).ln();
    assert!(difference.abs() < 1e-4, "{figures} where the service says {sad}");
    let complaints = String::from_utf8_lossy(&scored.stderr);
    assert!(complaints.contains("1 clips have channels that differ"), "{complaints}");
}

#[test]
fn a_switch_that_the_environment_sets_to_false_is_not_given() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let caller = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/caller.wav");
    let status = |chirp: &str, file: &[&str]| {
        let mut plot = Command::new(env!("CARGO_BIN_EXE_emotone-train"));
        let output = plot.args(["plot", "--out", out]).args(file).env("EMOTONE_CHIRP", chirp).output().unwrap();
        output.status.code()
    };
    assert_eq!(status("false", &[caller]), Some(0));
    assert_eq!(status("true", &[]), Some(0));
    assert_eq!(status("false", &[]), Some(2));
    assert_eq!(status("true", &[caller]), Some(2));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let output = emotone_train(&["fit", "--data", empty, "--out", empty]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains(empty) && complaint.lines().count() == 1, "{complaint}");
    assert_eq!(emotone_train(&["fit"]).status.code(), Some(2));
}
