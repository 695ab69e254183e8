//! What the features of a model are, as its file says it.

use serde::{Deserialize, Serialize};

use super::FeatureError;

/// Everything that turns a waveform into a model's input. Stored in the model as `emotone.features`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// Rate the waveform is resampled to, in Hz.
    pub sample_rate: u32,
    /// Coefficient of `y[n] = x[n] - a·x[n-1]` in [0, 1); 0 leaves the signal as it is.
    #[serde(default)]
    pub pre_emphasis: f32,
    /// FFT and window length in samples, even.
    pub n_fft: usize,
    /// Distance of two frames in samples.
    pub hop: usize,
    /// Number of mel bands.
    pub n_mels: usize,
    /// Lower edge of the first mel band, in Hz.
    #[serde(default)]
    pub fmin: f32,
    /// Upper edge of the last mel band, in Hz.
    pub fmax: f32,
    /// Cepstral coefficients kept, `1..=n_mels`.
    pub n_mfcc: usize,
    /// Levels further than this below the loudest are raised to it, in dB; `None` keeps them, and must be written as null.
    #[serde(deserialize_with = "Option::deserialize")]
    pub top_db: Option<f32>,
    /// Frames of the model's input.
    pub frames: usize,
    /// How values are brought to zero mean and unit variance.
    #[serde(flatten)]
    pub normalization: Normalization,
    /// What follows a recording shorter than `frames`.
    pub padding: Padding,
    /// What lies beyond the first and last sample, for frames are centred on their time.
    #[serde(default)]
    pub boundary: Boundary,
    /// Columns beside the cepstral coefficients, in input order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
}

/// How features are standardized, column by column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "normalization", rename_all = "snake_case")]
pub enum Normalization {
    /// `(x - mean) / std` with figures of the training set.
    Global {
        /// Mean of each column.
        mean: Vec<f32>,
        /// Standard deviation of each column.
        std: Vec<f32>,
    },
    /// `(x - mean) / (std + epsilon)` with figures of the window itself for the cepstral coefficients; further columns
    /// by the fixed figures of [`Column::typical`].
    Recording {
        /// Added to the standard deviation, in the unit of the column.
        epsilon: f32,
    },
}

/// How a window shorter than the model's input is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// By zeros, after standardization.
    Zero,
    /// By itself, over and over.
    Repeat,
}

/// What a frame that reaches over the edge of the recording sees there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// Silence, as librosa pads since 0.10.
    #[default]
    Zero,
    /// The signal mirrored at its edge sample.
    Reflect,
}

/// A feature beside the cepstral coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Natural logarithm of pitch over the median pitch of the window's voiced frames.
    RelativeLogPitch,
    /// Natural logarithm of pitch in Hz over 100 Hz; interpolated through unvoiced frames.
    LogPitch,
    /// Change of log pitch in 1/s: slope of a line through five frames.
    PitchSlope,
    /// Periodicity in [0, 1]: 1 minus the normalized difference at the pitch lag.
    Voicing,
    /// Level of the frame within `fmin..=fmax` in dB relative to the window's loudest frame, at most 0.
    Energy,
}

impl Column {
    /// Mean and standard deviation over the frames of ordinary speech, in the unit of the column: what brings it to a
    /// scale near 1 where a recording's own figures must not.
    pub fn typical(self) -> (f32, f32) {
        match self {
            Column::RelativeLogPitch => (0.0, 0.25),
            Column::LogPitch => (0.6, 0.45),
            Column::PitchSlope => (0.0, 2.0),
            Column::Voicing => (0.7, 0.25),
            Column::Energy => (-25.0, 15.0),
        }
    }

    /// Whether the pitch of the frames must be known.
    pub fn needs_pitch(self) -> bool {
        match self {
            Column::RelativeLogPitch | Column::LogPitch | Column::PitchSlope | Column::Voicing => true,
            Column::Energy => false,
        }
    }
}

/// Least rate at which pitch is looked for, in Hz.
const LEAST_PITCH_RATE: u32 = 4_000;

impl FeatureSpec {
    /// Values in each frame: cepstral coefficients and further columns.
    pub fn width(&self) -> usize {
        self.n_mfcc + self.columns.len()
    }

    /// Whether a column needs the pitch of the frames.
    pub fn needs_pitch(&self) -> bool {
        self.columns.iter().any(|column| column.needs_pitch())
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// [`FeatureError::BadSetting`] names the first that does not.
    pub fn check(&self) -> Result<(), FeatureError> {
        let bad = |setting, problem: String| Err(FeatureError::BadSetting { setting, problem });
        let nyquist = self.sample_rate as f32 / 2.0;
        if !(1_000..=192_000).contains(&self.sample_rate) {
            return bad("sample_rate", format!("is {} Hz, 1000 to 192000 is possible", self.sample_rate));
        }
        if !(0.0..1.0).contains(&self.pre_emphasis) {
            return bad("pre_emphasis", format!("is {}, it must be in [0, 1)", self.pre_emphasis));
        }
        if !(16..=65_536).contains(&self.n_fft) || !self.n_fft.is_multiple_of(2) {
            return bad("n_fft", format!("is {}, an even number from 16 to 65536 is possible", self.n_fft));
        }
        if !(1..=self.n_fft).contains(&self.hop) {
            return bad("hop", format!("is {}, 1 to n_fft is possible", self.hop));
        }
        if !(1..=1_024).contains(&self.n_mels) {
            return bad("n_mels", format!("is {}, 1 to 1024 is possible", self.n_mels));
        }
        let band_fits = 0.0 <= self.fmin && self.fmin < self.fmax && self.fmax <= nyquist;
        if !band_fits {
            return bad(
                "fmax",
                format!("and fmin are {} and {} Hz, 0 <= fmin < fmax <= {nyquist} is needed", self.fmax, self.fmin),
            );
        }
        if !(1..=self.n_mels).contains(&self.n_mfcc) {
            return bad("n_mfcc", format!("is {}, 1 to n_mels is possible", self.n_mfcc));
        }
        if self.top_db.is_some_and(|top| top.is_nan() || top <= 0.0) {
            return bad("top_db", "must be above 0 dB".into());
        }
        if !(1..=100_000).contains(&self.frames) {
            return bad("frames", format!("is {}, 1 to 100000 is possible", self.frames));
        }
        if self.needs_pitch() && self.sample_rate < LEAST_PITCH_RATE {
            return bad("columns", format!("need pitch, which needs a sample_rate of {LEAST_PITCH_RATE} Hz at least"));
        }
        match &self.normalization {
            Normalization::Global { mean, std } => {
                if mean.len() != self.width() || std.len() != self.width() {
                    return bad(
                        "mean",
                        format!("and std have {} and {} values, {} are needed", mean.len(), std.len(), self.width()),
                    );
                }
                if !std.iter().all(|value| *value > 0.0 && value.is_finite())
                    || !mean.iter().all(|value| value.is_finite())
                {
                    return bad("std", "must be positive, and all finite".into());
                }
            }
            Normalization::Recording { epsilon } => {
                if !(*epsilon > 0.0 && epsilon.is_finite()) {
                    return bad("epsilon", format!("is {epsilon}, it must be above 0"));
                }
            }
        }
        Ok(())
    }
}
