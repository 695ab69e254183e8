//! The network at work; the only user of tract in this library.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use tract_onnx::pb;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::optim::Optimizer;

use super::{CARD_KEY, Emotion, FEATURES_KEY, ModelCard, ModelError, Probabilities};
use crate::features::{FeatureMatrix, FeatureSpec};

/// Windows that one call of the larger plan judges: past this, the gain of a batch is gone.
const BATCH: usize = 8;

/// A model that was checked against its own metadata and has answered once. Cheap to clone.
#[derive(Clone)]
pub struct Classifier {
    card: Arc<ModelCard>,
    features: Arc<FeatureSpec>,
    single: Plan,
    larger: Arc<LargerPlan>,
}

type Plan = Arc<TypedRunnableModel>;

/// The plan for [`BATCH`] windows at once. It takes the time and the memory of the first plan once more, and most
/// recordings are too short for it: so it is made when the first long one comes.
struct LargerPlan {
    file: Cow<'static, [u8]>,
    /// `None` where the graph takes one window at a time.
    plan: OnceLock<Option<Plan>>,
}

impl Classifier {
    /// Reads a model file's bytes, and keeps them for as long as it lives.
    ///
    /// # Errors
    /// Any [`ModelError`]: not ONNX, metadata missing or unfit, a graph that does not take what the features give,
    /// or that fails on its first window.
    pub fn from_onnx(file: impl Into<Cow<'static, [u8]>>) -> Result<Self, ModelError> {
        let file = file.into();
        let proto = tract_onnx::onnx()
            .proto_model_for_read(&mut file.as_ref())
            .map_err(|error| ModelError::NotOnnx(format!("{error:#}")))?;
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

        let single = plan(&proto, &features, 1).map_err(|error| {
            let (frames, width) = (features.frames, features.width());
            ModelError::DoesNotFit(format!("input of {frames} frames x {width} columns: {error:#}"))
        })?;
        let larger = LargerPlan { file, plan: OnceLock::new() };
        let classifier = Self { card: card.into(), features: features.into(), single, larger: larger.into() };
        classifier.answer_once(&classifier.single, 1)?;
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
        let mut answers = Vec::with_capacity(windows.len());
        let mut rest = windows;
        if windows.len() >= BATCH
            && let Some(plan) = self.larger_plan()
        {
            let batches = windows.chunks_exact(BATCH);
            rest = batches.remainder();
            for batch in batches {
                self.run(plan, batch, &mut answers)?;
            }
        }
        for window in rest.chunks(1) {
            self.run(&self.single, window, &mut answers)?;
        }
        Ok(answers)
    }

    fn larger_plan(&self) -> Option<&Plan> {
        let make = || {
            let proto = tract_onnx::onnx().proto_model_for_read(&mut self.larger.file.as_ref()).ok()?;
            let plan = plan(&proto, &self.features, BATCH).ok()?;
            self.answer_once(&plan, BATCH).ok()?;
            Some(plan)
        };
        self.larger.plan.get_or_init(make).as_ref()
    }

    fn run(&self, plan: &Plan, windows: &[FeatureMatrix], answers: &mut Vec<Probabilities>) -> Result<(), ModelError> {
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

    /// Runs a plan on windows that are no constant, so that a network which cannot answer is found out before it must.
    fn answer_once(&self, plan: &Plan, windows: usize) -> Result<(), ModelError> {
        let (frames, width) = (self.features.frames, self.features.width());
        let ramp = (0..frames * width).map(|index| (index % 17) as f32 / 8.0 - 1.0).collect();
        self.run(plan, &vec![FeatureMatrix::new(width, ramp); windows], &mut Vec::new())
    }
}

/// The graph, made ready for that many windows at a time.
fn plan(proto: &pb::ModelProto, features: &FeatureSpec, windows: usize) -> TractResult<Plan> {
    let shape = [windows, features.frames, features.width()];
    let mut model =
        tract_onnx::onnx().model_for_proto_model(proto)?.with_input_fact(0, f32::fact(shape).into())?.into_typed()?;
    simplifications().optimize(&mut model)?;
    model.optimize()?;
    model.into_runnable()
}

/// What tract does to a graph before it chooses kernels, but for moving transpositions to better places: that is half of
/// the time to read a model, and saves little in networks that are written as they are to be computed.
fn simplifications() -> Optimizer {
    let mut optimizer = Optimizer::declutter();
    optimizer.passes.retain(|pass| !format!("{pass:?}").starts_with(MOVED_AXES));
    optimizer
}

/// What tract calls that.
const MOVED_AXES: &str = "ChangeAxes";

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &[u8] = include_bytes!("../../models/emotone-robust.onnx");

    fn windows(classifier: &Classifier, count: usize) -> Vec<FeatureMatrix> {
        let (frames, width) = (classifier.features().frames, classifier.features().width());
        let window =
            |number: usize| (0..frames * width).map(|at| ((at * (number + 3)) % 23) as f32 / 9.0 - 1.0).collect();
        (0..count).map(|number| FeatureMatrix::new(width, window(number))).collect()
    }

    #[test]
    fn the_larger_plan_is_made_when_needed_and_agrees_with_the_first() {
        let classifier = Classifier::from_onnx(MODEL).unwrap();
        let windows = windows(&classifier, BATCH + 1);
        let one_by_one: Vec<_> =
            windows.iter().flat_map(|window| classifier.probabilities(std::slice::from_ref(window)).unwrap()).collect();
        assert!(classifier.larger.plan.get().is_none(), "nobody needed it");
        let together = classifier.probabilities(&windows).unwrap();
        assert!(matches!(classifier.larger.plan.get(), Some(Some(_))));
        for (one, other) in one_by_one.iter().zip(&together) {
            let (one, other) = (one.values(), other.values());
            assert!(one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-5), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn one_of_tracts_passes_is_left_out() {
        assert_eq!(simplifications().passes.len() + 1, Optimizer::declutter().passes.len());
    }

    #[test]
    fn a_graph_that_takes_one_window_at_a_time_is_given_no_more() {
        let mut classifier = Classifier::from_onnx(MODEL).unwrap();
        classifier.larger = Arc::new(LargerPlan { file: Cow::Borrowed(b"no graph"), plan: OnceLock::new() });
        let windows = windows(&classifier, BATCH + 1);
        assert_eq!(classifier.probabilities(&windows).unwrap().len(), BATCH + 1);
    }
}
