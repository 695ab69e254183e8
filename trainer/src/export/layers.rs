//! Each layer as ONNX nodes.
//!
//! ONNX wants `[batch, channels, time]` for convolutions and `[time, batch, channels]` for recurrence, so a signal knows
//! how it lies and is turned only where it must.

use burn::tensor::Tensor;

use super::graph::{Attribute::*, Graph};
use super::{functionals, views};
use crate::network::{
    Attention, BatchNorm, Conv, Dense, LOWERED_BY, Layer, Lstm, LstmWeights, POOLED_WEIGHT_FLOOR, SPREAD_EPSILON,
    TimePooling,
};

/// Order of a signal's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// `[batch, time, channels]`.
    BatchTimeChannels,
    /// `[batch, channels, time]`.
    BatchChannelsTime,
    /// `[time, batch, channels]`.
    TimeBatchChannels,
    /// `[batch, channels]`: no time left.
    Flat,
}

impl Lies {
    /// Shape of one number for each channel, with all axes: tract would add those that lack, one by one, at each start.
    fn of_each_channel(self, channels: usize) -> Vec<usize> {
        match self {
            Self::BatchChannelsTime => vec![1, channels, 1],
            Self::BatchTimeChannels | Self::TimeBatchChannels => vec![1, 1, channels],
            Self::Flat => vec![1, channels],
        }
    }
}

/// What flows between layers.
pub struct Signal {
    /// Its name in the graph.
    pub name: String,
    /// Order of its axes.
    pub lies: Lies,
    /// Frames it has.
    pub frames: usize,
    /// Channels it has.
    pub channels: usize,
    /// Name of a constant or value that holds the number of samples, as one whole number.
    pub batch: String,
    /// How much each frame counts: one channel of as many frames.
    pub weights: Option<Box<Signal>>,
}

impl Signal {
    /// Turns its axes.
    pub fn turned(mut self, graph: &mut Graph, lies: Lies) -> Self {
        use Lies::*;
        let order: &[i64] = match (self.lies, lies) {
            (from, to) if from == to => return self,
            (Flat, _) | (_, Flat) => return self,
            (BatchTimeChannels, BatchChannelsTime) | (BatchChannelsTime, BatchTimeChannels) => &[0, 2, 1],
            (BatchTimeChannels, TimeBatchChannels) | (TimeBatchChannels, BatchTimeChannels) => &[1, 0, 2],
            (BatchChannelsTime, TimeBatchChannels) => &[2, 0, 1],
            (TimeBatchChannels, BatchChannelsTime) => &[1, 2, 0],
            (BatchTimeChannels, BatchTimeChannels)
            | (BatchChannelsTime, BatchChannelsTime)
            | (TimeBatchChannels, TimeBatchChannels) => return self,
        };
        self.name = graph.node("Transpose", &[&self.name], &[("perm", Ints(order))]);
        self.lies = lies;
        self
    }

    /// Turns the axes of its weights, and gives their name.
    pub fn weights_turned(&mut self, graph: &mut Graph, lies: Lies) -> Option<String> {
        self.weights = self.weights.take().map(|weights| Box::new(weights.turned(graph, lies)));
        self.weights.as_ref().map(|weights| weights.name.clone())
    }
}

/// The values of a tensor, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Adds a layer's nodes.
pub fn add(graph: &mut Graph, layer: &Layer, signal: Signal) -> Signal {
    match layer {
        Layer::Weigh(by) => views::weigh(graph, by, signal),
        Layer::Centre(centre) => views::centre(graph, centre, signal),
        Layer::Functionals(functionals) => functionals::functionals(graph, functionals, signal),
        Layer::Clip(limit) => views::clip(graph, *limit, signal),
        Layer::Conv(conv) => convolution(graph, conv, signal),
        Layer::MaxPool(size) => pool(graph, *size, signal, maximum),
        Layer::AveragePool(size) => pool(graph, *size, signal, average),
        Layer::BatchNorm(norm) => normalization(graph, norm, signal),
        Layer::Relu(_) => relu(graph, signal),
        Layer::Dropout(_) | Layer::ChannelDropout(_) => signal,
        Layer::Lstm(lstm) => recurrence(graph, lstm, signal),
        Layer::Flatten(_) => {
            let signal = signal.turned(graph, Lies::BatchTimeChannels);
            let name = graph.node("Flatten", &[&signal.name], &[("axis", Int(1))]);
            let channels = signal.frames * signal.channels;
            Signal { name, lies: Lies::Flat, frames: 1, channels, batch: signal.batch, weights: None }
        }
        Layer::TimePooling(pooling) => time_pooling(graph, pooling, signal),
        Layer::Dense(dense) => fully_connected(graph, dense, signal),
    }
}

fn relu(graph: &mut Graph, signal: Signal) -> Signal {
    Signal { name: graph.node("Relu", &[&signal.name], &[]), ..signal }
}

