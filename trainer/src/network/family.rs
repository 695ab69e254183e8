//! The networks by name: the paper's three, and the members of the robust ensemble.

use emotone::features::{Column, FeatureSpec};

use super::{Architecture, Coupling, FunctionalsSpec, LayerSpec, scale};

impl Architecture {
    /// The paper's CNN: two convolution blocks and two dense layers.
    pub fn cnn() -> Self {
        let block = || {
            let conv = LayerSpec::Conv { filters: 32, width: 3, relu: true };
            [conv, LayerSpec::MaxPool { size: 2 }, LayerSpec::BatchNorm]
        };
        let dense = |units| LayerSpec::Dense { units, relu: true, l1: 1e-3, l2: 1e-3 };
        let end = [LayerSpec::Flatten, LayerSpec::Dropout { rate: 0.3 }, dense(128), dense(64)];
        Self::new("cnn", block().into_iter().chain(block()).chain(end))
    }

    /// The paper's LSTM: two of them, the first giving sequences.
    pub fn lstm() -> Self {
        let dense = LayerSpec::Dense { units: 20, relu: true, l1: 0.0, l2: 0.0 };
        Self::new("lstm", [lstm(64, true, 0.1, 0.2), lstm(32, false, 0.0, 0.0), dense])
    }

    /// The paper's CNN+LSTM.
    pub fn cnn_lstm() -> Self {
        let layers = [
            LayerSpec::Conv { filters: 32, width: 3, relu: true },
            LayerSpec::MaxPool { size: 2 },
            LayerSpec::BatchNorm,
            lstm(64, false, 0.1, 0.2),
            LayerSpec::BatchNorm,
            LayerSpec::Dropout { rate: 0.3 },
            LayerSpec::Dense { units: 64, relu: true, l1: 5e-3, l2: 1e-3 },
        ];
        Self::new("cnn-lstm", layers)
    }

    /// Wider convolutions than the paper's, a memory in both directions, and four ways to join the frames, on cepstra relative
    /// to the window's mean and deviation, loud frames counting most; for one who hears two voices in turn and tells so many
    /// groups of speakers apart.
    pub fn mingled(name: &str, features: &FeatureSpec, groups: usize) -> Self {
        let front = [weigh_by_level(features), LayerSpec::Centre { columns: features.n_mfcc, scaled: true }, CLIP];
        let remembering = [
            LayerSpec::ChannelDropout { rate: 0.2 },
            LayerSpec::Lstm { units: 64, sequences: true, both_directions: true, dropout: 0.0, recurrent_dropout: 0.0 },
            LayerSpec::TimePooling { attention: 32, mean: true, max: true, spread: true },
            LayerSpec::Dropout { rate: 0.2 },
        ];
        let halved = [LayerSpec::AveragePool { size: 2 }];
        let layers = front.into_iter().chain(halved).chain(block(96)).chain(block(128)).chain(remembering);
        Self::new(name, layers).telling_apart(groups)
    }

    /// A perceptron on functionals of the whole window: another view than the convolutions'. Frames count by their level.
    pub fn weighted_functionals(features: &FeatureSpec) -> Self {
        let perceptron = perceptron(functionals(features), 160);
        Self::new("weighted-functionals", [weigh_by_level(features)].into_iter().chain(perceptron))
    }

    /// The same with frames that count alike but for the voiced ones' own functionals, and how the first cepstra, pitch,
    /// voicing and level go and move together: whether, say, who becomes louder becomes shriller.
    pub fn coupled_functionals(features: &FeatureSpec) -> Self {
        Self::new("coupled-functionals", perceptron(coupled(features), 160))
    }

    /// The same columns by the roots of their covariances, which know how much they move and in which directions together.
    pub fn rooted_functionals(features: &FeatureSpec) -> Self {
        Self::new("rooted-functionals", perceptron(rooted(features), 160))
    }

    /// The same functionals to half as many units from another start.
    pub fn rooted_again(features: &FeatureSpec) -> Self {
        Self::new("rooted-again", perceptron(rooted(features), 80))
    }
}

/// Cepstra that functionals describe; finer shapes of the spectrum are left out.
fn described_cepstra(features: &FeatureSpec) -> usize {
    24.min(features.n_mfcc)
}

