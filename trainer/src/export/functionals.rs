//! [`Functionals`] as ONNX nodes, on `[batch, channels, time]`.

use super::coupling;
use super::graph::{Attribute::*, Graph};
use super::layers::{Lies, Signal};
use super::views::{
    between, centred, deviation, mean, moved_away, over_time, plus, shares, slice, times, without_time,
};
use crate::network::{Functionals, FunctionalsSpec, MOVED_BY, SPREAD_FLOOR, STEPS, WEIGHT_FLOOR};

/// [`crate::network::LayerSpec::Functionals`].
pub fn functionals(graph: &mut Graph, layer: &Functionals, signal: Signal) -> Signal {
    let mut signal = signal.turned(graph, Lies::BatchChannelsTime);
    let weights = signal.weights_turned(graph, Lies::BatchChannelsTime);
    let weights = weights.as_deref();
    let (spec, width, frames) = (&layer.spec, signal.channels, signal.frames);
    let columns = spec.columns(width).0;
    let even = shares(graph, weights, frames, 0.0);
    let cepstra = slice(graph, &signal.name, 1, 0, spec.cepstra);
    let cepstra = centred(graph, &cepstra, &even);
    let prosody = slice(graph, &signal.name, 1, spec.prosody, width);
    let slope = slice(graph, &signal.name, 1, spec.slope, spec.slope + 1);
    let speed = graph.node("Abs", &[&slope], &[]);
    let x = graph.node("Concat", &[&cepstra, &prosody, &speed], &[("axis", Int(1))]);

    let means = mean(graph, &x, &even);
    let around = graph.node("Sub", &[&x, &means], &[]);
    let spread = deviation(graph, &around, &even, None);
    let spread = plus(graph, &spread, SPREAD_FLOOR);
    let standard = graph.node("Div", &[&around, &spread], &[]);
    let square = graph.node("Mul", &[&standard, &standard], &[]);
    let cube = graph.node("Mul", &[&square, &standard], &[]);
    let moved = STEPS.map(|step| {
        let (moved, together) = movement(graph, &x, weights, frames, step);
        (moved, shares(graph, together.as_deref(), frames - step, WEIGHT_FLOOR))
    });
    let [short_distance, long_distance] = moved.each_ref().map(|(moved, shares)| {
        let distance = graph.node("Abs", &[moved], &[]);
        mean(graph, &distance, shares)
    });
    let (steps, step_shares) = &moved[0];
    let step_centred = centred(graph, steps, step_shares);
    let [highest, lowest] = [("ReduceMax", MOVED_BY), ("ReduceMin", -MOVED_BY)].map(|(operator, by)| {
        let moved = weights.map(|weights| moved_away(graph, &x, weights, 1.0, by));
        over_time(graph, operator, moved.as_deref().unwrap_or(&x))
    });

    let [voiced, loud] = voiced_and_loud(graph, spec, &signal.name);
    let voiced = shares(graph, Some(&voiced), frames, WEIGHT_FLOOR);
    let later_voiced = slice(graph, &voiced, 2, 1, frames);
    let voiced_mean = mean(graph, &x, &voiced);
    let around = graph.node("Sub", &[&x, &voiced_mean], &[]);
    let around_distance = graph.node("Abs", &[&around], &[]);
    let parts = [
        slice(graph, &means, 1, spec.cepstra, columns),
        spread,
        short_distance,
        deviation(graph, &step_centred, step_shares, None),
        long_distance,
        mean(graph, &cube, &even),
        highest,
        lowest,
        voiced_mean,
        deviation(graph, &around, &voiced, None),
        deviation(graph, steps, &later_voiced, None),
        mean(graph, &around_distance, &voiced),
    ];
    let parts = parts.each_ref().map(String::as_str);
    let column = graph.node("Concat", &parts, &[("axis", Int(1))]);
    let mut name = without_time(graph, &column);
    if !spec.coupled.is_empty() {
        let mut each = vec![(coupled(graph, spec, &around), voiced)];
        let x = coupled(graph, spec, &x);
        for step in &spec.coupled_steps {
            let (moved, together) = movement(graph, &x, Some(&loud), frames, *step);
            let shares = shares(graph, together.as_deref(), frames - step, WEIGHT_FLOOR);
            each.push((centred(graph, &moved, &shares), shares));
        }
        let couplings = coupling::couplings(graph, spec, &each);
        name = graph.node("Concat", &[&name, &couplings], &[("axis", Int(1))]);
    }
    let channels = spec.outputs(width);
    Signal { name, lies: Lies::Flat, frames: 1, channels, batch: signal.batch, weights: None }
}

/// Each frame less that `step` frames before, and the root of the product of both frames' weights.
fn movement(
    graph: &mut Graph,
    values: &str,
    weights: Option<&str>,
    frames: usize,
    step: usize,
) -> (String, Option<String>) {
    let mut both =
        |values: &str| [(step, frames), (0, frames - step)].map(|(from, to)| slice(graph, values, 2, from, to));
    let [later, earlier] = both(values);
    let weights = weights.map(both);
    let moved = graph.node("Sub", &[&later, &earlier], &[]);
    let together = weights.map(|[later, earlier]| {
        let product = graph.node("Mul", &[&later, &earlier], &[]);
        graph.node("Sqrt", &[&product], &[])
    });
    (moved, together)
}

/// The coupled columns alone.
fn coupled(graph: &mut Graph, spec: &FunctionalsSpec, values: &str) -> String {
    let places = graph.ints(&spec.coupled.iter().map(|place| *place as i64).collect::<Vec<_>>());
    graph.node("Gather", &[values, &places], &[("axis", Int(1))])
}

/// How voiced and loud each frame is, and how loud.
fn voiced_and_loud(graph: &mut Graph, spec: &FunctionalsSpec, values: &str) -> [String; 2] {
    let mut part = |column: usize, [a, b]: [f32; 2]| {
        let value = slice(graph, values, 1, column, column + 1);
        let scaled = times(graph, &value, a);
        let line = plus(graph, &scaled, b);
        between(graph, &line, 0.0, 1.0)
    };
    let (voiced, loud) = (part(spec.voicing, spec.voiced), part(spec.level, spec.loud));
    [graph.node("Mul", &[&voiced, &loud], &[]), loud]
}
