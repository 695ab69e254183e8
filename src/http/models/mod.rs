//! The models at work: one or several by name, read again without dropping a request.

mod sources;
mod renewal;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use sources::ModelsError;

use self::renewal::{Again, named_once};
use self::sources::{Candidate, candidates};
use super::error::ApiError;
use crate::audio::AudioLimits;
use crate::config::ModelSource;
use crate::model::Classifier;
use crate::pipeline::Pipeline;

/// A model that answers.
#[derive(Clone)]
pub struct Served {
    /// What `?model=` calls it.
    pub name: String,
    /// The model and what it takes to use it.
    pub pipeline: Pipeline,
    file: Option<PathBuf>,
    /// Number of the source that it is from.
    source: usize,
}

/// Models by name; the first is used where none is named.
pub struct Models {
    sources: Vec<ModelSource>,
    built_in: &'static [u8],
    limits: AudioLimits,
    served: RwLock<Arc<Vec<Served>>>,
}

impl Models {
    /// Reads every source, or the model that is built in if there are none.
    ///
    /// # Errors
    /// [`ModelsError`] for the first that cannot be used, or has the name of another.
    pub fn load(sources: Vec<ModelSource>, built_in: &'static [u8], limits: AudioLimits) -> Result<Self, ModelsError> {
        let models = Self { sources, built_in, limits, served: RwLock::default() };
        let mut served: Vec<Served> = Vec::new();
        for (source, candidates) in candidates(&models.sources).into_iter().enumerate() {
            for Candidate { file, name } in candidates? {
                let model = models.read(file.as_deref(), name, source)?;
                if served.iter().any(|other| other.name == model.name) {
                    let problem =
                        format!("there is another model named `{}`; give names with --model NAME=FILE", model.name);
                    return Err(ModelsError::new(file.as_deref(), problem));
                }
                served.push(model);
            }
        }
        models.put(served);
        Ok(models)
    }

    /// The file of the model that answers where none is named; `None` is the one that is built in.
    ///
    /// # Errors
    /// [`ModelsError`] if it is to lie in a folder that holds none.
    pub fn first_file(sources: &[ModelSource]) -> Result<Option<PathBuf>, ModelsError> {
        let first = candidates(sources.get(..1).unwrap_or_default()).into_iter().next().transpose()?;
        Ok(first.unwrap_or_default().into_iter().find_map(|candidate| candidate.file))
    }

