//! Where answers go: to stdout, or to a file that a later run can go on with.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Seek, Write};

use anyhow::{Context, Result, bail};
use emotone::config::Classify;

use super::earlier::{Earlier, read_back};
use super::labour::Done;
use super::lines;

/// Answers on their way out; each is handed to the system before the next, so that a killed run loses none it has written.
pub struct Output {
    form: Form,
    sink: Box<dyn Write + Send>,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Lines for people.
    People,
    /// A JSON object a line.
    Json,
    /// A row a file, below the names of the columns.
    Csv,
}

impl Output {
    /// Opens what the options name, and reads what an earlier run has left in it.
    ///
    /// # Errors
    /// If the file cannot be opened, is there and not to be resumed, or holds something else than such answers of the model
    /// that is [known](lines::model) so.
    pub fn open(options: &Classify, model: &str) -> Result<(Self, Earlier)> {
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
        if !file.metadata().with_context(named)?.is_file() {
            bail!("{} is no file that a run can go on with", path.display());
        }
        // Two at once would write over each other's answers. Held until the file is closed.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            bail!("{} is being written by another run", path.display());
        }
        let earlier = read_back(&mut file, form, path, model).with_context(named)?;
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

/// A row of CSV with its end of line.
pub fn row(fields: &[impl AsRef<[u8]>]) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
