//! The exported file against the networks it was made of.

use anyhow::{Context, Result, ensure};
use emotone::model::Classifier;

use crate::ensemble::joint_logits;
use crate::network::Network;
use crate::temperature::Temperature;
use crate::training::Examples;

/// Largest difference in probability between training and serving that is accepted.
pub const TOLERANCE: f32 = 1e-4;

/// Windows that are judged together.
const CHUNK: usize = 64;

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
    let temperature = Temperature::of(classifier.card());
    let expected: Vec<_> = joint_logits(networks, examples)?.into_iter().map(|row| temperature.softmax(row)).collect();
    let places: Vec<u32> = examples.places().collect();
    let mut largest = 0.0_f32;
    for (places, expected) in places.chunks(CHUNK).zip(expected.chunks(CHUNK)) {
        let windows = places.iter().map(|place| examples.window(*place)).collect::<Result<Vec<_>>>()?;
        for (served, expected) in classifier.probabilities(&windows)?.iter().zip(expected) {
            for (served, expected) in served.values().iter().zip(expected) {
                largest = largest.max((served - expected).abs());
            }
        }
    }
    Ok(largest)
}
