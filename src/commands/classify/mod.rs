//! `emotone classify`: files in, emotions out, without a server; one clip or an archive.

mod folders;
mod listing;
mod labour;
mod lines;
mod earlier;
mod output;
mod progress;

use std::process::ExitCode;

use anyhow::{Context, Result};
use emotone::audio::AudioLimits;
use emotone::config::{Classify, cores};
use emotone::pipeline::Pipeline;

use self::folders::Found;
use self::labour::{Done, UNREADABLE};
use self::output::Output;
use self::progress::Progress;
use super::load;

/// A recording that somebody has on disk may be a long one.
const MAX_SECONDS: f64 = 24.0 * 3600.0;
const MAX_DECODED_MIB: u32 = 16 * 1024;

/// Classifies files; goes on after a bad one, and fails in the end.
pub fn classify(options: &Classify) -> Result<ExitCode> {
    let is_archive = options.output.is_some() || options.files.iter().any(|file| file.is_dir());
    let classifier = load::classifier(&options.model.model)?;
    let limits = AudioLimits { max_seconds: MAX_SECONDS, max_decoded_mib: MAX_DECODED_MIB, ..AudioLimits::default() };
    let model = lines::model(&classifier.card().into());
    let pipeline = Pipeline::new(classifier, limits).context("cannot set up the model's features")?;

    let (mut output, earlier) = Output::open(options, &model)?;
    let missing = listing::missing(&options.files, &earlier.files);
    let Found { files, unreadable, others } = listing::files(&options.files, options.shard, &earlier.files);
    let mut progress = Progress::new(files.len() + unreadable.len(), earlier.files.len(), earlier.failures);
    for (argument, error) in &missing {
        progress.complain(&format!("{}: {UNREADABLE}{error}", argument.display()));
    }
    let threads = options.workers.map_or_else(cores, usize::from);
    let in_order = options.output.is_none();
    let mut write = |done: Done| {
        progress.file(&done);
        if !is_archive
            && !missing.contains_key(&done.file)
            && let Err(error) = &done.answer
        {
            progress.complain(&format!("{}: {error}", done.file.display()));
        }
        output.write(&done, is_archive)
    };
    let mut unreadable = unreadable.into_iter().map(|(file, error)| Done { file, answer: Err(error.into()) });
    let written = unreadable
        .try_for_each(&mut write)
        .and_then(|()| labour::share(|file| labour::judge(&pipeline, file), &files, threads, in_order, &mut write));
    // Who closes the pipe wants no more of it; that is no failure.
    written.or_else(|error| if super::is_broken_pipe(&error) { Ok(()) } else { Err(error) }).context("cannot write")?;
    if is_archive {
        progress.sum_up(others);
    }
    let failed = !missing.is_empty() || progress.failures() > 0 && !options.allow_failures;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
