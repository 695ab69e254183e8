//! Layers that look at the whole window, as ONNX nodes; all on `[batch, time, channels]`.

use super::graph::{Attribute::*, Graph};
use super::layers::{Lies, Signal};
use crate::network::{Functionals, LOWERED_BY, SPREAD_FLOOR, STEPS, Standardize, WEIGHT_FLOOR, Weigh};

/// Mean over time, frames counting by `weights` if there are any.
pub fn mean(graph: &mut Graph, values: &str, weights: Option<&str>, keep: i64) -> String {
    let Some(weights) = weights else { return over_time(graph, "ReduceMean", values, keep) };
    let product = graph.node("Mul", &[values, weights], &[]);
    let sum = sum_over_time(graph, &product, keep);
    let total = sum_over_time(graph, weights, keep);
    graph.node("Div", &[&sum, &total], &[])
}

/// Values less their mean over time.
pub fn centred(graph: &mut Graph, values: &str, weights: Option<&str>) -> String {
    let mean = mean(graph, values, weights, 1);
    graph.node("Sub", &[values, &mean], &[])
}

/// Root of the mean square over time, plus `epsilon` before the root if there is one.
pub fn deviation(graph: &mut Graph, centred: &str, weights: Option<&str>, epsilon: Option<f32>, keep: i64) -> String {
    let square = graph.node("Mul", &[centred, centred], &[]);
    let mut variance = mean(graph, &square, weights, keep);
    if let Some(epsilon) = epsilon {
        variance = plus(graph, &variance, epsilon);
    }
    graph.node("Sqrt", &[&variance], &[])
}

/// [`crate::network::LayerSpec::Weigh`].
pub fn weigh(graph: &mut Graph, by: &Weigh, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchTimeChannels);
    let level = slice(graph, &signal.name, 2, by.column, by.column + 1);
    let highest = over_time(graph, "ReduceMax", &level, 1);
    let below = graph.node("Sub", &[&level, &highest], &[]);
    let slope = graph.floats(&[1], &[by.line[0]]);
    let scaled = graph.node("Mul", &[&below, &slope], &[]);
    let line = plus(graph, &scaled, by.line[1]);
    let name = between(graph, &line, 0.0, 1.0);
    let weights = Signal { name, channels: 1, weights: None, batch: signal.batch.clone(), ..signal };
    Signal { weights: Some(Box::new(weights)), ..signal }
}

/// [`crate::network::LayerSpec::Centre`].
pub fn centre(graph: &mut Graph, columns: usize, signal: Signal) -> Signal {
    let mut signal = signal.turned(graph, Lies::BatchTimeChannels);
    let weights = signal.weights_turned(graph, Lies::BatchTimeChannels);
    let first = slice(graph, &signal.name, 2, 0, columns);
    let first = centred(graph, &first, weights.as_deref());
    let rest = slice(graph, &signal.name, 2, columns, signal.channels);
    let name = match columns == signal.channels {
        true => first,
        false => graph.node("Concat", &[&first, &rest], &[("axis", Int(2))]),
    };
    Signal { name, ..signal }
}

/// [`crate::network::LayerSpec::Standardize`].
pub fn standardize(graph: &mut Graph, layer: &Standardize, signal: Signal) -> Signal {
    let mut signal = signal.turned(graph, Lies::BatchTimeChannels);
    let weights = signal.weights_turned(graph, Lies::BatchTimeChannels);
    let centred = centred(graph, &signal.name, weights.as_deref());
    let epsilon = graph.floats(&[layer.epsilon.len()], &layer.epsilon);
    let spread = deviation(graph, &centred, weights.as_deref(), None, 1);
    let divisor = graph.node("Add", &[&spread, &epsilon], &[]);
    let standard = graph.node("Div", &[&centred, &divisor], &[]);
    if layer.kept == 0 {
        return Signal { name: standard, ..signal };
    }
    let kept = slice(graph, &signal.name, 2, signal.channels - layer.kept, signal.channels);
    let name = graph.node("Concat", &[&standard, &kept], &[("axis", Int(2))]);
    Signal { name, channels: signal.channels + layer.kept, ..signal }
}

/// Values of frames that weigh less than one half, lowered for the maximum.
pub fn lowered(graph: &mut Graph, values: &str, weights: &str) -> String {
    let twice = graph.floats(&[1], &[2.0]);
    let twice = graph.node("Mul", &[weights, &twice], &[]);
    let capped = between(graph, &twice, 0.0, 1.0);
    let missing = plus(graph, &capped, -1.0);
    let by = graph.floats(&[1], &[LOWERED_BY]);
    let down = graph.node("Mul", &[&missing, &by], &[]);
    graph.node("Add", &[values, &down], &[])
}

/// [`crate::network::LayerSpec::Clip`].
pub fn clip(graph: &mut Graph, limit: f32, signal: Signal) -> Signal {
    Signal { name: between(graph, &signal.name, -limit, limit), ..signal }
}

