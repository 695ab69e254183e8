//! The whole file.

use anyhow::{Result, ensure};
use emotone::features::FeatureSpec;
use emotone::model::{CARD_KEY, Emotion, FEATURES_KEY, ModelCard};
use prost::Message;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType, type_proto,
};

use super::graph::{Attribute::*, Graph};
use super::layers::{self, Lies, Signal};
use crate::network::Network;
use crate::temperature::{LEAST_PROBABILITY, Temperature};

/// Operators as they were defined then; both tract and ONNX Runtime know them.
const OPSET: i64 = 13;
const IR_VERSION: i64 = 8;

/// Writes networks without autodiff as one model. It answers with the softmax of logits over the card's temperature;
/// the logits of several networks, or of one that tells groups apart, are the mean of their probabilities' logarithms.
///
/// # Errors
/// Without any network, or if the metadata cannot be written.
pub fn to_onnx(networks: &[Network], features: &FeatureSpec, card: &ModelCard) -> Result<Vec<u8>> {
    ensure!(!networks.is_empty(), "there is no network to export");
    let mut graph = Graph::default();
    let shape = graph.node("Shape", &["features"], &[]);
    let first = graph.ints(&[0]);
    let batch = graph.node("Gather", &[&shape, &first], &[("axis", Int(0))]);
    let mut answers = Vec::new();
    for network in networks {
        let mut signal = Signal {
            name: "features".into(),
            lies: Lies::BatchTimeChannels,
            frames: features.frames,
            channels: features.width(),
            batch: batch.clone(),
            weights: None,
        };
        for layer in &network.layers {
            signal = layers::add(&mut graph, layer, signal);
        }
        ensure!(signal.lies == Lies::Flat, "the network leaves more than one frame");
        answers.push(Answer { logits: signal.name, groups: network.groups() });
    }
    let logits = join(&mut graph, &answers);
    let cooled = cool(&mut graph, &logits, Temperature::of(card));
    graph.nodes("Softmax", &[&cooled], &["probabilities"], &[("axis", Int(1))]);

    let mut graph = graph.into_proto();
    graph.name = card.name.clone();
    graph.input = vec![value("features", &[features.frames, features.width()])];
    graph.output = vec![value("probabilities", &[Emotion::COUNT])];
    let property = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "emotone-train".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        metadata_props: vec![
            property(CARD_KEY, serde_json::to_string(card)?),
            property(FEATURES_KEY, serde_json::to_string(features)?),
        ],
        ..ModelProto::default()
    };
    Ok(model.encode_to_vec())
}

/// One row of logits for all networks.
fn join(graph: &mut Graph, answers: &[Answer]) -> String {
    if let [Answer { logits, groups: 1 }] = answers {
        return logits.clone();
    }
    let mut one = |answer: &Answer| {
        let probabilities = answer.probabilities(graph);
        logarithm(graph, &probabilities)
    };
    let logarithms: Vec<String> = answers.iter().map(&mut one).collect();
    match &logarithms[..] {
        [only] => only.clone(),
        several => graph.node("Mean", &several.iter().map(String::as_str).collect::<Vec<_>>(), &[]),
    }
}

/// What one network says.
struct Answer {
    logits: String,
    groups: usize,
}

impl Answer {
    /// Of the emotions, groups summed out.
    fn probabilities(&self, graph: &mut Graph) -> String {
        let softmax = graph.node("Softmax", &[&self.logits], &[("axis", Int(1))]);
        if self.groups == 1 {
            return softmax;
        }
        let units = self.groups * Emotion::COUNT;
        let is_of = |place: usize| place / Emotion::COUNT % Emotion::COUNT == place % Emotion::COUNT;
        let sums: Vec<f32> = (0..units * Emotion::COUNT).map(|place| f32::from(u8::from(is_of(place)))).collect();
        let sums = graph.floats(&[units, Emotion::COUNT], &sums);
        graph.node("MatMul", &[&softmax, &sums], &[])
    }
}

/// Of probabilities, which may be 0.
fn logarithm(graph: &mut Graph, probabilities: &str) -> String {
    let least = graph.floats(&[1, 1], &[LEAST_PROBABILITY]);
    let bounded = graph.node("Max", &[probabilities, &least], &[]);
    graph.node("Log", &[&bounded], &[])
}

/// Logits over their temperature.
fn cool(graph: &mut Graph, logits: &str, temperature: Temperature) -> String {
    let mut factor = graph.floats(&[1, 1], &[1.0 / temperature.sure]);
    if temperature.sure != temperature.in_doubt {
        let plain = graph.node("Softmax", &[logits], &[("axis", Int(1))]);
        let logarithm = logarithm(graph, &plain);
        let parts = graph.node("Mul", &[&plain, &logarithm], &[]);
        let labels = graph.ints(&[1]);
        let negative_entropy = graph.node("ReduceSum", &[&parts, &labels], &[("keepdims", Int(1))]);
        let slope = graph.floats(&[1, 1], &[temperature.slope()]);
        let exponent = graph.node("Mul", &[&negative_entropy, &slope], &[]);
        let warmth = graph.node("Exp", &[&exponent], &[]);
        factor = graph.node("Mul", &[&factor, &warmth], &[]);
    }
    graph.node("Mul", &[logits, &factor], &[])
}

/// A float input or output whose first axis is the batch.
fn value(name: &str, rest: &[usize]) -> ValueInfoProto {
    let dimension = |value| Dimension { denotation: String::new(), value: Some(value) };
    let batch = dimension(dimension::Value::DimParam("batch".into()));
    let rest = rest.iter().map(|dim| dimension(dimension::Value::DimValue(*dim as i64)));
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: [batch].into_iter().chain(rest).collect() }),
    };
    let kind = TypeProto { denotation: String::new(), value: Some(type_proto::Value::TensorType(tensor)) };
    ValueInfoProto { name: name.into(), r#type: Some(kind), doc_string: String::new() }
}
