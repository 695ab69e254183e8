//! Every kind of layer through ONNX and the serving library, without training.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use emotone::features::{Column, FeatureMatrix};
use emotone::model::{Classifier, Emotion, ModelCard};
use emotone_trainer::dataset::{DatasetBuilder, StoreWriter};
use emotone_trainer::export::{to_onnx, verify};
use emotone_trainer::network::Network;
use emotone_trainer::recipe::{Arch, Changes, Recipe};
use emotone_trainer::temperature::Temperature;
use emotone_trainer::training::{Examples, ToldApart};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Moves every weight and running moment a little, so that none is where it starts.
struct Shake(StdRng);

impl ModuleMapper for Shake {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let values = tensor.to_data();
            let shaken = values.iter::<f32>().map(|value| value + self.0.random_range(-0.05..0.05));
            Tensor::from_data(TensorData::new(shaken.collect::<Vec<f32>>(), tensor.dims()), &tensor.device())
        })
    }
}

/// Weights so large that all but one probability are 0.
struct Shout;

impl ModuleMapper for Shout {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor * 30.0)
    }
}

fn card(temperature: Temperature) -> ModelCard {
    ModelCard {
        name: "test".into(),
        version: "1".into(),
        architecture: "any".into(),
        labels: Emotion::ALL.to_vec(),
        temperature: temperature.sure,
        temperature_in_doubt: Some(temperature.in_doubt),
        rejection_threshold: 0.3,
        window_seconds: 2.0,
        hop_seconds: 1.0,
        data: Vec::new(),
        metrics: serde_json::json!({}),
        more: serde_json::Map::new(),
    }
}

#[test]
fn all_networks_answer_the_same_when_served_alone_and_together() {
    let folder = tempfile::tempdir().unwrap();
    for recipe in [Recipe::Paper, Recipe::Robust] {
        let spec = recipe.features();
        let mut random = StdRng::seed_from_u64(5);
        let mut writer = StoreWriter::create(&folder.path().join("rows.f32"), spec.width()).unwrap();
        let mut builder = DatasetBuilder::default();
        for record in 0..11 {
            let (frames, width) = (40 + 20 * record, spec.width());
            let mut values: Vec<f32> = (0..frames * width).map(|_| random.random_range(-2.0..2.0)).collect();
            if spec.columns.last() == Some(&Column::Energy) {
                // Levels at which frames count nothing, in part, and fully.
                values.chunks_exact_mut(width).for_each(|row| row[width - 1] = random.random_range(-60.0..0.0));
            }
            writer.push(&FeatureMatrix::new(width, values)).unwrap();
            let (name, corpus) = (record.to_string(), ["north", "south", "west"][record % 3]);
            builder.clip(&name, Emotion::ALL[record % 7], corpus, &name);
        }
        let (store, dataset) = (writer.finish().unwrap(), builder.build());
        let clips = dataset.indices().collect();
        let examples = Examples { dataset: &dataset, store: &store, spec: &spec, each: 1, served: 0, clips };
        let apart = ToldApart::of(&examples).unwrap();
        assert_eq!(apart.corpora.count(), 3);
        // The robust recipe's are the same whatever the paper's network.
        let mut names = BTreeSet::new();
        let members: Vec<_> = Arch::ALL
            .iter()
            .flat_map(|arch| recipe.members(*arch, &spec, &apart, Changes::default()))
            .filter(|member| names.insert(member.name.clone()))
            .collect();
        let networks: Vec<Network> = (1..)
            .zip(&members)
            .map(|(seed, member)| {
                let network = Network::new(&member.architecture, spec.frames, spec.width(), seed, &Device::flex());
                network.map(&mut Shake(StdRng::seed_from_u64(seed))).rounded()
            })
            .collect();
        let both = Temperature { sure: 0.9, in_doubt: 0.5 };
        let alone = networks.chunks(1).flat_map(|one| [(one, Temperature::ONE), (one, both)]);
        let loud = [networks[0].clone().map(&mut Shout).rounded()];
        for (networks, temperature) in alone.chain([(&networks[..], both), (&loud[..], both)]) {
            let onnx = to_onnx(networks, &spec, &card(temperature)).unwrap();
            let difference = verify(&onnx, networks, &examples).unwrap();
            println!("{recipe:?} {} networks: {difference:.1e}", networks.len());
            assert_eq!(Classifier::from_onnx(onnx).unwrap().features(), &spec);
        }
    }
}
