//! What an earlier run has left in its output.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Result, bail, ensure};
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
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
}

/// Which files an output names. What follows its last whole answer was cut off by the end of a run, and is removed.
pub fn read_back(file: &mut File, form: Form, path: &Path) -> Result<Earlier> {
    let mut earlier = Earlier::default();
    let whole = match form {
        Form::Csv => read_rows(file, path, &mut earlier),
        _ => read_lines(file, path, &mut earlier),
    }?;
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    Ok(earlier)
}

fn read_lines(file: &File, path: &Path, earlier: &mut Earlier) -> Result<u64> {
    let (mut reader, mut whole, mut line) = (BufReader::new(file), 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            ensure!(is_begun(&line, LINE_BEGINS), "{}", no_answer(path, &line));
            return Ok(whole);
        }
        let Ok(known) = serde_json::from_slice::<Known>(&line) else { bail!("{}", no_answer(path, &line)) };
        whole += length as u64;
        if known.error.as_ref().is_none_or(|problem| problem.code != lines::UNREADABLE_CODE) {
            earlier.file(&known.file, known.error.is_some());
        }
    }
}

/// Rows may have names with line breaks, so that lines are not enough.
fn read_rows(file: &File, path: &Path, earlier: &mut Earlier) -> Result<u64> {
    let header = row(&lines::csv_header())?;
    let (columns, mut begin) = (lines::csv_header().len(), Vec::new());
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
        match (fields.get(0), fields.get(columns - 1)) {
            (Some(name), Some(error)) if last == *b"\n" => {
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

fn no_answer(path: &Path, what: &[u8]) -> String {
    format!("{} holds something else than answers: {}", path.display(), String::from_utf8_lossy(what).trim_end())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io;

    use super::super::labour::Done;
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
            let earlier = read_back(&mut file, form, &path).unwrap();
            assert_eq!((earlier.files.len(), earlier.failures), (files, files));
            assert_eq!(earlier.files.contains("a.wav"), files > 0, "whatever way led to it");
        }
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
            assert!(read_back(&mut file, form, &path).is_err(), "{text}");
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
            (fields[0], fields[columns - 1]) = (name, error);
            row(&fields).unwrap()
        };
        let whole = header.clone() + &named("a \"good\" call, no. 1.wav", "") + &named("two\nlines.wav", "it is bad");
        let next = named("also\nö.wav", "");
        for cut in 0..next.len() {
            std::fs::write(&path, [whole.as_bytes(), &next.as_bytes()[..cut]].concat()).unwrap();
            let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let earlier = read_back(&mut file, Form::Csv, &path).unwrap();
            assert_eq!((earlier.files.len(), earlier.failures), (2, 1), "{cut}");
            assert!(earlier.files.contains("two\nlines.wav") && earlier.files.contains("a \"good\" call, no. 1.wav"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
        std::fs::write(&path, &header[..5]).unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert!(read_back(&mut file, Form::Csv, &path).unwrap().files.is_empty());
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
