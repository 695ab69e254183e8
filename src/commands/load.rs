//! A model from a file, or the one compiled in.

use anyhow::{Context, Result};
use emotone::config::ModelSource;
use emotone::http::Models;
use emotone::model::Classifier;

/// The model that is used when no other is named.
pub static DEFAULT_MODEL: &[u8] = include_bytes!("../../models/emotone-robust.onnx");

/// Those that say something: a variable that is set to nothing names nothing, but `NAME=` lacks its file.
pub fn named(models: &[ModelSource]) -> Vec<ModelSource> {
    let says_something = |model: &&ModelSource| model.name.is_some() || !model.path.as_os_str().is_empty();
    models.iter().filter(says_something).cloned().collect()
}

/// Reads and checks the first of some models; the default one if there is none.
pub fn classifier(models: &[ModelSource]) -> Result<Classifier> {
    let Some(path) = Models::first_file(&named(models))? else {
        return Classifier::from_onnx(DEFAULT_MODEL).context("the model compiled into this program is of no use");
    };
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read model {}", path.display()))?;
    Classifier::from_onnx(bytes).with_context(|| format!("cannot use model {}", path.display()))
}
