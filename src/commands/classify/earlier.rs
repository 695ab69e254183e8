//! What an earlier run has left in its output.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use emotone::http::answer::ModelName;
use serde::Deserialize;

use super::labour::UNREADABLE;
use super::lines;
use super::output::{Form, row};

/// What an earlier run has done. What it could not read is not among that: it may be there now.
#[derive(Debug, Default)]
pub struct Earlier {
    /// Files as they are [known](lines::known) from its output.
    pub files: HashSet<String>,
    /// How many of them could not be judged.
    pub failures: usize,
}

impl Earlier {
    fn file(&mut self, name: &str, failed: bool) {
        self.failures += usize::from(failed);
        self.files.insert(lines::known(name));
    }
}

/// How a JSON line begins.
const LINE_BEGINS: &[u8] = b"{\"file\":";

/// What can be read back of a JSON line.
#[derive(Deserialize)]
struct Known {
    file: String,
    error: Option<Problem>,
    model: Option<Model>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
}

/// Which files an output names. What follows its last whole answer was cut off by the end of a run, and is removed.
///
/// # Errors
/// If it holds something else than answers, or those of another model than that which is [known](lines::model) so.
pub fn read_back(file: &mut File, form: Form, path: &Path, model: &str) -> Result<Earlier> {
    let mut earlier = Earlier::default();
    let whole = match form {
        Form::Csv => read_rows(file, path, model, &mut earlier),
        _ => read_lines(file, path, model, &mut earlier),
    }?;
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    Ok(earlier)
}

fn read_lines(file: &File, path: &Path, model: &str, earlier: &mut Earlier) -> Result<u64> {
    let (mut reader, mut whole, mut line) = (BufReader::new(file), 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            // A file system that lost its power may have made room for what it did not write any more.
            let written = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            ensure!(is_begun(&line[..written], LINE_BEGINS), "{}", no_answer(path, &line));
            return Ok(whole);
        }
        let Ok(known) = serde_json::from_slice::<Known>(&line) else { bail!("{}", no_answer(path, &line)) };
        if let Some(Model { name, version }) = known.model {
            ensure_same_model(path, &lines::model(&ModelName { name, version }), model)?;
        }
        whole += length as u64;
        if known.error.as_ref().is_none_or(|problem| problem.code != lines::UNREADABLE_CODE) {
            earlier.file(&known.file, known.error.is_some());
        }
    }
}

/// Rows may have names with line breaks, so that lines are not enough.
fn read_rows(file: &File, path: &Path, model: &str, earlier: &mut Earlier) -> Result<u64> {
    let header = row(&lines::csv_header())?;
    let column = |name| lines::csv_header().into_iter().position(|column| column == name).unwrap_or(usize::MAX);
    let [name, error, judge] = [lines::FILE_COLUMN, lines::ERROR_COLUMN, lines::MODEL_COLUMN].map(column);
    let mut begin = Vec::new();
    file.take(header.len() as u64).read_to_end(&mut begin)?;
    ensure!(is_begun(&begin, header.as_bytes()), "{}", no_answer(path, &begin));
    if begin.len() < header.len() {
        return Ok(0);
    }
    let (length, mut whole) = (file.metadata()?.len(), header.len() as u64);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut fields = csv::ByteRecord::new();
    while reader.read_byte_record(&mut fields)? {
        let end = header.len() as u64 + reader.position().byte();
        let mut last = [0];
        file.read_exact_at(&mut last, end.saturating_sub(1))?;
        match (fields.get(name), fields.get(error), fields.get(judge)) {
            (Some(name), Some(error), Some(judge)) if last == *b"\n" => {
                if !judge.is_empty() {
                    ensure_same_model(path, &String::from_utf8_lossy(judge), model)?;
                }
                if !error.starts_with(UNREADABLE.as_bytes()) {
                    earlier.file(&String::from_utf8_lossy(name), !error.is_empty());
                }
                whole = end;
            }
            _ if end == length => break,
            _ => bail!("{}", no_answer(path, fields.as_slice())),
        }
    }
    Ok(whole)
}

/// Whether some bytes begin as they should, or would if there were more of them.
fn is_begun(bytes: &[u8], begin: &[u8]) -> bool {
    bytes.starts_with(begin) || begin.starts_with(bytes)
}

fn ensure_same_model(path: &Path, earlier: &str, model: &str) -> Result<()> {
    let is_same = earlier == model;
    ensure!(
        is_same,
        "{} has answers of {}, and this run's model is {model}",
        path.display(),
        shown(earlier.as_bytes())
    );
    Ok(())
}

fn no_answer(path: &Path, what: &[u8]) -> String {
    format!("{} holds something else than answers: {}", path.display(), shown(what))
}

