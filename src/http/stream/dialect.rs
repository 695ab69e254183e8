//! What a caller's frames mean, whoever sends them.

use std::fmt::Display;

use super::plain::Plain;
use super::twilio::Twilio;

/// Longest text of a [`BadFrame`], in characters.
const LONGEST_TEXT: usize = 200;

/// A frame that can't be understood; the text is for its sender, who may have written most of it: a little of that is enough
/// for frames and logs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BadFrame(String);

impl BadFrame {
    /// Says what is wrong, cut to 200 characters.
    pub fn new(problem: impl Display) -> Self {
        let mut problem = problem.to_string();
        if let Some((end, _)) = problem.char_indices().nth(LONGEST_TEXT) {
            problem.truncate(end);
            problem.push('\u{2026}');
        }
        Self(problem)
    }
}

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
            Dialect::Twilio(_) => Err(BadFrame::new("a binary frame among Twilio's")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_wrote_is_repeated_in_part() {
        assert_eq!(BadFrame::new("`\u{e9}` means nothing here").to_string(), "`\u{e9}` means nothing here");
        let exact = "\u{e9}".repeat(LONGEST_TEXT);
        assert_eq!(BadFrame::new(&exact).to_string(), exact);
        assert_eq!(BadFrame::new(exact.repeat(600)).to_string(), exact + "\u{2026}");
    }
}
