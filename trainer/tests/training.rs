//! Trainings repeat, go on after being killed, and say why they cannot.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use burn::tensor::Device;
use emotone::features::{FeatureMatrix, FeatureSpec};
use emotone::model::Emotion;
use emotone_trainer::dataset::{Dataset, DatasetBuilder, FeatureStore, StoreWriter};
use emotone_trainer::network::{Architecture, LayerSpec, Network};
use emotone_trainer::recipe::{Arch, Changes, Recipe};
use emotone_trainer::training::{
    Checkpoint, EpochFigures, Examples, Groups, Keep, Mingle, Mixup, Schedule, Shown, ToldApart, Trained,
    TrainingOptions, Variation, logits, train,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const EPOCHS: usize = 40;

fn spec() -> FeatureSpec {
    FeatureSpec { frames: 12, ..Recipe::Robust.features() }
}

/// Two copies of each of some noises whose mean tells the emotion.
fn store(folder: &std::path::Path) -> FeatureStore {
    let mut random = StdRng::seed_from_u64(1);
    let mut writer = StoreWriter::create(&folder.join("rows.f32"), spec().width()).unwrap();
    for record in 0..56 {
        let height = (record / 2 % 7) as f32 / 3.0 - 1.0;
        let values = (0..20 * spec().width()).map(|_| height + random.random_range(-0.5..0.5)).collect();
        writer.push(&FeatureMatrix::new(spec().width(), values)).unwrap();
    }
    writer.finish().unwrap()
}

/// What the noises are, by two speakers of each of two corpora.
fn dataset() -> Dataset {
    let mut builder = DatasetBuilder::default();
    for clip in 0..28 {
        builder.clip(
            &clip.to_string(),
            Emotion::ALL[clip % 7],
            ["made", "found"][clip / 7 % 2],
            &(clip % 2).to_string(),
        );
    }
    builder.build()
}

/// Everything that a training may have at once.
fn options() -> TrainingOptions {
    let changes = Changes { epochs: Some(EPOCHS), batch_size: Some(8), seed: 3 };
    let plain = Recipe::Paper.members(Arch::Cnn, &spec(), &ToldApart::default(), changes).remove(0).options;
    TrainingOptions {
        schedule: Schedule::Cosine { warmup: 1.0 },
        weight_decay: 1e-3,
        clip_norm: Some(2.0),
        label_smoothing: 0.1,
        mixup: Some(Mixup { alpha: 0.3, share: 0.5, after: 1 }),
        most_of_talkers: Some(10),
        shown: Shown::Stretches(Variation {
            frames: 10,
            original_share: 0.5,
            pace: 0.1,
            mel_scale: 0.06,
            mel_shift: 1.5,
            pitch_shift: 0.1,
            mingle: Some(Mingle { share: 0.5, frames: [2, 4] }),
        }),
        average: Some(0.9),
        keep: Keep::Last,
        ..plain
    }
}

fn convolutions() -> Architecture {
    let layers = vec![
        LayerSpec::Conv { filters: 8, width: 3, relu: false },
        LayerSpec::BatchNorm,
        LayerSpec::Relu,
        LayerSpec::Dropout { rate: 0.1 },
        LayerSpec::TimePooling { attention: 4, mean: true, max: true, spread: true },
    ];
    Architecture::new("small", layers).telling_apart(2)
}

fn run(store: &FeatureStore, checkpoint: Option<&Checkpoint>, stop_after: usize) -> anyhow::Result<Trained> {
    run_of(&convolutions(), &options(), store, checkpoint, stop_after)
}

fn run_of(
    architecture: &Architecture,
    options: &TrainingOptions,
    store: &FeatureStore,
    checkpoint: Option<&Checkpoint>,
    stop_after: usize,
) -> anyhow::Result<Trained> {
    let (spec, device) = (spec(), Device::flex().autodiff());
    let dataset = dataset();
    let examples =
        Examples { dataset: &dataset, store, spec: &spec, each: 2, served: 0, clips: dataset.indices().collect() };
    let network = Network::new(architecture, spec.frames, spec.width(), 3, &device);
    let groups = match architecture.groups {
        1 => Groups::default(),
        _ => ToldApart::of(&examples)?.corpora,
    };
    train(network, &groups, &examples, &examples, options, checkpoint, |figures| {
        anyhow::ensure!(figures.epoch < stop_after, "killed");
        Ok(())
    })
}

/// Without durations, and without the last of the digits that a checkpoint's JSON may round otherwise.
fn comparable(history: &[EpochFigures]) -> Vec<EpochFigures> {
    let round = |value: f64| (value * 1e12).round() / 1e12;
    let one = |figures: &EpochFigures| EpochFigures {
        seconds: 0.0,
        train_loss: round(figures.train_loss),
        validation_loss: round(figures.validation_loss),
        learning_rate: round(figures.learning_rate),
        ..*figures
    };
    history.iter().map(one).collect()
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (once, again) = (run(&store, None, 99).unwrap(), run(&store, None, 99).unwrap());
    assert_eq!(comparable(&once.history), comparable(&again.history));
    assert_eq!(once.history.len(), EPOCHS);
    // So few examples, mixed and in part dropped, make single epochs differ by chance.
    let loss = |epochs: &[EpochFigures]| epochs.iter().map(|figures| figures.train_loss).sum::<f64>();
    let (first, last) = once.history.split_at(EPOCHS / 2);
    assert!(loss(last) < 0.95 * loss(first));
}

#[test]
fn a_training_that_was_killed_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let checkpoint = Checkpoint::new(&folder.path().join("kept"), "some data".into());
    assert!(run(&store, Some(&checkpoint), 2).is_err());
    let other = Checkpoint::new(&folder.path().join("kept"), "other data".into());
    assert!(run(&store, Some(&other), 99).is_err(), "it goes on with its own data alone");
    // As after a kill between the old one's going and the new one's coming.
    std::fs::rename(folder.path().join("kept"), folder.path().join("kept.old")).unwrap();
    let resumed = run(&store, Some(&checkpoint), 99).unwrap();
    let straight = run(&store, None, 99).unwrap();
    assert_eq!(comparable(&resumed.history), comparable(&straight.history));
    let (spec, dataset) = (spec(), dataset());
    let one = Examples { dataset: &dataset, store: &store, spec: &spec, each: 2, served: 0, clips: vec![0] };
    assert_eq!(logits(&resumed.network, &one).unwrap(), logits(&straight.network, &one).unwrap());
}