fn convolution(graph: &mut Graph, conv: &Conv, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchChannelsTime);
    let [rows, filters] = conv.kernel.dims();
    let (channels, width) = (signal.channels, rows / signal.channels);
    let kernel = conv.kernel.val().reshape([width, channels, filters]).permute([2, 1, 0]);
    let kernel = graph.weights(&[filters, channels, width], &values(kernel));
    let bias = graph.floats(&[filters], &values(conv.bias.val()));
    let ahead = (width - 1) / 2;
    let pads = [ahead as i64, (width - 1 - ahead) as i64];
    let attributes = [("kernel_shape", Ints(&[width as i64])), ("pads", Ints(&pads))];
    let name = graph.node("Conv", &[&signal.name, &kernel, &bias], &attributes);
    let signal = Signal { name, channels: filters, ..signal };
    if conv.relu { relu(graph, signal) } else { signal }
}

/// Maximum or mean of each so many frames; what is missing behind the end counts for neither.
fn pool(graph: &mut Graph, size: usize, signal: Signal, of: fn(&mut Graph, &str, usize, usize) -> String) -> Signal {
    let mut signal = signal.turned(graph, Lies::BatchChannelsTime);
    signal.weights = signal.weights.take().map(|weights| Box::new(pool(graph, size, *weights, average)));
    let frames = signal.frames.div_ceil(size);
    let name = of(graph, &signal.name, size, frames * size - signal.frames);
    Signal { name, frames, ..signal }
}

fn average(graph: &mut Graph, values: &str, size: usize, missing: usize) -> String {
    let (size, missing) = (size as i64, missing as i64);
    let sizes = [("kernel_shape", Ints(&[size])), ("strides", Ints(&[size])), ("pads", Ints(&[0, missing]))];
    graph.node("AveragePool", &[values], &sizes)
}

/// To tract the frames are a picture of one row: it takes the maximum over a picture several times faster than over a
/// series.
fn maximum(graph: &mut Graph, values: &str, size: usize, missing: usize) -> String {
    let (size, missing) = (size as i64, missing as i64);
    let row = graph.ints(&[2]);
    let picture = graph.node("Unsqueeze", &[values, &row], &[]);
    let sizes =
        [("kernel_shape", Ints(&[1, size])), ("strides", Ints(&[1, size])), ("pads", Ints(&[0, 0, 0, missing]))];
    let pooled = graph.node("MaxPool", &[&picture], &sizes);
    graph.node("Squeeze", &[&pooled, &row], &[])
}

fn normalization(graph: &mut Graph, norm: &BatchNorm, signal: Signal) -> Signal {
    let shape = signal.lies.of_each_channel(signal.channels);
    let [scale, offset] = norm.affine().map(|tensor| graph.floats(&shape, &values(tensor)));
    let scaled = graph.node("Mul", &[&signal.name, &scale], &[]);
    Signal { name: graph.node("Add", &[&scaled, &offset], &[]), ..signal }
}

fn recurrence(graph: &mut Graph, lstm: &Lstm, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::TimeBatchChannels);
    // tract takes a lone reverse direction for a forward one, so both directions are one node.
    let sides: Vec<&LstmWeights> = [&lstm.forwards].into_iter().chain(&lstm.backwards).collect();
    let ([units, _], count) = (lstm.forwards.recurrent.dims(), sides.len());
    let mut of_all = |shape: &[usize], weights: fn(&LstmWeights) -> Vec<f32>| {
        graph.weights(shape, &sides.iter().flat_map(|side| weights(side)).collect::<Vec<f32>>())
    };
    let kernel = of_all(&[count, 4 * units, signal.channels], |side| onnx_gates(side.kernel.val()));
    let recurrent = of_all(&[count, 4 * units, units], |side| onnx_gates(side.recurrent.val()));
    let bias = of_all(&[count, 8 * units], |side| {
        let bias = onnx_gates(side.bias.val().unsqueeze::<2>());
        let none = vec![0.0; bias.len()];
        [bias, none].concat()
    });
    let zeros = zero_state(graph, &signal.batch, count, units);
    let (all, last) = (graph.fresh("states"), graph.fresh("state"));
    let direction = if count == 1 { "forward" } else { "bidirectional" };
    let outputs: [&str; 2] = if lstm.sequences { [&all, ""] } else { ["", &last] };
    graph.nodes(
        "LSTM",
        &[&signal.name, &kernel, &recurrent, &bias, "", &zeros, &zeros],
        if lstm.sequences { &outputs[..1] } else { &outputs },
        &[("hidden_size", Int(units as i64)), ("direction", Text(direction))],
    );
    // `[time, directions, batch, units]`, or `[directions, batch, units]`: directions go beside the units.
    let (states, order, shape): (_, &[i64], &[i64]) = match lstm.sequences {
        true => (all, &[0, 2, 1, 3], &[0, 0, -1]),
        false => (last, &[1, 0, 2], &[0, -1]),
    };
    let turned = graph.node("Transpose", &[&states], &[("perm", Ints(order))]);
    let shape = graph.ints(shape);
    let name = graph.node("Reshape", &[&turned, &shape], &[]);
    let (lies, frames) = if lstm.sequences { (signal.lies, signal.frames) } else { (Lies::Flat, 1) };
    Signal { name, lies, frames, channels: count * units, ..signal }
}

