//! What a new model says of itself.

use anyhow::Result;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use emotone::config::REVISION;
use emotone::features::FeatureSpec;
use emotone::model::{Emotion, ModelCard};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Calibration;
use super::features::hex;
use super::fit::FitArguments;
use crate::dataset::Dataset;
use crate::ensemble::Member;
use crate::metrics::Figures;
use crate::network::Network;
use crate::recipe::Recipe;
use crate::temperature::Temperature;

/// Everything that a card tells of.
pub struct Facts<'a> {
    /// What was asked for.
    pub arguments: &'a FitArguments,
    /// All clips.
    pub dataset: &'a Dataset,
    /// Those that were trained on.
    pub trained_on: &'a [u32],
    /// What the model judges.
    pub features: &'a FeatureSpec,
    /// What it consists of.
    pub members: &'a [Member],
    /// Trainable numbers.
    pub parameters: usize,
    /// How sure it claims to be.
    pub calibration: Calibration,
    /// Figures on the test part.
    pub tested: &'a [(&'static str, Figures)],
    /// Figures of a cross-validation with the same recipe.
    pub cross_validated: Option<Value>,
}

/// Writes the card.
///
/// # Errors
/// None with figures that are numbers.
pub fn describe(facts: &Facts, networks: &[Network]) -> Result<ModelCard> {
    let features = facts.features;
    let window_seconds = (features.frames * features.hop) as f64 / f64::from(features.sample_rate);
    let mut metrics: Map<String, Value> = Map::new();
    if !facts.tested.is_empty() {
        let tested = facts.tested.iter().map(|(name, figures)| ((*name).to_owned(), json!(figures)));
        metrics.insert("test".into(), Value::Object(tested.collect()));
    }
    if let Some(figures) = &facts.cross_validated {
        metrics.insert("cross_validation".into(), figures.clone());
    }
    let more = [
        ("recipe", json!(facts.arguments.recipe)),
        ("split", json!(facts.arguments.split)),
        ("seed", json!(facts.arguments.seed)),
        ("epochs", json!(facts.members.iter().map(|member| member.options.epochs).collect::<Vec<_>>())),
        ("parameters", json!(facts.parameters)),
        ("git_revision", json!(REVISION)),
    ];
    let name = match facts.arguments.recipe {
        Recipe::Paper => facts.members.first().map_or("model", |member| member.name.as_str()),
        Recipe::Robust => "robust",
    };
    let architecture = match facts.members {
        [only] => only.architecture.to_string(),
        several => {
            let one = |member: &Member| format!("[{}: {}]", member.name, member.architecture);
            let each = several.iter().map(one);
            format!("geometric mean of {}", each.collect::<Vec<_>>().join(", "))
        }
    };
    let Temperature { sure, in_doubt } = facts.calibration.temperature;
    Ok(ModelCard {
        name: format!("emotone-{name}"),
        version: format!("{}+{}", env!("CARGO_PKG_VERSION"), fingerprint(networks, facts.calibration)),
        architecture,
        labels: Emotion::ALL.to_vec(),
        temperature: sure,
        temperature_in_doubt: (in_doubt != sure).then_some(in_doubt),
        rejection_threshold: facts.calibration.rejection_threshold,
        window_seconds,
        hop_seconds: window_seconds / 2.0,
        data: facts.dataset.corpora(facts.trained_on),
        metrics: Value::Object(metrics),
        more: more.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    })
}

/// Eight digits that change with every weight, and with what makes probabilities and a verdict of the answers.
fn fingerprint(networks: &[Network], calibration: Calibration) -> String {
    struct Weights(Sha256);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            for value in param.val().into_data().iter::<f32>() {
                self.0.update(value.to_le_bytes());
            }
        }
    }
    let mut weights = Weights(Sha256::new());
    networks.iter().for_each(|network| network.visit(&mut weights));
    let Calibration { temperature: Temperature { sure, in_doubt }, rejection_threshold } = calibration;
    [sure, in_doubt, rejection_threshold].iter().for_each(|value| weights.0.update(value.to_le_bytes()));
    hex(&weights.0.finalize())[..8].to_owned()
}
