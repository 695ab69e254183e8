//! A file's answer as text: for people, as JSON, as CSV.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use emotone::http::answer::{Classification, ModelName, VerdictBody};
use emotone::http::{ApiError, ErrorBody};
use emotone::model::Emotion;
use serde::Serialize;

use super::labour::{Done, Failure};

/// Columns of the CSV before the emotions, and after them.
const FIRST_COLUMNS: [&str; 4] = [FILE_COLUMN, "status", "emotion", "confidence"];
const LAST_COLUMNS: [&str; 6] =
    ["format", "duration_seconds", "sample_rate_hz", "channels", ERROR_COLUMN, MODEL_COLUMN];
/// Columns of an output that is resumed which are read again.
pub const FILE_COLUMN: &str = "file";
pub const ERROR_COLUMN: &str = "error";
pub const MODEL_COLUMN: &str = "model";

/// The code of a file that cannot be read, which no answer of the service has.
pub const UNREADABLE_CODE: &str = "unreadable";

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    answer: &'a Classification,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    file: &'a str,
    #[serde(flatten)]
    error: ErrorBody,
}

/// A file's name as text. In one that is no text, which JSON and CSV do not know, what is not ASCII is escaped, so that no two
/// such names become one.
pub fn name(file: &Path) -> Cow<'_, str> {
    let is_escaped = || file.as_os_str().as_encoded_bytes().escape_ascii().to_string().into();
    file.to_str().map_or_else(is_escaped, Cow::Borrowed)
}

/// What a file is known by in an output that is resumed: its name, however the way to it is written.
pub fn known(name: &str) -> String {
    let parts = Path::new(name).components().filter(|part| *part != Component::CurDir);
    parts.collect::<PathBuf>().to_string_lossy().into_owned()
}

/// What a model is known by: its name and version.
pub fn model(model: &ModelName) -> String {
    format!("{} {}", model.name, model.version)
}

/// One JSON object.
pub fn json(done: &Done) -> serde_json::Result<String> {
    let file = &*name(&done.file);
    match &done.answer {
        Ok(answer) => serde_json::to_string(&Line { file, answer }),
        Err(Failure::Refused(error)) => serde_json::to_string(&ErrorLine { file, error: error.body(None) }),
        Err(Failure::Unreadable(error)) => {
            let mut error = ApiError::BadRequest(error.to_string()).body(None);
            error.error.code = UNREADABLE_CODE;
            serde_json::to_string(&ErrorLine { file, error })
        }
    }
}

/// The names of a row's fields.
pub fn csv_header() -> Vec<&'static str> {
    FIRST_COLUMNS.into_iter().chain(Emotion::ALL.map(Emotion::name)).chain(LAST_COLUMNS).collect()
}

/// One row; a file that could not be judged has an error and little else.
pub fn csv_row(done: &Done) -> Vec<String> {
    let file = name(&done.file).into_owned();
    let number = |number: Option<f32>| number.map_or_else(String::new, |number| number.to_string());
    match &done.answer {
        Ok(answer) => {
            let VerdictBody { status, emotion, confidence, probabilities } = &answer.verdict;
            let emotion = emotion.map_or("", Emotion::name).to_string();
            let mut row = vec![file, (*status).to_string(), emotion, number(*confidence)];
            row.extend(Emotion::ALL.map(|emotion| number(probabilities.map(|all| all.of(emotion)))));
            let audio = &answer.audio;
            row.extend([audio.format.clone(), audio.duration_seconds.to_string()]);
            row.extend([audio.sample_rate_hz.to_string(), audio.channels.to_string()]);
            row.extend([String::new(), model(&answer.model)]);
            row
        }
        Err(error) => {
            let field = |column| match column {
                FILE_COLUMN => file.clone(),
                ERROR_COLUMN => error.to_string(),
                _ => String::new(),
            };
            csv_header().into_iter().map(field).collect()
        }
    }
}

/// Some lines.
pub fn for_people(done: &Done) -> Result<String, std::fmt::Error> {
    let (mut text, file) = (String::new(), done.file.display());
    let answer = match &done.answer {
        Ok(answer) => answer,
        Err(error) => return Ok(format!("{file}: {error}\n")),
    };
    let seconds = answer.audio.duration_seconds;
    writeln!(text, "{file}: {} ({seconds:.1} s)", in_words(&answer.verdict))?;
    let many_channels = answer.channels.len() > 1;
    for channel in &answer.channels {
        if many_channels {
            writeln!(text, "  channel {}: {}", channel.channel, in_words(&channel.verdict))?;
        }
        if channel.segments.len() > 1 {
            for segment in &channel.segments {
                let (from, to) = (segment.start_seconds, segment.end_seconds);
                writeln!(text, "  {from:9.2} {to:9.2} s  {}", in_words(&segment.verdict))?;
            }
        }
    }
    Ok(text)
}

fn in_words(verdict: &VerdictBody) -> String {
    match (verdict.emotion, verdict.confidence) {
        (Some(emotion), Some(confidence)) => {
            let doubt = if verdict.status == "uncertain" { ", uncertain" } else { "" };
            format!("{emotion} {:.0} %{doubt}", confidence * 100.0)
        }
        _ => "no speech".into(),
    }
}
