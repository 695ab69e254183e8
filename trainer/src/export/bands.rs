//! Layers shared along the mel axis, as ONNX nodes.

use super::graph::{Attribute::*, Graph};
use super::layers::{Lies, Signal};
use crate::network::{Regroup, Spectrum, Split};

/// [`crate::network::LayerSpec::Spectrum`].
pub fn spectrum(graph: &mut Graph, layer: &Spectrum, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let (matrix, channels) = layer.matrix(signal.channels);
    let across = (0..channels).flat_map(|to| matrix.iter().skip(to).step_by(channels)).copied().collect::<Vec<_>>();
    let matrix = graph.floats(&[1, channels, signal.channels], &across);
    Signal { name: graph.node("MatMul", &[&matrix, &signal.name], &[]), channels, ..signal }
}

/// [`crate::network::LayerSpec::Split`].
pub fn split(graph: &mut Graph, layer: &Split, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let columns = graph.ints(&layer.columns(signal.channels));
    let chosen = graph.node("Gather", &[&signal.name, &columns], &[("axis", Int(1))]);
    let channels = signal.channels - layer.bands + layer.size;
    regrouped(graph, signal, &chosen, channels)
}

/// [`crate::network::LayerSpec::Regroup`].
pub fn regroup(graph: &mut Graph, layer: &Regroup, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let shape = graph.ints(&[-1, layer.groups as i64, signal.channels as i64, signal.frames as i64]);
    let apart = graph.node("Reshape", &[&signal.name, &shape], &[]);
    let members = graph.ints(&layer.members());
    let chosen = graph.node("Gather", &[&apart, &members], &[("axis", Int(1))]);
    let channels = signal.channels * layer.span;
    regrouped(graph, signal, &chosen, channels)
}

/// [`crate::network::LayerSpec::Join`].
pub fn join(graph: &mut Graph, groups: usize, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let (name, channels) = (signal.name.clone(), signal.channels * groups);
    regrouped(graph, signal, &name, channels)
}

/// `values` as `[examples, channels, time]`, whatever they were in groups of before.
fn regrouped(graph: &mut Graph, signal: Signal, values: &str, channels: usize) -> Signal {
    let shape = graph.ints(&[-1, channels as i64, signal.frames as i64]);
    Signal { name: graph.node("Reshape", &[values, &shape], &[]), channels, ..signal }
}