/// Zeros of `[directions, batch, units]`: without initial states tract refuses a batch whose size is not known yet.
fn zero_state(graph: &mut Graph, batch: &str, directions: usize, units: usize) -> String {
    let zeros = graph.floats(&[1, 1, units], &vec![0.0; units]);
    let (directions, units) = (graph.ints(&[directions as i64]), graph.ints(&[units as i64]));
    let shape = graph.node("Concat", &[&directions, batch, &units], &[("axis", Int(0))]);
    graph.node("Expand", &[&zeros, &shape], &[])
}

/// From `[rows, input | forget | candidate | output]` to rows of ONNX: `[input | output | forget | candidate, rows]`.
fn onnx_gates(keras: Tensor<2>) -> Vec<f32> {
    let gates = keras.chunk(4, 1);
    let order = [0, 3, 1, 2].map(|gate: usize| gates[gate].clone());
    values(Tensor::cat(order.to_vec(), 1).transpose())
}

fn time_pooling(graph: &mut Graph, pooling: &TimePooling, signal: Signal) -> Signal {
    let mut signal = signal.turned(graph, Lies::BatchChannelsTime);
    let weights = signal.weights_turned(graph, Lies::BatchChannelsTime);
    let weights = weights.map(|weights| views::plus(graph, &weights, POOLED_WEIGHT_FLOOR));
    let weights = weights.as_deref();
    let shares = views::shares(graph, weights, signal.frames, 0.0);
    let mut parts = Vec::new();
    if let Some(attention) = &pooling.attention {
        parts.push(attended(graph, attention, &signal.name, weights));
    }
    if pooling.mean {
        parts.push(views::mean(graph, &signal.name, &shares));
    }
    if pooling.max {
        let lowered = weights.map(|weights| views::moved_away(graph, &signal.name, weights, 2.0, LOWERED_BY));
        parts.push(maximum(graph, lowered.as_ref().unwrap_or(&signal.name), signal.frames, 0));
    }
    if pooling.spread {
        let centred = views::centred(graph, &signal.name, &shares);
        parts.push(views::deviation(graph, &centred, &shares, Some(SPREAD_EPSILON)));
    }
    let channels = signal.channels * parts.len();
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    let column = graph.node("Concat", &names, &[("axis", Int(1))]);
    let name = views::without_time(graph, &column);
    Signal { name, lies: Lies::Flat, frames: 1, channels, batch: signal.batch, weights: None }
}

fn attended(graph: &mut Graph, attention: &Attention, values_in: &str, weights: Option<&str>) -> String {
    let [channels, hidden] = attention.kernel.dims();
    let kernel = graph.weights(&[1, hidden, channels], &values(attention.kernel.val().transpose()));
    let bias = graph.floats(&[1, hidden, 1], &values(attention.bias.val()));
    let query = graph.floats(&[1, 1, hidden], &values(attention.query.val()));
    let product = graph.node("MatMul", &[&kernel, values_in], &[]);
    let sum = graph.node("Add", &[&product, &bias], &[]);
    let squashed = graph.node("Tanh", &[&sum], &[]);
    let mut scores = graph.node("MatMul", &[&query, &squashed], &[]);
    if let Some(weights) = weights {
        let logarithm = graph.node("Log", &[weights], &[]);
        scores = graph.node("Add", &[&scores, &logarithm], &[]);
    }
    let shares = graph.node("Softmax", &[&scores], &[("axis", Int(2))]);
    views::mean(graph, values_in, &shares)
}

fn fully_connected(graph: &mut Graph, dense: &Dense, signal: Signal) -> Signal {
    let signal = match signal.lies {
        Lies::BatchChannelsTime => signal.turned(graph, Lies::BatchTimeChannels),
        _ => signal,
    };
    let [rows, units] = dense.kernel.dims();
    let kernel = graph.weights(&[rows, units], &values(dense.kernel.val()));
    let bias = graph.floats(&signal.lies.of_each_channel(units), &values(dense.bias.val()));
    let product = graph.node("MatMul", &[&signal.name, &kernel], &[]);
    let signal = Signal { name: graph.node("Add", &[&product, &bias], &[]), channels: units, ..signal };
    if dense.relu { relu(graph, signal) } else { signal }
}
