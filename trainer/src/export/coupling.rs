//! How columns go together, as ONNX nodes: [`crate::network::Coupling`].

use super::graph::{Attribute::*, Graph};
use super::views::{deviation, plus};
use crate::network::{COUPLING_FLOOR, Coupling, FunctionalsSpec, ROOT_STEPS, VARIANCE_FLOOR};

/// What is said of each of several sets of values, `[batch, columns, time]` with a mean of 0 by the shares beside them; one
/// after the other, `[batch, all]`.
pub fn couplings(graph: &mut Graph, spec: &FunctionalsSpec, each: &[(String, String)]) -> String {
    let columns = spec.coupled.len();
    let covariances: Vec<String> = each
        .iter()
        .map(|(values, shares)| match spec.coupling {
            Coupling::Correlations => {
                let deviation = deviation(graph, values, shares, None);
                let scale = plus(graph, &deviation, COUPLING_FLOOR);
                let standard = graph.node("Div", &[values, &scale], &[]);
                covariance(graph, &standard, shares)
            }
            Coupling::Root => covariance(graph, values, shares),
        })
        .collect();
    // Together, so that a root is taken once for all.
    let covariances: Vec<&str> = covariances.iter().map(String::as_str).collect();
    let all = graph.node("Concat", &covariances, &[("axis", Int(1))]);
    let (all, first) = match spec.coupling {
        Coupling::Correlations => (all, 1),
        Coupling::Root => (roots(graph, &all, columns), 0),
    };
    let flat = graph.node("Flatten", &[&all], &[("axis", Int(1))]);
    let (size, rows) = (columns * columns, 0..columns);
    let upper = rows.flat_map(|row| (row + first..columns).map(move |column| row * columns + column));
    let upper: Vec<usize> = upper.collect();
    let places = (0..each.len()).flat_map(|set| upper.iter().map(move |place| (set * size + place) as i64));
    let places = graph.ints(&places.collect::<Vec<_>>());
    graph.node("Gather", &[&flat, &places], &[("axis", Int(1))])
}

/// `[batch, 1, columns, columns]`.
fn covariance(graph: &mut Graph, values: &str, shares: &str) -> String {
    let shared = graph.node("Mul", &[values, shares], &[]);
    let covariance = graph.node("Einsum", &[&shared, values], &[("equation", Text("bct,bdt->bcd"))]);
    let axis = graph.ints(&[1]);
    graph.node("Unsqueeze", &[&covariance, &axis], &[])
}

/// The root of each matrix as the trainer takes it, `[batch, sets, columns, columns]`.
fn roots(graph: &mut Graph, covariances: &str, columns: usize) -> String {
    let diagonal = |value: f32| -> Vec<f32> {
        (0..columns * columns).map(|place| if place % (columns + 1) == 0 { value } else { 0.0 }).collect()
    };
    let shape = [1, 1, columns, columns];
    let identity = graph.floats(&shape, &diagonal(1.0));
    let floor = graph.floats(&shape, &diagonal(VARIANCE_FLOOR));
    let floored = graph.node("Add", &[covariances, &floor], &[]);
    let variances = graph.node("Mul", &[&floored, &identity], &[]);
    let axes = graph.ints(&[2, 3]);
    let trace = graph.node("ReduceSum", &[&variances, &axes], &[("keepdims", Int(1))]);
    let mut y = graph.node("Div", &[&floored, &trace], &[]);
    let (half, three_halves) = (graph.floats(&[1, 1, 1, 1], &[-0.5]), graph.floats(&shape, &diagonal(1.5)));
    let mut z = identity;
    for step in 0..ROOT_STEPS {
        let product = graph.node("MatMul", &[&z, &y], &[]);
        let halved = graph.node("Mul", &[&product, &half], &[]);
        let correction = graph.node("Add", &[&halved, &three_halves], &[]);
        y = graph.node("MatMul", &[&y, &correction], &[]);
        if step + 1 < ROOT_STEPS {
            z = graph.node("MatMul", &[&correction, &z], &[]);
        }
    }
    let scale = graph.node("Sqrt", &[&trace], &[]);
    graph.node("Mul", &[&y, &scale], &[])
}