/// [`crate::network::LayerSpec::Functionals`].
pub fn functionals(graph: &mut Graph, layer: &Functionals, signal: Signal) -> Signal {
    let signal = signal.turned(graph, Lies::BatchTimeChannels);
    let (spec, width, frames) = (&layer.spec, signal.channels, signal.frames);
    let columns = spec.columns(width).0;
    let weights = {
        let mut part = |column: usize, [a, b]: [f32; 2]| {
            let value = slice(graph, &signal.name, 2, column, column + 1);
            let (a, b) = (graph.floats(&[1], &[a]), graph.floats(&[1], &[b]));
            let scaled = graph.node("Mul", &[&value, &a], &[]);
            let line = graph.node("Add", &[&scaled, &b], &[]);
            between(graph, &line, 0.0, 1.0)
        };
        let (voiced, loud) = (part(spec.voicing, spec.voiced), part(spec.level, spec.loud));
        let raw = graph.node("Mul", &[&voiced, &loud], &[]);
        let total = sum_over_time(graph, &raw, 1);
        let total = plus(graph, &total, WEIGHT_FLOOR);
        graph.node("Div", &[&raw, &total], &[])
    };
    let cepstra = slice(graph, &signal.name, 2, 0, spec.cepstra);
    let cepstra = centred(graph, &cepstra, None);
    let prosody = slice(graph, &signal.name, 2, spec.prosody, width);
    let slope = slice(graph, &signal.name, 2, spec.slope, spec.slope + 1);
    let speed = graph.node("Abs", &[&slope], &[]);
    let x = graph.node("Concat", &[&cepstra, &prosody, &speed], &[("axis", Int(2))]);

    let mean = mean(graph, &x, None, 1);
    let around_mean = graph.node("Sub", &[&x, &mean], &[]);
    let spread = deviation(graph, &around_mean, None, None, 1);
    let spread = plus(graph, &spread, SPREAD_FLOOR);
    let standard = graph.node("Div", &[&around_mean, &spread], &[]);
    let square = graph.node("Mul", &[&standard, &standard], &[]);
    let cube = graph.node("Mul", &[&square, &standard], &[]);
    let moved = STEPS.map(|step| {
        let later = slice(graph, &x, 1, step, frames);
        let earlier = slice(graph, &x, 1, 0, frames - step);
        graph.node("Sub", &[&later, &earlier], &[])
    });
    let [short_distance, long_distance] = moved.each_ref().map(|moved| {
        let distance = graph.node("Abs", &[moved], &[]);
        over_time(graph, "ReduceMean", &distance, 1)
    });
    let short_centred = centred(graph, &moved[0], None);

    let weighted = |graph: &mut Graph, values: &str, weights: &str| {
        let product = graph.node("Mul", &[values, weights], &[]);
        sum_over_time(graph, &product, 1)
    };
    let heard = weighted(graph, &x, &weights);
    let around = graph.node("Sub", &[&x, &heard], &[]);
    let around_square = graph.node("Mul", &[&around, &around], &[]);
    let heard_variance = weighted(graph, &around_square, &weights);
    let around_distance = graph.node("Abs", &[&around], &[]);
    let later_weights = slice(graph, &weights, 1, 1, frames);
    let short_square = graph.node("Mul", &[&moved[0], &moved[0]], &[]);
    let heard_movement = weighted(graph, &short_square, &later_weights);

    let parts = [
        slice(graph, &mean, 2, spec.cepstra, columns),
        spread.clone(),
        short_distance,
        deviation(graph, &short_centred, None, None, 1),
        long_distance,
        over_time(graph, "ReduceMean", &cube, 1),
        over_time(graph, "ReduceMax", &x, 1),
        over_time(graph, "ReduceMin", &x, 1),
        heard.clone(),
        graph.node("Sqrt", &[&heard_variance], &[]),
        graph.node("Sqrt", &[&heard_movement], &[]),
        weighted(graph, &around_distance, &weights),
    ];
    let parts = parts.each_ref().map(String::as_str);
    let row = graph.node("Concat", &parts, &[("axis", Int(2))]);
    let axis = graph.ints(&[1]);
    let name = graph.node("Squeeze", &[&row, &axis], &[]);
    Signal { name, lies: Lies::Flat, frames: 1, channels: spec.outputs(width), batch: signal.batch, weights: None }
}

fn over_time(graph: &mut Graph, operator: &str, values: &str, keep: i64) -> String {
    graph.node(operator, &[values], &[("axes", Ints(&[1])), ("keepdims", Int(keep))])
}

fn sum_over_time(graph: &mut Graph, values: &str, keep: i64) -> String {
    let axis = graph.ints(&[1]);
    graph.node("ReduceSum", &[values, &axis], &[("keepdims", Int(keep))])
}

pub fn plus(graph: &mut Graph, values: &str, constant: f32) -> String {
    let constant = graph.floats(&[1], &[constant]);
    graph.node("Add", &[values, &constant], &[])
}

fn between(graph: &mut Graph, values: &str, low: f32, high: f32) -> String {
    let (low, high) = (graph.floats(&[], &[low]), graph.floats(&[], &[high]));
    graph.node("Clip", &[values, &low, &high], &[])
}

fn slice(graph: &mut Graph, values: &str, axis: i64, from: usize, to: usize) -> String {
    let ([from, to], axis) = ([from, to].map(|place| graph.ints(&[place as i64])), graph.ints(&[axis]));
    graph.node("Slice", &[values, &from, &to, &axis], &[])
}
