//! `emotone-train plot`: three pictures of one recording.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use emotone::audio::{AudioLimits, Waveform, decode};
use emotone::features::{FeatureSpec, Normalization};

use crate::recipe::Recipe;
use crate::say::{say, tell};

/// What to plot, and where to.
#[derive(Debug, clap::Args)]
pub struct PlotArguments {
    /// A recording in any format that the server takes.
    file: Option<PathBuf>,
    /// A tone of three seconds that rises from 60 to 10 000 Hz, instead of a recording.
    #[arg(long, env = "EMOTONE_CHIRP", value_parser = clap::builder::BoolishValueParser::new())]
    chirp: bool,
    /// Folder for the pictures; made if there is none.
    #[arg(long, value_name = "DIR", env = "EMOTONE_OUT")]
    out: PathBuf,
}

impl PlotArguments {
    /// What is wrong with them together. clap would take a switch that the environment sets to false for one that is given.
    pub fn contradiction(&self) -> Option<&'static str> {
        match (&self.file, self.chirp) {
            (None, false) => Some("what to plot is missing: a file, or --chirp"),
            (Some(_), true) => Some("a file and --chirp are two things to plot: give one of them"),
            _ => None,
        }
    }
}

/// Writes `NAME-waveform.svg`, `NAME-spectrogram.svg` and `NAME-mfcc.svg`, and says where.
///
/// # Errors
/// If the recording can't be read or judged, or a picture can't be written; each names its file.
pub fn plot(arguments: &PlotArguments) -> Result<()> {
    let (name, waveform) = match &arguments.file {
        Some(file) => read(file)?,
        None => ("chirp".to_owned(), chirp()?),
    };
    let normalization = Normalization::Recording { epsilon: 1e-5 };
    let spec = FeatureSpec { normalization, ..Recipe::Paper.features() };
    let heading = |what: &str| format!("{name}: {what}");
    let pictures = [
        ("waveform", super::waveform(&heading("waveform"), &waveform)?),
        ("spectrogram", super::spectrogram(&heading("spectrogram"), &waveform)?),
        (
            "mfcc",
            super::cepstrum(
                &heading("mel-frequency cepstral coefficients (colours made for 1 and up)"),
                &waveform,
                &spec,
            )?,
        ),
    ];
    fs::create_dir_all(&arguments.out).with_context(|| format!("making {}", arguments.out.display()))?;
    for (what, svg) in pictures {
        let path = arguments.out.join(format!("{name}-{what}.svg"));
        fs::write(&path, svg).with_context(|| format!("writing {}", path.display()))?;
        say(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// The recording's name without its ending, and its first channel.
fn read(file: &Path) -> Result<(String, Waveform)> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let limits = AudioLimits { min_seconds: 0.0, ..AudioLimits::default() };
    let recording = decode(bytes.into(), None, &limits).with_context(|| format!("reading {}", file.display()))?;
    let channels = recording.channels.len();
    let first = recording.channels.into_iter().next();
    let waveform = first.with_context(|| format!("{} has no channels", file.display()))?;
    let stem = file.file_stem().map_or_else(|| "recording".into(), |stem| stem.to_string_lossy().into_owned());
    if channels > 1 {
        tell(format!("{}: the first of {channels} channels", file.display()));
    }
    Ok((stem, waveform))
}

/// Rises by the same interval in each second, at 22 050 Hz, faded in and out over 20 ms.
fn chirp() -> Result<Waveform> {
    const RATE_HZ: u32 = 22_050;
    const SECONDS: f64 = 3.0;
    const FADE_SECONDS: f64 = 0.02;
    let (low_hz, high_hz) = (60.0_f64, 10_000.0_f64);
    let growth = (high_hz / low_hz).ln() / SECONDS;
    let sample = |n: usize| {
        let time = n as f64 / f64::from(RATE_HZ);
        let phase = TAU * low_hz * ((growth * time).exp() - 1.0) / growth;
        let fade = (time.min(SECONDS - time) / FADE_SECONDS).clamp(0.0, 1.0);
        (0.5 * fade * phase.sin()) as f32
    };
    Ok(Waveform::new((0..(SECONDS * f64::from(RATE_HZ)) as usize).map(sample).collect(), RATE_HZ)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chirp_gives_three_pictures_that_are_small_enough_to_send() {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("new");
        plot(&PlotArguments { file: None, chirp: true, out: folder.clone() }).unwrap();
        for what in ["waveform", "spectrogram", "mfcc"] {
            let bytes = fs::metadata(folder.join(format!("chirp-{what}.svg"))).unwrap().len();
            assert!((2_000..400_000).contains(&bytes), "{what} has {bytes} bytes");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let arguments = PlotArguments { file: Some("nowhere.wav".into()), chirp: false, out: "out".into() };
        assert!(plot(&arguments).unwrap_err().to_string().contains("nowhere.wav"));
    }
}
