//! Emotone hears the emotion in a voice.
//!
//! The way of a recording, and with it the reading order of this crate:
//!
//! 1. [`audio`]: bytes become one finite [`audio::Waveform`] a channel, whatever the container.
//! 2. [`features`]: a waveform becomes frames of mel-frequency cepstral coefficients and prosody.
//! 3. [`model`]: a self-describing ONNX file becomes a checked [`model::Classifier`].
//! 4. [`call`]: long recordings and live streams: windows, speech gate, timeline, alerts.
//! 5. [`pipeline`]: the four above in a row, the whole specification on one page.
//! 6. [`http`]: the service around it; [`config`] its settings.
//!
//! Imports point only upwards in this list, and everything above `http` is synchronous and pure:
//! no clock, no environment, no sockets. `registers`, below them all, says how wide vector registers may be.

mod registers;
pub mod audio;
pub mod features;
pub mod model;
pub mod call;
pub mod pipeline;
pub mod config;
pub mod http;