/// The beginning of something that a file holds, with nothing in it that a terminal would obey.
fn shown(bytes: &[u8]) -> String {
    const MOST_CHARACTERS: usize = 60;
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    let begin: String = text.chars().take(MOST_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() { begin + "…" } else { begin }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io;

    use super::super::labour::Done;
    use super::*;

    const MODEL: &str = "one 1.0";

    #[test]
    fn a_line_that_was_cut_off_is_removed_and_its_file_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        std::fs::write(&path, "{\"file\":\"a.wav\"}\n{\"file\":\"b.wav\",\"error\":{}}\n{\"file\":\"c.w").unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let earlier = read_back(&mut file, Form::Json, &path, MODEL).unwrap();
        assert_eq!((earlier.files.len(), earlier.failures), (2, 1));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("{}}\n"));
    }

    #[test]
    fn what_could_not_be_read_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers");
        let failed = |error: io::Error| Done { file: "./gone.wav".into(), answer: Err(error.into()) };
        let done = failed(io::Error::other("no such file"));
        let csv = row(&lines::csv_header()).unwrap() + &row(&lines::csv_row(&done)).unwrap();
        let known = "{\"file\":\"./a.wav\",\"error\":{\"code\":\"audio_too_short\"}}\n";
        let json = format!("{known}{}\n", lines::json(&done).unwrap());
        for (form, text, files) in [(Form::Csv, csv, 0), (Form::Json, json, 1)] {
            std::fs::write(&path, text).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let earlier = read_back(&mut file, form, &path, MODEL).unwrap();
            assert_eq!((earlier.files.len(), earlier.failures), (files, files));
            assert_eq!(earlier.files.contains("a.wav"), files > 0, "whatever way led to it");
        }
    }

    #[test]
    fn answers_of_another_model_are_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers");
        let columns = lines::csv_header().len();
        let csv = |model: &str| {
            let mut fields = vec!["a.wav"; columns];
            fields[columns - 1] = model;
            row(&lines::csv_header()).unwrap() + &row(&fields).unwrap()
        };
        let json = |version: &str| {
            format!("{{\"file\":\"a.wav\",\"model\":{{\"name\":\"one\",\"version\":\"{version}\"}}}}\n")
        };
        for (form, same, other) in [(Form::Csv, csv(MODEL), csv("one 2.0")), (Form::Json, json("1.0"), json("2.0"))] {
            std::fs::write(&path, same).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            assert_eq!(read_back(&mut file, form, &path, MODEL).unwrap().files.len(), 1);
            std::fs::write(&path, &other).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let told = read_back(&mut file, form, &path, MODEL).unwrap_err().to_string();
            assert!(told.contains("one 1.0") && told.contains("one 2.0"), "{told}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        }
    }

    #[test]
    fn room_that_was_made_and_not_written_to_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers");
        for (form, begun) in
            [(Form::Json, ""), (Form::Json, "{\"fi"), (Form::Json, "{\"file\":\"b.w"), (Form::Csv, "b.")]
        {
            let whole =
                if form == Form::Csv { row(&lines::csv_header()).unwrap() } else { "{\"file\":\"a.wav\"}\n".into() };
            std::fs::write(&path, whole.clone() + begun + &"\0".repeat(5000)).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            read_back(&mut file, form, &path, MODEL).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "{begun}");
        }
    }

    #[test]
    fn what_a_file_holds_is_shown_short_and_without_its_commands() {
        assert_eq!(shown("a \u{1b}[2Jöß\0\n\n".as_bytes()), "a \\u{1b}[2Jöß\\0");
        assert_eq!(shown(&[b'x'; 1000]), "x".repeat(60) + "…");
    }

    #[test]
    fn what_is_no_answer_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for (form, text) in [
            (Form::Json, "some notes\n"),
            (Form::Json, "no end of line"),
            (Form::Csv, "file,status,else\n"),
            (Form::Csv, "no"),
        ] {
            std::fs::write(&path, text).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            assert!(read_back(&mut file, form, &path, MODEL).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn names_of_any_kind_come_back_from_csv_and_a_row_that_was_cut_off_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.csv");
        let (header, columns) = (row(&lines::csv_header()).unwrap(), lines::csv_header().len());
        let named = |name: &str, error: &str| {
            let mut fields = vec![""; columns];
            (fields[0], fields[columns - 2], fields[columns - 1]) = (name, error, MODEL);
            row(&fields).unwrap()
        };
        let whole = header.clone() + &named("a \"good\" call, no. 1.wav", "") + &named("two\nlines.wav", "it is bad");
        let next = named("also\nö.wav", "");
        for cut in 0..next.len() {
            std::fs::write(&path, [whole.as_bytes(), &next.as_bytes()[..cut]].concat()).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let earlier = read_back(&mut file, Form::Csv, &path, MODEL).unwrap();
            assert_eq!((earlier.files.len(), earlier.failures), (2, 1), "{cut}");
            assert!(earlier.files.contains("two\nlines.wav") && earlier.files.contains("a \"good\" call, no. 1.wav"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
        std::fs::write(&path, &header[..5]).unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert!(read_back(&mut file, Form::Csv, &path, MODEL).unwrap().files.is_empty());
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
