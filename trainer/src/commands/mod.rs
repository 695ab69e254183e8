//! What `emotone-train` offers.

mod progress;
mod pictures;
mod fit;
mod evaluate;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::report::plot::{PlotArguments, plot};

/// Trains, exports, verifies and scores Emotone's networks.
#[derive(Debug, Parser)]
#[command(name = "emotone-train", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network on folders of audio and write it as a model file.
    Fit(fit::FitArguments),
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
            Command::Evaluate(arguments) => evaluate::run(&arguments),
            Command::Plot(arguments) => plot(&arguments),
        }
    }
}