/// Cepstra that are coupled.
const COUPLED_CEPSTRA: usize = 13;

/// Frames over which movements are coupled: 32 and 128 ms.
const COUPLED_STEPS: [usize; 2] = [2, 8];

/// Functionals, and how the first cepstra and prosody go together.
fn coupled(features: &FeatureSpec) -> FunctionalsSpec {
    // Behind the cepstra lie the prosody's columns in their order.
    let prosody = [Column::RelativeLogPitch, Column::PitchSlope, Column::Voicing, Column::Energy];
    let described = |column| described_cepstra(features) + place(features, column) - features.n_mfcc;
    let coupled = (0..COUPLED_CEPSTRA.min(features.n_mfcc)).chain(prosody.map(described)).collect();
    FunctionalsSpec { coupled, coupled_steps: COUPLED_STEPS.into(), ..functionals(features) }
}

fn rooted(features: &FeatureSpec) -> FunctionalsSpec {
    FunctionalsSpec { coupling: Coupling::Root, ..coupled(features) }
}

fn functionals(features: &FeatureSpec) -> FunctionalsSpec {
    let place = |wanted| place(features, wanted);
    // Frames count from a voicing of 0.4 on, fully from 0.6; from -40 dB on, fully from -30.
    let weight = |column: usize, from: f32, per_unit: f32| {
        let (mean, deviation) = scale(features, column);
        [per_unit * deviation, per_unit * (mean - from)]
    };
    let (voicing, level) = (place(Column::Voicing), place(Column::Energy));
    FunctionalsSpec {
        cepstra: described_cepstra(features),
        prosody: features.n_mfcc,
        slope: place(Column::PitchSlope),
        voicing,
        voiced: weight(voicing, 0.4, 5.0),
        level,
        loud: weight(level, -40.0, 0.1),
        coupled: Vec::new(),
        coupled_steps: Vec::new(),
        coupling: Coupling::Correlations,
    }
}

/// With so many units behind the functionals.
fn perceptron(functionals: FunctionalsSpec, units: usize) -> [LayerSpec; 8] {
    let dense = |units| LayerSpec::Dense { units, relu: true, l1: 0.0, l2: 0.0 };
    [
        LayerSpec::Functionals(functionals),
        LayerSpec::BatchNorm,
        LayerSpec::Clip { limit: 5.0 },
        LayerSpec::Dropout { rate: 0.3 },
        dense(units),
        LayerSpec::Dropout { rate: 0.5 },
        dense(64),
        LayerSpec::Dropout { rate: 0.3 },
    ]
}

/// Layers before the convolutions, where frames are still as they were spoken.
pub const FRONT_LAYERS: usize = 3;
/// No feature lies further than so many deviations from its mean.
const CLIP: LayerSpec = LayerSpec::Clip { limit: 4.0 };

/// Frames count from 40 dB below the window's loudest on, fully from 25 dB.
fn weigh_by_level(features: &FeatureSpec) -> LayerSpec {
    let (column, line) = by_level(features);
    LayerSpec::Weigh { column, line }
}

/// The level's column, and slope and offset of a frame's weight below the loudest.
pub fn by_level(features: &FeatureSpec) -> (usize, [f32; 2]) {
    let column = place(features, Column::Energy);
    (column, [scale(features, column).1 / 15.0, 40.0 / 15.0])
}

/// Where a column is among the features.
fn place(features: &FeatureSpec, wanted: Column) -> usize {
    let found = features.columns.iter().position(|column| *column == wanted);
    features.n_mfcc + found.unwrap_or(0)
}

/// Convolution over five frames, and half as many frames.
fn block(filters: usize) -> [LayerSpec; 4] {
    let conv = LayerSpec::Conv { filters, width: 5, relu: false };
    [conv, LayerSpec::BatchNorm, LayerSpec::Relu, LayerSpec::MaxPool { size: 2 }]
}

fn lstm(units: usize, sequences: bool, dropout: f32, recurrent_dropout: f32) -> LayerSpec {
    LayerSpec::Lstm { units, sequences, both_directions: false, dropout, recurrent_dropout }
}
