//! The network at work.

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::optim::Optimizer;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::{Onnx, pb};

use super::{CARD_KEY, Emotion, FEATURES_KEY, ModelCard, ModelError, Probabilities, convolution, lstm};
use crate::features::{FeatureMatrix, FeatureSpec};

/// A model that was checked against its own metadata and has answered once. Cheap to clone.
#[derive(Clone)]
pub struct Classifier {
    card: Arc<ModelCard>,
    features: Arc<FeatureSpec>,
    /// Takes one window at a time: a batch would be no faster.
    plan: Arc<TypedRunnableModel>,
}

impl Classifier {
    /// Reads a model file's bytes.
    ///
    /// # Errors
    /// Any [`ModelError`]: not ONNX, metadata missing or unfit, a graph that does not take what the features give,
    /// or that fails on its first window.
    pub fn from_onnx(file: impl AsRef<[u8]>) -> Result<Self, ModelError> {
        let mut onnx = tract_onnx::onnx();
        lstm::register(&mut onnx);
        let proto =
            onnx.proto_model_for_read(&mut file.as_ref()).map_err(|error| ModelError::NotOnnx(format!("{error:#}")))?;
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

        let plan = plan(&onnx, &proto, &features).map_err(|error| {
            let (frames, width) = (features.frames, features.width());
            ModelError::DoesNotFit(format!("input of {frames} frames x {width} columns: {error:#}"))
        })?;
        let classifier = Self { card: card.into(), features: features.into(), plan };
        // A ramp is no constant: a network that cannot answer is found out before it must.
        let (frames, width) = (classifier.features.frames, classifier.features.width());
        let ramp = (0..frames * width).map(|index| (index % 17) as f32 / 8.0 - 1.0).collect();
        classifier.judge(&FeatureMatrix::new(width, ramp))?;
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

    /// Judges windows, each of shape `[frames, width]` as [`FeatureSpec`] says.
    ///
    /// # Errors
    /// [`ModelError::DoesNotFit`] for a window of another shape; [`ModelError::Inference`] if the network fails.
    pub fn probabilities(&self, windows: &[FeatureMatrix]) -> Result<Vec<Probabilities>, ModelError> {
        windows.iter().map(|window| self.judge(window)).collect()
    }

    fn judge(&self, window: &FeatureMatrix) -> Result<Probabilities, ModelError> {
        let (got, expected) = ((window.frames(), window.columns()), (self.features.frames, self.features.width()));
        if got != expected {
            return Err(ModelError::DoesNotFit(format!("window of {got:?}, expected {expected:?}")));
        }
        let failed = |error: TractError| ModelError::Inference(format!("{error:#}"));
        let input = Tensor::from_shape(&[1, got.0, got.1], window.values()).map_err(failed)?;
        let outputs = self.plan.run(tvec!(input.into())).map_err(failed)?;
        let output = outputs.first().ok_or_else(|| ModelError::Inference("no output".into()))?;
        let output = output.to_plain_array_view::<f32>().map_err(failed)?;
        let (shape, expected) = (output.shape(), [1, Emotion::COUNT]);
        if shape != expected {
            return Err(ModelError::DoesNotFit(format!("output of shape {shape:?}, expected {expected:?}")));
        }
        let mut numbers = [0.0; Emotion::COUNT];
        numbers.iter_mut().zip(&output).for_each(|(number, value)| *number = *value);
        Probabilities::new(numbers).ok_or_else(|| ModelError::Inference(format!("{numbers:?} are no probabilities")))
    }
}

/// The graph, made ready for one window.
fn plan(onnx: &Onnx, proto: &pb::ModelProto, features: &FeatureSpec) -> TractResult<Arc<TypedRunnableModel>> {
    let shape = [1, features.frames, features.width()];
    let model = onnx.model_for_proto_model(proto)?;
    // Setting the shape overrides what the graph declares, and many a network computes nonsense from any shape.
    let size = |size: TDim| usize::try_from(size.to_i64().ok()?).ok();
    let declared: Vec<Option<usize>> =
        model.input_fact(0)?.shape.dims().map(|dim| dim.concretize().and_then(size)).collect();
    let fits = |(declared, needed): (&Option<usize>, &usize)| declared.is_none_or(|declared| declared == *needed);
    let is_open = declared.is_empty();
    if !is_open && (declared.len() != shape.len() || !declared.iter().zip(&shape).skip(1).all(fits)) {
        return Err(TractError::msg(format!("the graph declares {declared:?}")));
    }
    let mut model = model.with_input_fact(0, f32::fact(shape).into())?.into_typed()?;
    simplifications().optimize(&mut model)?;
    convolution::replace(&mut model)?;
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

    #[test]
    fn memories_and_convolutions_are_one_operation_each() {
        for model in [
            &include_bytes!("../../models/emotone-cnn-lstm.onnx")[..],
            include_bytes!("../../models/emotone-robust.onnx"),
        ] {
            let model = Classifier::from_onnx(model).unwrap();
            let names: Vec<_> = model.plan.model().nodes.iter().map(|node| node.op.name()).collect();
            for own in ["Recurrence", "Convolution"] {
                assert!(names.iter().any(|name| name == own), "no {own} in {names:?}");
            }
            assert!(!names.iter().any(|name| name.contains("Im2col")), "{names:?}");
        }
    }

    #[test]
    fn one_of_tracts_passes_is_left_out() {
        assert_eq!(simplifications().passes.len() + 1, Optimizer::declutter().passes.len());
    }

    /// A shipped model in which some words are others of the same length.
    fn altered(word: &str, other: &str) -> ModelError {
        let mut bytes = include_bytes!("../../models/emotone-cnn-lstm.onnx").to_vec();
        assert_eq!(word.len(), other.len());
        let place = bytes.windows(word.len()).position(|window| window == word.as_bytes()).unwrap();
        bytes[place..place + word.len()].copy_from_slice(other.as_bytes());
        Classifier::from_onnx(bytes).err().unwrap()
    }

    #[test]
    fn metadata_that_does_not_fit_the_graph_is_refused() {
        let frames = altered(r#""frames":100"#, r#""frames":200"#).to_string();
        assert!(frames.contains("200 frames x 40 columns: the graph declares [None, Some(100), Some(40)]"), "{frames}");
        let missing = altered(r#""top_db":80.0"#, r#""to__db":80.0"#).to_string();
        assert!(missing.contains("`emotone.features` is not understood: missing field `top_db`"), "{missing}");
        let temperature = altered(r#""temperature":1.0"#, r#""temperature":0.0"#).to_string();
        assert!(temperature.contains("`temperature` is 0"), "{temperature}");
        assert!(matches!(altered("emotone.features", "emotone.feathers"), ModelError::MissingMetadata(FEATURES_KEY)));
    }
}
