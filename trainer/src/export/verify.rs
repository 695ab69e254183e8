//! The exported file against the networks it was made of.

use anyhow::{Context, Result, ensure};
use emotone::model::{Classifier, Emotion};

use crate::metrics::softmax;
use crate::network::Network;
use crate::training::{Examples, logits};

/// Largest difference in probability between training and serving that is accepted.
pub const TOLERANCE: f32 = 1e-4;

/// Windows that are judged together.
const CHUNK: usize = 256;

/// Judges `examples` by the model file through the serving library and by the networks themselves, and gives the largest
/// difference of a probability.
///
/// # Errors
/// If it exceeds [`TOLERANCE`], the file is refused, or features cannot be read.
pub fn verify(onnx: &[u8], networks: &[Network], examples: &Examples) -> Result<f32> {
    let classifier = Classifier::from_onnx(onnx).context("the exported model is refused by the serving library")?;
    let largest = largest_difference(&classifier, networks, examples)?;
    ensure!(
        largest <= TOLERANCE,
        "serving and training differ by {largest:.2e} in probability, at most {TOLERANCE:.0e} is accepted"
    );
    Ok(largest)
}

/// As [`verify`], without judging the result.
///
/// # Errors
/// If inference fails or features cannot be read.
pub fn largest_difference(classifier: &Classifier, networks: &[Network], examples: &Examples) -> Result<f32> {
    let temperature = classifier.card().temperature;
    let mut expected = vec![[0.0_f32; Emotion::COUNT]; examples.len()];
    for network in networks {
        for (sum, row) in expected.iter_mut().zip(logits(network, examples)?) {
            let probabilities = softmax(row, temperature);
            sum.iter_mut().zip(probabilities).for_each(|(sum, value)| *sum += value / networks.len() as f32);
        }
    }
    let mut largest = 0.0_f32;
    for (windows, expected) in examples.windows.chunks(CHUNK).zip(expected.chunks(CHUNK)) {
        let windows = windows.iter().map(|index| examples.store.window(*index)).collect::<Result<Vec<_>>>()?;
        for (served, expected) in classifier.probabilities(&windows)?.iter().zip(expected) {
            for (served, expected) in served.values().iter().zip(expected) {
                largest = largest.max((served - expected).abs());
            }
        }
    }
    Ok(largest)
}
