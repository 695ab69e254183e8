//! `emotone classify`: files in, emotions out, without a server.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use emotone::audio::AudioLimits;
use emotone::config::Classify;
use emotone::http::ApiError;
use emotone::http::answer::{Classification, VerdictBody};
use emotone::pipeline::{Pipeline, Request};
use serde::Serialize;

use super::{is_broken_pipe, load};

/// A recording that somebody has on disk may be a long one.
const MAX_SECONDS: f64 = 24.0 * 3600.0;
const MAX_DECODED_MIB: u32 = 16 * 1024;

/// One line a file with `--json`.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a Path,
    #[serde(flatten)]
    answer: &'a Classification,
}

/// Classifies files; goes on after a bad one, and fails in the end.
pub fn classify(options: &Classify) -> Result<ExitCode> {
    let classifier = load::classifier(options.model.model.as_deref())?;
    let limits = AudioLimits { max_seconds: MAX_SECONDS, max_decoded_mib: MAX_DECODED_MIB, ..AudioLimits::default() };
    let pipeline = Pipeline::new(classifier, limits).context("cannot set up the model's features")?;
    let mut status = ExitCode::SUCCESS;
    for file in &options.files {
        let text = match classify_file(&pipeline, file) {
            Ok(answer) if options.json => serde_json::to_string(&Line { file, answer: &answer })? + "\n",
            Ok(answer) => for_people(file, &answer)?,
            Err(error) => {
                status = ExitCode::FAILURE;
                eprintln!("{}: {error:#}", file.display());
                continue;
            }
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if is_broken_pipe(&error) => return Ok(status),
            written => written.context("cannot write to stdout")?,
        }
    }
    Ok(status)
}

fn classify_file(pipeline: &Pipeline, file: &PathBuf) -> Result<Classification> {
    let bytes = std::fs::read(file)?;
    if bytes.is_empty() {
        return Err(ApiError::EmptyUpload("the file is empty").into());
    }
    let (recording, judgement) = pipeline.classify(bytes.into(), Request::default())?;
    Ok(Classification::new(&recording, &judgement, pipeline.classifier().card(), None))
}

fn for_people(file: &Path, answer: &Classification) -> Result<String> {
    let mut text = String::new();
    let seconds = answer.audio.duration_seconds;
    writeln!(text, "{}: {} ({seconds:.1} s)", file.display(), in_words(&answer.verdict))?;
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
