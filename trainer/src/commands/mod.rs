//! What `emotone-train` offers.

mod progress;
mod record;
mod pictures;
mod features;
mod calibration;
mod card;
mod prepared;
mod fit;
mod folds;
mod scores;
mod table;
mod crossval;
mod reproduce;
mod evaluate;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use calibration::{COVERAGE, Calibration};

use crate::report::plot::{PlotArguments, plot};

/// A count of at least `LEAST`.
fn count<const LEAST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= LEAST => Ok(number),
        _ => Err(format!("must be a whole number of at least {LEAST}")),
    }
}

/// Trains, exports, verifies and scores Emotone's networks.
#[derive(Debug, Parser)]
#[command(name = "emotone-train", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train on folders of audio and write a model file.
    Fit(fit::FitArguments),
    /// Train and test a recipe over and over, each time on people that were left out.
    Crossval(crossval::CrossvalArguments),
    /// Train the paper's three networks over several seeds and write its table.
    Reproduce(reproduce::ReproduceArguments),
    /// Score a model file on a folder of audio.
    Evaluate(evaluate::EvaluateArguments),
    /// Draw a recording: waveform, spectrogram, MFCC.
    Plot(PlotArguments),
}

impl Arguments {
    /// Does what they ask for.
    ///
    /// # Errors
    /// Whatever kept the work from being done.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Fit(arguments) => fit::run(&arguments),
            Command::Crossval(arguments) => crossval::run(&arguments),
            Command::Reproduce(arguments) => reproduce::run(&arguments),
            Command::Evaluate(arguments) => evaluate::run(&arguments),
            Command::Plot(arguments) => {
                if let Some(problem) = arguments.contradiction() {
                    Self::command().error(ErrorKind::ValueValidation, problem).exit();
                }
                plot(&arguments)
            }
        }
    }
}
