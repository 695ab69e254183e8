//! The network at work; the only user of tract in this library.

use std::sync::Arc;

use tract_onnx::prelude::*;

use super::{CARD_KEY, Emotion, FEATURES_KEY, ModelCard, ModelError, Probabilities};
use crate::features::{FeatureMatrix, FeatureSpec};

/// Windows that one call of the larger plan judges: past this, the gain of a batch is gone.
const BATCH: usize = 8;

/// A model that was checked against its own metadata and has answered once. Cheap to clone.
#[derive(Clone)]
pub struct Classifier {
    card: Arc<ModelCard>,
    features: Arc<FeatureSpec>,
    single: Arc<TypedRunnableModel>,
    batch: Arc<TypedRunnableModel>,
}

impl Classifier {
    /// Reads a model file's bytes.
    ///
    /// # Errors
    /// Any [`ModelError`]: not ONNX, metadata missing or unfit, a graph that does not take what the features give,
    /// or that fails on its first window.
    pub fn from_onnx(bytes: &[u8]) -> Result<Self, ModelError> {
        let onnx = tract_onnx::onnx();
        let mut reader = bytes;
        let proto =
            onnx.proto_model_for_read(&mut reader).map_err(|error| ModelError::NotOnnx(format!("{error:#}")))?;
        if proto.graph.is_none() {
            return Err(ModelError::NotOnnx("it has no graph".into()));
        }
        let property = |key| {
            let mut properties = proto.metadata_props.iter();
            properties
                .find(|entry| entry.key == key)
                .map(|entry| entry.value.as_str())
                .ok_or(ModelError::MissingMetadata(key))
        };
        let card = ModelCard::parse(property(CARD_KEY)?)?;
        let features: FeatureSpec = serde_json::from_str(property(FEATURES_KEY)?)
            .map_err(|error| ModelError::BadMetadata { key: FEATURES_KEY, problem: error.to_string() })?;
        features.check()?;

        let plan = |batch: usize| -> Result<Arc<TypedRunnableModel>, ModelError> {
            let shape = [batch, features.frames, features.width()];
            let build = || -> TractResult<_> {
                onnx.model_for_proto_model(&proto)?
                    .with_input_fact(0, f32::fact(shape).into())?
                    .into_optimized()?
                    .into_runnable()
            };
            build().map_err(|error| {
                ModelError::DoesNotFit(format!("input of {} frames x {} columns: {error:#}", shape[1], shape[2]))
            })
        };
        let (single, batch) = (plan(1)?, plan(BATCH)?);
        let classifier = Self { card: card.into(), features: features.into(), single, batch };
        classifier.answer_once()?;
        Ok(classifier)
    }

    /// What the model says of itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The features that it judges.
    pub fn features(&self) -> &FeatureSpec {
        &self.features
    }

    /// Judges windows, each of shape `[frames, width]` as [`FeatureSpec`] says, several at a time where there are many.
    ///
    /// # Errors
    /// [`ModelError::DoesNotFit`] for a window of another shape; [`ModelError::Inference`] if the network fails.
    pub fn probabilities(&self, windows: &[FeatureMatrix]) -> Result<Vec<Probabilities>, ModelError> {
        let (frames, width) = (self.features.frames, self.features.width());
        if let Some(window) = windows.iter().find(|window| (window.frames(), window.columns()) != (frames, width)) {
            let got = (window.frames(), window.columns());
            return Err(ModelError::DoesNotFit(format!("window of {got:?}, expected {:?}", (frames, width))));
        }
        let full_batches = windows.chunks_exact(BATCH);
        let rest = full_batches.remainder();
        let mut answers = Vec::with_capacity(windows.len());
        for chunk in full_batches {
            self.run(&self.batch, chunk, &mut answers)?;
        }
        for window in rest.chunks(1) {
            self.run(&self.single, window, &mut answers)?;
        }
        Ok(answers)
    }

    fn run(
        &self,
        plan: &Arc<TypedRunnableModel>,
        windows: &[FeatureMatrix],
        answers: &mut Vec<Probabilities>,
    ) -> Result<(), ModelError> {
        let failed = |error: TractError| ModelError::Inference(format!("{error:#}"));
        let values: Vec<f32> = windows.iter().flat_map(|window| window.values()).copied().collect();
        let shape = [windows.len(), self.features.frames, self.features.width()];
        let input = Tensor::from_shape(&shape, &values).map_err(failed)?;
        let outputs = plan.run(tvec!(input.into())).map_err(failed)?;
        let output = outputs.first().ok_or_else(|| ModelError::Inference("no output".into()))?;
        let output = output.to_plain_array_view::<f32>().map_err(failed)?;
        if output.shape() != [windows.len(), Emotion::COUNT] {
            let expected = [windows.len(), Emotion::COUNT];
            return Err(ModelError::DoesNotFit(format!("output of shape {:?}, expected {expected:?}", output.shape())));
        }
        for row in output.rows() {
            let mut numbers = [0.0; Emotion::COUNT];
            numbers.iter_mut().zip(row).for_each(|(number, value)| *number = *value);
            let probabilities = Probabilities::new(numbers)
                .ok_or_else(|| ModelError::Inference(format!("{numbers:?} are no probabilities")))?;
            answers.push(probabilities);
        }
        Ok(())
    }

    /// Runs both plans on a window that is no constant, so that a network which cannot answer is refused at start.
    fn answer_once(&self) -> Result<(), ModelError> {
        let (frames, width) = (self.features.frames, self.features.width());
        let ramp = (0..frames * width).map(|index| (index % 17) as f32 / 8.0 - 1.0).collect();
        let window = FeatureMatrix::new(width, ramp);
        self.probabilities(&vec![window; BATCH + 1]).map(drop)
    }
}
