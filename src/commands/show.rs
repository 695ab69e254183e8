//! `emotone model`, `emotone openapi` and `emotone --version`: what the program knows of itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use emotone::config::{Model, REVISION, VERSION};
use emotone::http::model::ModelBody;
use emotone::http::openapi;
use serde_json::Value;

use super::{is_broken_pipe, load};

/// Prints a model's card.
pub fn model(options: &Model) -> Result<ExitCode> {
    let classifier = load::classifier(&options.model.model)?;
    let card = ModelBody::from(&classifier);
    let text = if options.json { serde_json::to_string(&card)? + "\n" } else { for_people(&card)? };
    print(&text)
}

/// Prints the API description.
pub fn openapi() -> Result<ExitCode> {
    print(&openapi::yaml().map_err(|error| anyhow!(error))?)
}

/// Prints version, revision and model.
pub fn version() -> Result<ExitCode> {
    let classifier = load::classifier(&[])?;
    let model = classifier.card();
    print(&format!("emotone {VERSION} (revision {REVISION}, model {} {})\n", model.name, model.version))
}

fn print(text: &str) -> Result<ExitCode> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if !is_broken_pipe(&error) => Err(error).context("cannot write to stdout"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn for_people(card: &ModelBody) -> Result<String> {
    let mut text = String::new();
    let labels: Vec<&str> = card.labels.iter().map(|label| label.name()).collect();
    writeln!(text, "{} {}", card.name, card.version)?;
    writeln!(text, "  architecture  {}", card.architecture)?;
    writeln!(text, "  labels        {}", labels.join(", "))?;
    writeln!(text, "  windows       {} s, a new one each {} s", card.window_seconds, card.hop_seconds)?;
    let in_doubt = card.temperature_in_doubt.map(|value| format!(", in doubt {value}")).unwrap_or_default();
    writeln!(text, "  temperature   {}{in_doubt}", card.temperature)?;
    writeln!(text, "  uncertain     below {}", card.rejection_threshold)?;
    for corpus in &card.data {
        writeln!(
            text,
            "  data          {}: {} clips, {} speakers, {}",
            corpus.name, corpus.clips, corpus.speakers, corpus.licence
        )?;
    }
    let features = serde_json::to_value(&card.features)?;
    write_tree(&mut text, "features", &features)?;
    write_tree(&mut text, "metrics", &card.metrics)?;
    for (name, value) in &card.more {
        write_tree(&mut text, name, value)?;
    }
    Ok(text)
}

/// A value a line, nested names joined by dots; long lists by their length.
fn write_tree(text: &mut String, name: &str, value: &Value) -> Result<()> {
    const LONGEST_LIST: usize = 8;
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                write_tree(text, &format!("{name}.{key}"), entry)?;
            }
        }
        Value::Array(entries) if entries.len() > LONGEST_LIST => {
            writeln!(text, "  {name}  {} values", entries.len())?;
        }
        Value::String(word) => writeln!(text, "  {name}  {word}")?,
        other => writeln!(text, "  {name}  {other}")?,
    }
    Ok(())
}
