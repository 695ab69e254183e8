//! `emotone-train`: arguments to one command.

use clap::Parser;
use emotone_trainer::report::plot::{PlotArguments, plot};

#[derive(clap::Parser)]
enum Command {
    Plot(PlotArguments),
}

fn main() -> anyhow::Result<()> {
    let Command::Plot(arguments) = Command::parse();
    plot(&arguments)
}
