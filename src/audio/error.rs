//! Why bytes are no recording that can be judged.

/// Everything that can be wrong with audio somebody sent. Each message names the limit and what came.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AudioError {
    /// The bytes are not audio, or in a codec that is not supported.
    #[error("not supported: {what}")]
    Unsupported {
        /// What was seen instead.
        what: String,
    },
    /// Audio by its looks, but damaged or absurd.
    #[error("invalid audio: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// Shorter than can be judged.
    #[error("clip lasts {} s, at least {limit} s is needed", (seconds * 1000.0).floor() / 1000.0)]
    TooShort {
        /// Duration of the clip, in seconds.
        seconds: f64,
        /// The least that is needed, in seconds.
        limit: f64,
    },
    /// Longer than this service accepts.
    #[error("recording lasts more than {limit} s, the longest that is accepted")]
    TooLong {
        /// The most that is accepted, in seconds.
        limit: f64,
    },
}
