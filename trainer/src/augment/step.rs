//! Each change with its figures, as it is written beside the model.

use emotone::audio::{AudioError, Waveform, resample};
use serde::{Deserialize, Serialize};

use super::{Babble, Band, Color, Law, PacketLoss};

/// One change to a recording. A list of them, applied in order, is all there is to know about a copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are the arguments of the function of the same name")]
pub enum Step {
    /// [`speed`](super::speed)
    Speed { percent: u32 },
    /// [`pitch`](super::pitch)
    Pitch { percent: u32 },
    /// [`tempo`](super::tempo)
    Tempo { percent: u32 },
    /// [`crop`](super::crop)
    Crop { start: f32, end: f32 },
    /// [`surround`](super::surround)
    Surround { before_seconds: f32, after_seconds: f32 },
    /// [`reverberate`](super::reverberate)
    Reverberate { rt60_seconds: f32, direct_db: f32, seed: u64 },
    /// [`add_noise`](super::add_noise)
    AddNoise { kind: NoiseKind, snr_db: f32, seed: u64 },
    /// [`equalize`](super::equalize)
    Equalize { bands: Vec<Band> },
    /// [`set_level`](super::set_level)
    SetLevel { dbfs: f32 },
    /// [`clip`](super::clip)
    Clip { drive_db: f32 },
    /// Resampling to a rate in Hz.
    Resample { rate_hz: u32 },
    /// [`band_limit`](super::band_limit)
    BandLimit { low_hz: f32, high_hz: f32 },
    /// A telephone's codec.
    Code { codec: Codec },
    /// [`lose_packets`](super::lose_packets)
    LosePackets { loss: PacketLoss, seed: u64 },
}

/// Where noise comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseKind {
    /// A generator.
    Colored(Color),
    /// That many other people.
    Babble(usize),
}

/// What a telephone makes of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// A line.
    G711(Law),
    /// A mobile phone.
    Gsm,
    /// A mobile phone that is heard over a line.
    GsmThenG711(Law),
}

impl Step {
    /// The recording after this change; `babble` without `speaker` is the background, where there is one.
    ///
    /// # Errors
    /// [`AudioError`] of the change.
    pub fn apply(&self, waveform: &Waveform, babble: &Babble, speaker: &str) -> Result<Waveform, AudioError> {
        match self {
            Step::Speed { percent } => super::speed(waveform, *percent),
            Step::Pitch { percent } => super::pitch(waveform, *percent),
            Step::Tempo { percent } => super::tempo(waveform, *percent),
            Step::Crop { start, end } => super::crop(waveform, *start, *end),
            Step::Surround { before_seconds, after_seconds } => {
                super::surround(waveform, *before_seconds, *after_seconds)
            }
            Step::Reverberate { rt60_seconds, direct_db, seed } => {
                super::reverberate(waveform, *rt60_seconds, *direct_db, *seed)
            }
            Step::AddNoise { kind, snr_db, seed } => {
                let samples = waveform.samples().len();
                let noise = match kind {
                    NoiseKind::Colored(color) => super::noise(*color, samples, *seed),
                    NoiseKind::Babble(talkers) => {
                        babble.mix(samples, waveform.sample_rate_hz(), *talkers, speaker, *seed)?
                    }
                };
                super::add_noise(waveform, &noise, *snr_db)
            }
            Step::Equalize { bands } => super::equalize(waveform, bands),
            Step::SetLevel { dbfs } => super::set_level(waveform, *dbfs),
            Step::Clip { drive_db } => super::clip(waveform, *drive_db),
            Step::Resample { rate_hz } => resample(waveform, *rate_hz),
            Step::BandLimit { low_hz, high_hz } => super::band_limit(waveform, *low_hz, *high_hz),
            Step::Code { codec: Codec::G711(law) } => super::compand(waveform, *law),
            Step::Code { codec: Codec::Gsm } => super::gsm(waveform),
            Step::Code { codec: Codec::GsmThenG711(law) } => super::compand(&super::gsm(waveform)?, *law),
            Step::LosePackets { loss, seed } => super::lose_packets(waveform, loss, *seed),
        }
    }
}
