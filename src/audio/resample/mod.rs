//! From the recording's rate to the model's: band-limited, without delay, the same however the input is cut.
//!
//! Two stages, both linear in phase. A block stage filters and changes the rate by a ratio of small numbers in the
//! frequency domain (overlap-save, two blocks as one of complex numbers); a fractional stage, where one is needed, goes
//! from there to the exact rate with a short polyphase kernel, which can be short because the first stage left the band
//! around it empty.
//!
//! The passband reaches to 91.3 % of the lower Nyquist frequency and the stop band starts at that frequency, as in
//! soxr's "high quality"; ripple and aliases stay below -80 dB, which the tests measure. A live stream waits for a pair of
//! blocks, up to 0.22 s (at 8 kHz and above).
//!
//! Why not rubato 5: its FFT resampler needs blocks of 12207 samples (3 x 13 x 313) for the 24414 Hz of TESS, which
//! means half a second of latency, and took 495 us for a 2 s clip to 8 kHz where the first form of this code took 300 and
//! soxr 880; its sinc resampler designs 4 MB of filters in 55 ms for the same pair, for every single stream, since instances
//! cannot share them.

mod stream;
mod blocks;
mod plan;
mod fraction;
mod ratio;
mod design;
#[cfg(test)]
mod quality;

pub use stream::{Resampler, resample};
