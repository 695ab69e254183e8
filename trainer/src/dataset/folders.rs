//! Data folders to labelled clips.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotone::audio::is_audio_name;
use walkdir::WalkDir;

use super::once::Once;
use super::own_names::own_names;
use super::{Dataset, DatasetBuilder, label_of};
use crate::say::tell;

impl Dataset {
    /// Finds the clips of `folders`, in an order that does not depend on the file system, and of each recording only the
    /// first: corpora are unpacked into themselves, given twice, packed anew beside the original, and a copy in another part
    /// of a split would be tested by a training that knows it. Says how many are left out.
    ///
    /// # Errors
    /// If a folder is none, if two would have one name, or if none holds a labelled clip.
    pub fn read_once(folders: &[PathBuf]) -> Result<Self> {
        let all = gather(folders)?;
        let Once { clips, mixed } = Once::of(&all);
        let copies = all.len() - clips.len();
        if copies > 0 {
            tell(format!("{copies} clips are copies of others and are left out"));
        }
        if mixed > 0 {
            let heard = "trainings learn from their mean, the server and evaluate judge each";
            tell(format!("{mixed} clips have channels that differ: {heard}"));
        }
        Ok(if copies == 0 { all } else { DatasetBuilder::with(&all, &clips).build() })
    }
}

fn gather(folders: &[PathBuf]) -> Result<Dataset> {
    let mut builder = DatasetBuilder::default();
    for (folder, own_name) in folders.iter().zip(own_names(folders)?) {
        add(&mut builder, folder, &own_name)?;
    }
    let dataset = builder.build();
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    ensure!(!dataset.is_empty(), "{}: no clip whose name or folder tells an emotion", names.join(", "));
    ensure!(u32::try_from(dataset.len()).is_ok(), "{}: too many clips", names.join(", "));
    Ok(dataset)
}

fn add(builder: &mut DatasetBuilder, folder: &Path, own_name: &str) -> Result<()> {
    builder.folder(folder);
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) if problem.depth() == 0 => return Err(problem).context(folder.display().to_string()),
            Err(problem) => {
                tell(format!("left out: {problem}"));
                continue;
            }
        };
        if !entry.file_type().is_file() || !is_audio_name(entry.path()) {
            continue;
        }
        let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        // Names that are not Unicode could not be kept in lists, and tell no emotion.
        match inside.to_str().zip(label_of(inside)) {
            None => builder.unlabelled(entry.path()),
            Some((inside, label)) => {
                builder.clip(inside, label.emotion, label.corpus.unwrap_or(own_name), &label.speaker);
            }
        }
    }
    Ok(())
}

/// The licence of a corpus, as its authors state it.
pub fn licence_of(corpus: &str) -> &'static str {
    match corpus {
        "TESS" => "CC BY-NC-ND 4.0",
        "RAVDESS" => "CC BY-NC-SA 4.0",
        "EmoDB" => "free for research, as its authors state",
        _ => "not stated in the data folder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_counts_once_however_often_it_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let put = |inside: &str, bytes: &str| {
            std::fs::create_dir_all(folder.path().join(inside).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(inside), bytes).unwrap();
        };
        put("angry/anna_1.wav", "one");
        put("angry/anna_1 (1).wav", "one");
        put("again/angry/anna_1.wav", "one");
        put("sad/anna_2.wav", "two");
        put("sad/anna_3.wav", "");
        put("sad/anna_4.wav", "");
        let folders = [folder.path().to_path_buf(), folder.path().to_path_buf()];
        let names = |dataset: Dataset| dataset.indices().map(|index| dataset.name(index)).collect::<Vec<_>>();
        let once = names(Dataset::read_once(&folders).unwrap());
        assert_eq!(once.iter().filter(|name| name.contains("anna_1")).count(), 1, "{once:?}");
        assert_eq!(once.iter().filter(|name| name.contains("anna_2")).count(), 1, "{once:?}");
        assert_eq!(gather(&folders).unwrap().len(), 12);
    }

    #[test]
    fn a_recording_counts_once_whatever_it_is_packed_in() {
        let folder = tempfile::tempdir().unwrap();
        let put = |inside: &str, bits: u16, channels: &[i32]| {
            let path = folder.path().join(inside);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let sample_format = hound::SampleFormat::Int;
            let spec = hound::WavSpec {
                channels: channels.len() as u16,
                sample_rate: 8_000,
                bits_per_sample: bits,
                sample_format,
            };
            let mut file = hound::WavWriter::create(path, spec).unwrap();
            for sample in 0..4_000 {
                let value = |step| ((sample * step) % 2_000) << (bits - 16);
                channels.iter().for_each(|step| file.write_sample(value(*step)).unwrap());
            }
            file.finalize().unwrap();
        };
        put("angry/anna_1.wav", 16, &[3]);
        put("angry/anna_2.wav", 16, &[5]);
        put("packed anew/angry/anna_0.wav", 24, &[3]);
        put("sad/anna_3.wav", 16, &[3, 3]);
        put("sad/anna_4.wav", 16, &[3, 5]);
        let folders = [folder.path().to_path_buf()];
        let once = Dataset::read_once(&folders).unwrap();
        let paths: Vec<String> = once.indices().map(|index| once.path_inside(index)).collect();
        assert_eq!(paths, ["angry/anna_1.wav", "angry/anna_2.wav", "sad/anna_4.wav"]);
        assert_eq!(once.speakers().len(), 1, "{:?}", once.speakers());
        assert_eq!(Once::of(&gather(&folders).unwrap()).mixed, 1);
    }

    #[test]
    fn clips_come_sorted_and_a_name_that_is_no_text_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let make = |inside: &Path| {
            std::fs::create_dir_all(folder.path().join(inside).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(inside), "").unwrap();
        };
        let files = ["sad/ö.wav", "angry/2.WAV", "angry/10.wav", "angry/._10.wav", "angry/notes.txt", "1.wav"];
        files.into_iter().map(Path::new).for_each(make);
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            make(Path::new(std::ffi::OsStr::from_bytes(b"\xff/angry/1.wav")));
        }
        let dataset = Dataset::read_once(&[folder.path().into()]).unwrap();
        let own = folder.path().file_name().unwrap().display();
        let names: Vec<String> = dataset.indices().map(|index| dataset.name(index)).collect();
        assert_eq!(names, ["angry/10.wav", "angry/2.WAV", "sad/ö.wav"].map(|inside| format!("{own}/{inside}")));
        assert!(dataset.indices().all(|index| dataset.clip(index).path.is_file()));
        let unlabelled: Vec<String> = dataset.unlabelled().iter().collect();
        assert!(unlabelled[0].ends_with("/1.wav"), "{unlabelled:?}");
        assert_eq!(unlabelled.len(), 1 + usize::from(cfg!(unix)));
    }
}
