//! Each layer's forward pass against Keras' (goldens/keras_layers.py says how the values were made).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use emotone_trainer::network::{Architecture, Layer, LayerSpec, Mode, Network, Signal};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;

/// Largest difference from Keras that is accepted.
const TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
    networks: Vec<NamedSize>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    layer: LayerSpec,
    training: bool,
    weights: Vec<Array>,
    #[serde(default)]
    weights_after: Vec<Array>,
    input: Array,
    output: Array,
    penalty: Option<f32>,
}

#[derive(Deserialize, Clone)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct NamedSize {
    name: String,
    parameters: usize,
}

fn goldens() -> Goldens {
    serde_json::from_str(include_str!("goldens/keras_layers.json")).unwrap()
}

/// Puts Keras' weights in place of the layer's own, in order.
struct Load<'a>(std::slice::Iter<'a, Array>);

impl ModuleMapper for Load<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let array = self.0.next().unwrap();
        param.map(|tensor| {
            assert_eq!(tensor.dims().iter().product::<usize>(), array.values.len());
            Tensor::from_data(TensorData::new(array.values.clone(), tensor.dims()), &tensor.device())
        })
    }
}

struct Collect(Vec<Vec<f32>>);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data().iter::<f32>().collect());
    }
}

fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_layer_answers_as_keras_does() {
    let device = Device::flex();
    for case in goldens().cases {
        let mut random = StdRng::seed_from_u64(1);
        let [batch, frames, channels] = case.input.shape[..] else { panic!("three axes") };
        let layer = Layer::new(&case.layer, channels, &mut random, &device);
        let layer = layer.map(&mut Load(case.weights.iter()));
        let input = TensorData::new(case.input.values, [batch, frames, channels]);
        let mut mode = if case.training { Mode::Training(&mut random) } else { Mode::Inference };
        let output = layer.forward(Signal::new(Tensor::from_data(input, &device)), &mut mode).values;
        let output: Vec<f32> = output.into_data().iter::<f32>().collect();
        let difference = largest_difference(&output, &case.output.values);
        println!("{:32} {difference:.1e}", case.name);
        assert!(difference <= TOLERANCE, "{}: {difference:e}", case.name);
        if let Some(penalty) = case.penalty {
            let ours = layer.penalty().unwrap().into_scalar::<f32>();
            assert!((ours - penalty).abs() <= TOLERANCE, "{}: penalty {ours} instead of {penalty}", case.name);
        }
        let mut kept = Collect(Vec::new());
        layer.valid().visit(&mut kept);
        for (ours, theirs) in kept.0.iter().zip(&case.weights_after) {
            assert!(largest_difference(ours, &theirs.values) <= TOLERANCE, "{}: running moments", case.name);
        }
    }
}

#[test]
fn the_papers_networks_have_as_many_parameters_as_in_keras() {
    for expected in goldens().networks {
        let architectures = [Architecture::cnn(), Architecture::lstm(), Architecture::cnn_lstm()];
        let architecture = architectures.into_iter().find(|one| one.name == expected.name).unwrap();
        let network = Network::new(&architecture, 100, 40, 1, &Device::flex());
        assert_eq!(network.num_params(), expected.parameters, "{}", expected.name);
    }
}