    /// The model of that name, or the first.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a name that is not there.
    pub fn get(&self, name: Option<&str>) -> Result<Served, ApiError> {
        let all = self.all();
        let found = match name {
            None => all.first(),
            Some(name) => all.iter().find(|model| model.name == name),
        };
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|model| model.name.as_str()).collect();
            ApiError::BadRequest(format!("there is no such model; these are: {}", names.join(", ")))
        })
    }

    /// All models, the first one first.
    pub fn all(&self) -> Arc<Vec<Served>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads every source again; who asks meanwhile is answered by the old models. A model that cannot be read, or would have
    /// the name of another, keeps its old self, and is named in the answer.
    pub fn reload(&self) -> Vec<ModelsError> {
        let (old, mut again, mut problems) = (self.all(), Vec::new(), Vec::new());
        for (source, candidates) in candidates(&self.sources).into_iter().enumerate() {
            let of_source = || old.iter().filter(move |model| model.source == source);
            let candidates = candidates.unwrap_or_else(|problem| {
                problems.push(problem);
                again.push(Again { fresh: None, old: of_source().cloned().collect() });
                Vec::new()
            });
            for Candidate { file, name } in candidates {
                // A folder that is gone looks like a file, which its models are not.
                let is_source = self.sources.get(source).is_some_and(|source| Some(&source.path) == file.as_ref());
                let was_folder = is_source && of_source().all(|model| model.file != file);
                let old = of_source().filter(|model| model.file == file || was_folder).cloned().collect();
                let fresh = self.read(file.as_deref(), name, source).map_err(|problem| problems.push(problem)).ok();
                again.push(Again { fresh, old });
            }
        }
        let new = named_once(again, &mut problems);
        if !new.is_empty() {
            self.put(new);
        }
        problems
    }

    fn put(&self, served: Vec<Served>) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
    }

    fn read(&self, file: Option<&Path>, name: Option<String>, source: usize) -> Result<Served, ModelsError> {
        let problem = |problem: &dyn std::fmt::Display| ModelsError::new(file, problem);
        let classifier = match file {
            None => Classifier::from_onnx(self.built_in),
            Some(file) => Classifier::from_onnx(std::fs::read(file).map_err(|error| problem(&error))?),
        };
        let classifier = classifier.map_err(|error| problem(&error))?;
        let name = name.unwrap_or_else(|| classifier.card().name.clone());
        let pipeline = Pipeline::new(classifier, self.limits.clone()).map_err(|error| problem(&error))?;
        Ok(Served { name, pipeline, file: file.map(Path::to_path_buf), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &[u8] = include_bytes!("../../../models/emotone-cnn-lstm.onnx");

    fn load(sources: &[&str]) -> Result<Models, ModelsError> {
        let sources = sources.iter().map(|source| source.parse().unwrap()).collect();
        Models::load(sources, MODEL, AudioLimits::default())
    }

    #[test]
    fn models_are_found_by_name_and_the_first_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.onnx");
        std::fs::write(&path, MODEL).unwrap();
        let path = path.display();
        let models = load(&[&format!("one={path}"), &format!("two={path}")]).unwrap();
        assert_eq!(models.get(None).unwrap().name, "one");
        assert_eq!(models.get(Some("two")).unwrap().name, "two");
        assert!(matches!(models.get(Some("three")), Err(ApiError::BadRequest(_))));
        assert!(load(&[&format!("one={path}"), &format!("one={path}")]).is_err(), "a name stands for one model");
        let folder = folder.path().to_str().unwrap();
        assert_eq!(load(&[folder]).unwrap().get(None).unwrap().name, "some");
        for source in [format!("one={path}"), folder.to_string()] {
            let first = Models::first_file(&[source.parse().unwrap(), "two=gone.onnx".parse().unwrap()]).unwrap();
            assert_eq!(first.unwrap().display().to_string(), path.to_string(), "{source}");
        }
        assert_eq!(Models::first_file(&[]).unwrap(), None);
    }

    #[test]
    fn a_file_that_breaks_keeps_the_old_model_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.onnx");
        std::fs::write(&path, MODEL).unwrap();
        for source in [path.to_str().unwrap().to_string(), format!("name={}", path.display())] {
            let models = load(&[&source]).unwrap();
            let name = models.get(None).unwrap().name;
            std::fs::write(&path, b"no model at all").unwrap();
            let problems = models.reload();
            assert!(problems[0].to_string().contains("some.onnx"), "{problems:?}");
            assert_eq!(models.get(None).unwrap().name, name);
            std::fs::write(&path, MODEL).unwrap();
            assert!(models.reload().is_empty());
        }
        let two = load(&[&format!("one={}", path.display()), &format!("two={}", path.display())]).unwrap();
        std::fs::write(&path, b"no model at all").unwrap();
        assert_eq!(two.reload().len(), 2);
        assert!(["one", "two"].iter().all(|name| two.get(Some(name)).is_ok()), "both names are kept");
        assert!(load(&[path.to_str().unwrap()]).is_err());
    }

    #[test]
    fn a_file_that_comes_by_the_name_of_another_stays_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one.onnx"), folder.path().join("other.onnx"));
        let write = |file: &Path, model: &str| std::fs::copy(format!("models/{model}.onnx"), file).unwrap();
        write(&one, "emotone-cnn");
        write(&other, "emotone-lstm");
        let models = load(&[one.to_str().unwrap(), other.to_str().unwrap()]).unwrap();
        let served = || models.all().iter().map(|model| (model.name.clone(), model.file.clone())).collect::<Vec<_>>();
        let at_first = served();
        for (changed, twin, own) in [(&one, "emotone-lstm", "emotone-cnn"), (&other, "emotone-cnn", "emotone-lstm")] {
            write(changed, twin);
            let problems = models.reload();
            assert!(
                problems.len() == 1 && problems[0].to_string().contains(&format!("named `{twin}`")),
                "{problems:?}"
            );
            assert_eq!(served(), at_first, "{} is a twin now", changed.display());
            write(changed, own);
            assert!(models.reload().is_empty());
        }
        write(&one, "emotone-lstm");
        write(&other, "emotone-cnn");
        assert!(models.reload().is_empty(), "names that change hands are each there once");
        assert_eq!(served(), [("emotone-lstm".into(), Some(one.clone())), ("emotone-cnn".into(), Some(other.clone()))]);
        write(&one, "emotone-cnn");
        std::fs::write(&other, b"no model at all").unwrap();
        assert_eq!(models.reload().len(), 2, "a name is kept by a file that cannot be read");
        assert!(["emotone-lstm", "emotone-cnn"].iter().all(|name| models.get(Some(name)).is_ok()));
    }

    #[test]
    fn a_folder_that_is_gone_or_empty_keeps_its_models_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let (models, alone) = (folder.path().join("models"), folder.path().join("alone.onnx"));
        std::fs::create_dir(&models).unwrap();
        [models.join("a.onnx"), models.join("b.onnx"), alone.clone()]
            .iter()
            .for_each(|path| std::fs::write(path, MODEL).unwrap());
        let (in_folder, file) = (models.to_str().unwrap(), format!("alone={}", alone.display()));
        let all = load(&[&file, in_folder]).unwrap();
        let names = || all.all().iter().map(|model| model.name.clone()).collect::<Vec<_>>();
        std::fs::remove_file(models.join("b.onnx")).unwrap();
        assert!(all.reload().is_empty() && names() == ["alone", "a"], "{:?}", names());
        std::fs::remove_dir_all(&models).unwrap();
        assert!(all.reload().len() == 1 && names() == ["alone", "a"], "a folder that is gone keeps its models");
        std::fs::create_dir(&models).unwrap();
        assert!(all.reload().len() == 1 && names() == ["alone", "a"], "an empty one too");
        assert!(load(&[&format!("name={}", folder.path().display())]).is_err(), "a folder has no name");
    }
}
