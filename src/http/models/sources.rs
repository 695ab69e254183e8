//! Where models come from: files, folders of them, and the one that is built in.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::config::ModelSource;

/// Ending of a model's file in a folder of models.
const MODEL_EXTENSION: &str = "onnx";

/// Why a model is not at work; names its file.
#[derive(Debug, thiserror::Error)]
#[error("cannot use model {file}: {problem}")]
pub struct ModelsError {
    file: String,
    problem: String,
}

impl ModelsError {
    /// Of a file, or of the one that is built in.
    pub(super) fn new(file: Option<&Path>, problem: impl Display) -> Self {
        let file = file.map_or_else(|| "compiled into this program".into(), |file| file.display().to_string());
        Self { file, problem: problem.to_string() }
    }
}

/// A model to be read.
pub struct Candidate {
    /// `None` is the one that is built in.
    pub file: Option<PathBuf>,
    /// What it is to be called; by default its card decides.
    pub name: Option<String>,
}

/// Every source's models; without a source, the one that is built in.
pub fn candidates(sources: &[ModelSource]) -> Vec<Result<Vec<Candidate>, ModelsError>> {
    match sources {
        [] => vec![Ok(vec![Candidate { file: None, name: None }])],
        some => some.iter().map(candidates_of).collect(),
    }
}

/// A file, or a folder of models named by their files.
fn candidates_of(source: &ModelSource) -> Result<Vec<Candidate>, ModelsError> {
    if !source.path.is_dir() {
        return Ok(vec![Candidate { file: Some(source.path.clone()), name: source.name.clone() }]);
    }
    if source.name.is_some() {
        let problem = "a folder's models are named by their files; leave out NAME=";
        return Err(ModelsError::new(Some(&source.path), problem));
    }
    let of = |file: PathBuf| Candidate {
        name: file.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        file: Some(file),
    };
    Ok(models_in(&source.path)?.into_iter().map(of).collect())
}

fn models_in(folder: &Path) -> Result<Vec<PathBuf>, ModelsError> {
    let problem = |problem: &dyn Display| ModelsError::new(Some(folder), problem);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| problem(&error))? {
        let path = entry.map_err(|error| problem(&error))?.path();
        if path.extension().is_some_and(|extension| extension == MODEL_EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(problem(&"the folder holds no .onnx file")) } else { Ok(files) }
}
