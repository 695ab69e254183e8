//! A model from a file, or the one compiled in.

use std::path::Path;

use anyhow::{Context, Result};
use emotone::model::Classifier;

/// The model that is used when no other is named.
pub static DEFAULT_MODEL: &[u8] = include_bytes!("../../models/emotone-robust.onnx");

/// Reads and checks a model; the default one without a path.
pub fn classifier(path: Option<&Path>) -> Result<Classifier> {
    // A variable that is set to nothing names nothing.
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Classifier::from_onnx(DEFAULT_MODEL).context("the model compiled into this program is of no use");
    };
    let bytes = std::fs::read(path).with_context(|| format!("cannot read model {}", path.display()))?;
    Classifier::from_onnx(bytes).with_context(|| format!("cannot use model {}", path.display()))
}