#[test]
fn what_is_described_once_is_learned_as_if_it_were_described_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    // Loud frames count more, so that weights are described too.
    let perceptron = Architecture::weighted_functionals(&spec());
    // Stretches as long as the copies, from their first frame or going round: whichever it is, their functionals are alike
    // but for what passes from the last frame to the first.
    let variation = Variation {
        frames: 20,
        original_share: 1.0,
        pace: 0.0,
        mel_scale: 0.0,
        mel_shift: 0.0,
        pitch_shift: 0.0,
        mingle: None,
    };
    let learn = |shown: Shown| {
        let options = TrainingOptions { shown, mixup: None, ..options() };
        run_of(&perceptron, &options, &store, None, 99).unwrap().history
    };
    let once = learn(Shown::Described { variation, stretches: 2 });
    let each_time = learn(Shown::Stretches(variation));
    // Single epochs of so few examples differ by chance.
    let loss = |epochs: &[EpochFigures]| epochs.iter().map(|figures| figures.train_loss).sum::<f64>();
    let (first, last) = once.split_at(EPOCHS / 2);
    let learned_each_time = loss(&each_time[EPOCHS / 2..]);
    println!("{} {} {learned_each_time}", loss(first), loss(last));
    assert_eq!(comparable(&once), comparable(&learn(Shown::Described { variation, stretches: 2 })));
    assert!(loss(last) < 0.95 * loss(first));
    assert!((loss(last) / learned_each_time - 1.0).abs() < 0.2);
}
