//! Where answers go: to stdout, or to a file that a later run can go on with.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use emotone::config::Classify;
use serde::Deserialize;

use super::labour::Done;
use super::{Earlier, lines};

/// Answers on their way out; each is handed to the system before the next, so that a killed run loses none it has written.
pub struct Output {
    form: Form,
    sink: Box<dyn Write>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    People,
    Json,
    Csv,
}

/// What can be read back of a JSON line.
#[derive(Deserialize)]
struct Known {
    file: String,
    error: Option<serde_json::Value>,
}

impl Output {
    /// Opens what the options name, and reads what an earlier run has left in it.
    ///
    /// # Errors
    /// If the file cannot be opened, is there and not to be resumed, or holds something else than such answers.
    pub fn open(options: &Classify) -> Result<(Self, Earlier)> {
        let form = match (options.json, options.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            // A file of answers is for programs, unless somebody says otherwise.
            _ if options.output.is_some() => Form::Json,
            _ => Form::People,
        };
        let Some(path) = &options.output else {
            let mut output = Self { form, sink: Box::new(io::stdout()) };
            output.begin().context("cannot write to stdout")?;
            return Ok((output, Earlier::default()));
        };
        let named = || format!("cannot use {}", path.display());
        if path.exists() && !options.resume {
            bail!("{} is there already; --resume goes on with it", path.display());
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).with_context(named)?;
        let earlier = read_back(&mut file, form, path).with_context(named)?;
        let is_new = file.stream_position().with_context(named)? == 0;
        let mut output = Self { form, sink: Box::new(file) };
        if is_new {
            output.begin().with_context(named)?;
        }
        Ok((output, earlier))
    }

    /// Writes a file's answer. Failures go where answers go if programs read them, or in an archive.
    pub fn write(&mut self, done: &Done, is_archive: bool) -> io::Result<()> {
        let text = match self.form {
            Form::Json => lines::json(done).map_err(io::Error::other)? + "\n",
            Form::Csv => row(&lines::csv_row(done))?,
            Form::People if done.answer.is_err() && !is_archive => return Ok(()),
            Form::People => lines::for_people(done).map_err(io::Error::other)?,
        };
        self.sink.write_all(text.as_bytes())
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.form {
            Form::Csv => self.sink.write_all(row(&lines::csv_header())?.as_bytes()),
            _ => Ok(()),
        }
    }
}

fn row(fields: &[impl AsRef<[u8]>]) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Which files an output names. What follows its last whole line was cut off by the end of a run, and is removed.
fn read_back(file: &mut File, form: Form, path: &Path) -> Result<Earlier> {
    let (mut earlier, mut whole, mut line) = (Earlier::default(), 0_u64, String::new());
    let mut reader = BufReader::new(&*file);
    loop {
        line.clear();
        let length = reader.read_line(&mut line)?;
        if !line.ends_with('\n') {
            break;
        }
        let (name, failed) = match form {
            Form::Csv if whole == 0 => {
                whole += length as u64;
                continue;
            }
            Form::Csv => known_row(&line),
            _ => serde_json::from_str::<Known>(&line).ok().map(|known| (known.file, known.error.is_some())),
        }
        .with_context(|| format!("{} holds something else than answers: {}", path.display(), line.trim_end()))?;
        whole += length as u64;
        earlier.failures += usize::from(failed);
        earlier.files.insert(name);
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    Ok(earlier)
}

fn known_row(line: &str) -> Option<(String, bool)> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    let (file, error) = (record.get(0)?, record.get(record.len() - 1)?);
    Some((file.to_string(), !error.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_removed_and_its_file_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        std::fs::write(&path, "{\"file\":\"a.wav\"}\n{\"file\":\"b.wav\",\"error\":{}}\n{\"file\":\"c.w").unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let earlier = read_back(&mut file, Form::Json, &path).unwrap();
        assert_eq!((earlier.files.len(), earlier.failures), (2, 1));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("{}}\n"));
        std::fs::write(&path, "some notes\n").unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert!(read_back(&mut file, Form::Json, &path).is_err(), "another file is not overwritten");
    }

    #[test]
    fn names_with_commas_and_quotes_come_back_from_csv() {
        let text = row(&["a \"good\" call, no. 1.wav", "ok", ""]).unwrap();
        assert_eq!(known_row(&text), Some(("a \"good\" call, no. 1.wav".into(), false)));
    }
}
