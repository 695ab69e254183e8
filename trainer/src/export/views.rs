//! Layers that look at the whole window, as ONNX nodes; all on `[batch, channels, time]`, where the frames of a channel
//! lie side by side: tract sums, compares and shifts a row several times faster than a column.

use super::graph::{Attribute::*, Graph};
use super::layers::{Lies, Signal};
use crate::network::{Centre, SPREAD_EPSILON, Weigh};

/// Shares of the frames in a mean over time: weights, `[batch, 1, time]`, over their sum and `floor`; or all alike,
/// `[1, 1, time]`, without weights.
pub fn shares(graph: &mut Graph, weights: Option<&str>, frames: usize, floor: f32) -> String {
    let Some(weights) = weights else {
        return graph.floats(&[1, 1, frames], &vec![1.0 / frames as f32; frames]);
    };
    let axis = graph.ints(&[2]);
    let mut total = graph.node("ReduceSum", &[weights, &axis], &[("keepdims", Int(1))]);
    if floor > 0.0 {
        total = plus(graph, &total, floor);
    }
    graph.node("Div", &[weights, &total], &[])
}

/// Mean over time by shares, `[batch, channels, 1]`.
pub fn mean(graph: &mut Graph, values: &str, shares: &str) -> String {
    graph.node("Einsum", &[values, shares], &[("equation", Text("bct,bst->bcs"))])
}

/// Values less their mean over time.
pub fn centred(graph: &mut Graph, values: &str, shares: &str) -> String {
    let mean = mean(graph, values, shares);
    graph.node("Sub", &[values, &mean], &[])
}

/// Root of the mean square over time, plus `epsilon` before the root if there is one.
pub fn deviation(graph: &mut Graph, centred: &str, shares: &str, epsilon: Option<f32>) -> String {
    let square = graph.node("Mul", &[centred, centred], &[]);
    let mut variance = mean(graph, &square, shares);
    if let Some(epsilon) = epsilon {
        variance = plus(graph, &variance, epsilon);
    }
    graph.node("Sqrt", &[&variance], &[])
}

/// Without the one frame that is left.
pub fn without_time(graph: &mut Graph, column: &str) -> String {
    let axis = graph.ints(&[2]);
    graph.node("Squeeze", &[column, &axis], &[])
}

/// [`crate::network::LayerSpec::Weigh`].
pub fn weigh(graph: &mut Graph, by: &Weigh, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let level = slice(graph, &signal.name, 1, by.column, by.column + 1);
    let highest = over_time(graph, "ReduceMax", &level);
    let below = graph.node("Sub", &[&level, &highest], &[]);
    let scaled = times(graph, &below, by.line[0]);
    let line = plus(graph, &scaled, by.line[1]);
    let name = between(graph, &line, 0.0, 1.0);
    let weights = Signal { name, channels: 1, weights: None, batch: signal.batch.clone(), ..signal };
    Signal { weights: Some(Box::new(weights)), ..signal }
}

/// [`crate::network::LayerSpec::Centre`].
pub fn centre(graph: &mut Graph, by: &Centre, signal: Signal) -> Signal {
    let columns = by.columns;
    let mut signal = signal.turned(graph, Lies::BatchChannelsTime);
    let weights = signal.weights_turned(graph, Lies::BatchChannelsTime);
    let first = slice(graph, &signal.name, 1, 0, columns);
    let shares = shares(graph, weights.as_deref(), signal.frames, 0.0);
    let mut first = centred(graph, &first, &shares);
    if by.scaled {
        let deviation = deviation(graph, &first, &shares, Some(SPREAD_EPSILON));
        first = graph.node("Div", &[&first, &deviation], &[]);
    }
    let rest = slice(graph, &signal.name, 1, columns, signal.channels);
    let name = match columns == signal.channels {
        true => first,
        false => graph.node("Concat", &[&first, &rest], &[("axis", Int(1))]),
    };
    Signal { name, ..signal }
}

/// `values + (min(factor · weights, 1) - 1) · by`: values of frames that count little, moved away.
pub fn moved_away(graph: &mut Graph, values: &str, weights: &str, factor: f32, by: f32) -> String {
    let scaled = times(graph, weights, factor);
    let capped = between(graph, &scaled, 0.0, 1.0);
    let missing = plus(graph, &capped, -1.0);
    let away = times(graph, &missing, by);
    graph.node("Add", &[values, &away], &[])
}

/// [`crate::network::LayerSpec::Clip`].
pub fn clip(graph: &mut Graph, limit: f32, signal: Signal) -> Signal {
    Signal { name: between(graph, &signal.name, -limit, limit), ..signal }
}

/// `ReduceMax` or `ReduceMin`, `[batch, channels, 1]`.
pub fn over_time(graph: &mut Graph, operator: &str, values: &str) -> String {
    graph.node(operator, &[values], &[("axes", Ints(&[2])), ("keepdims", Int(1))])
}

/// Adds a number to each value.
pub fn plus(graph: &mut Graph, values: &str, number: f32) -> String {
    let number = graph.floats(&[1, 1, 1], &[number]);
    graph.node("Add", &[values, &number], &[])
}

/// Multiplies each value by a number.
pub fn times(graph: &mut Graph, values: &str, number: f32) -> String {
    let number = graph.floats(&[1, 1, 1], &[number]);
    graph.node("Mul", &[values, &number], &[])
}

/// Cuts each value off below and above.
pub fn between(graph: &mut Graph, values: &str, low: f32, high: f32) -> String {
    let (low, high) = (graph.floats(&[], &[low]), graph.floats(&[], &[high]));
    graph.node("Clip", &[values, &low, &high], &[])
}

/// From one place to before another along an axis.
pub fn slice(graph: &mut Graph, values: &str, axis: i64, from: usize, to: usize) -> String {
    let ([from, to], axis) = ([from, to].map(|place| graph.ints(&[place as i64])), graph.ints(&[axis]));
    graph.node("Slice", &[values, &from, &to, &axis], &[])
}
