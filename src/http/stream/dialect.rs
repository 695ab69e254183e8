//! What a caller's frames mean, whoever sends them.

use super::plain::Plain;
use super::twilio::Twilio;

/// A frame that can't be understood; the text is for its sender.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BadFrame(pub String);

/// What a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To go on; sound that it brought has been appended.
    GoOn,
    /// To end the call.
    Stop,
}

/// How a call's frames are to be read.
#[derive(Debug)]
pub enum Dialect {
    /// Binary frames of samples, and a few words of JSON.
    Plain(Plain),
    /// Twilio Media Streams.
    Twilio(Twilio),
}

impl Dialect {
    /// Reads a text frame. Sound that it brings is appended to `sound`, one vector a channel, in [-1, 1].
    ///
    /// # Errors
    /// [`BadFrame`]; the call can go on.
    pub fn text(&mut self, text: &str, sound: &mut [Vec<f32>]) -> Result<Wish, BadFrame> {
        match self {
            Dialect::Plain(plain) => plain.text(text),
            Dialect::Twilio(twilio) => twilio.text(text, sound),
        }
    }

    /// Reads a binary frame.
    ///
    /// # Errors
    /// [`BadFrame`]; the call can go on.
    pub fn binary(&mut self, bytes: &[u8], sound: &mut [Vec<f32>]) -> Result<(), BadFrame> {
        match self {
            Dialect::Plain(plain) => {
                plain.binary(bytes, sound);
                Ok(())
            }
            Dialect::Twilio(_) => Err(BadFrame("a binary frame among Twilio's".into())),
        }
    }

    /// Appends what was held back for its order.
    pub fn finish(&mut self, sound: &mut [Vec<f32>]) {
        if let Dialect::Twilio(twilio) = self {
            twilio.finish(sound);
        }
    }

    /// Name of a channel, where the dialect has one.
    pub fn track(&self, channel: usize) -> Option<&'static str> {
        match self {
            Dialect::Plain(_) => None,
            Dialect::Twilio(_) => ["inbound", "outbound"].get(channel).copied(),
        }
    }
}
