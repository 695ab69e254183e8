//! An ONNX graph under construction.

use std::collections::HashMap;

use half::f16;
use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// Nodes and constants in the order in which they were added, each of them once: networks that begin alike are computed
/// together as far as they go together.
#[derive(Default)]
pub struct Graph {
    proto: GraphProto,
    count: usize,
    /// What there is, encoded without its name, and its name.
    known: HashMap<Vec<u8>, String>,
}

/// An attribute of a node.
pub enum Attribute<'a> {
    /// One number.
    Int(i64),
    /// Some numbers.
    Ints(&'a [i64]),
    /// A word.
    Text(&'a str),
}

impl Graph {
    /// Adds a node of one output, unless there is one that computes the same, and returns that output's name.
    pub fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let node = node(operator, inputs, attributes);
        let key = node.encode_to_vec();
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.fresh(operator);
        self.push(node, &[&name]);
        self.known.insert(key, name.clone());
        name
    }

    /// Adds a node whose outputs have these names; an empty name is an output that is not wanted.
    pub fn nodes(&mut self, operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Attribute)]) {
        self.push(node(operator, inputs, attributes), outputs);
    }

    fn push(&mut self, node: NodeProto, outputs: &[&str]) {
        let name = self.fresh("node");
        self.proto.node.push(NodeProto { name, output: outputs.iter().map(|name| (*name).into()).collect(), ..node });
    }

    /// Adds constant numbers, row-major, and returns their name.
    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Float, shape, bytes)
    }

    /// Adds trained weights, row-major, in half precision, and returns their name in full precision; nothing is lost of
    /// weights that were [rounded](crate::network::Network::rounded).
    pub fn weights(&mut self, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        let half = self.constant(DataType::Float16, shape, bytes);
        self.node("Cast", &[&half], &[("to", Attribute::Int(DataType::Float as i64))])
    }

    /// Adds constant whole numbers in a row, and returns their name.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Int64, &[values.len()], bytes)
    }

    fn constant(&mut self, kind: DataType, shape: &[usize], raw_data: Vec<u8>) -> String {
        let dims = shape.iter().map(|dim| *dim as i64).collect();
        let tensor = TensorProto { data_type: kind as i32, dims, raw_data, ..TensorProto::default() };
        let key = tensor.encode_to_vec();
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = self.fresh("constant");
        self.proto.initializer.push(TensorProto { name: name.clone(), ..tensor });
        self.known.insert(key, name.clone());
        name
    }

    /// A name that nothing has yet.
    pub fn fresh(&mut self, stem: &str) -> String {
        self.count += 1;
        format!("{}_{}", stem.to_lowercase(), self.count)
    }

    /// The graph so far.
    pub fn into_proto(self) -> GraphProto {
        self.proto
    }
}

/// Without name and outputs.
fn node(operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        ..NodeProto::default()
    }
}

fn attribute(name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match value {
        Attribute::Int(number) => (proto.r#type, proto.i) = (AttributeType::Int as i32, *number),
        Attribute::Ints(numbers) => (proto.r#type, proto.ints) = (AttributeType::Ints as i32, numbers.to_vec()),
        Attribute::Text(text) => (proto.r#type, proto.s) = (AttributeType::String as i32, text.as_bytes().to_vec()),
    }
    proto
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_computes_the_same_is_there_once() {
        let mut graph = Graph::default();
        let mut mean = |axis: i64, factor: f32| {
            let reduced = graph.node("ReduceMean", &["features"], &[("axes", Attribute::Ints(&[axis]))]);
            let factor = graph.weights(&[1], &[factor]);
            graph.node("Mul", &[&reduced, &factor], &[])
        };
        let first = mean(1, 0.5);
        assert_eq!(mean(1, 0.5), first);
        assert!(mean(2, 0.5) != first && mean(1, 0.25) != first);
        let proto = graph.into_proto();
        assert_eq!(proto.initializer.len(), 2);
        let count = |operator: &str| proto.node.iter().filter(|node| node.op_type == operator).count();
        assert_eq!(["ReduceMean", "Cast", "Mul"].map(count), [2, 2, 3]);
    }
}
