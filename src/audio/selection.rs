//! The packets of one track, whichever part of a file they lie in.

use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::AudioError;
use super::ends::Ends;
use super::link::{Container, Link};
use super::parts::{Part, Parts};

/// One part after the other.
pub(super) struct Selection {
    parts: Parts,
    pub(super) link: Link,
    ends: Ends,
    /// Whether nothing more comes from the present part.
    is_over: bool,
    /// Errors in a row.
    errors: usize,
}

/// After so many errors in a row a part is over.
const MOST_ERRORS: usize = 500;

/// What came next.
pub(super) enum Next {
    /// A packet of the track.
    Packet(Packet),
    /// One of another track, or one that has to wait.
    Other,
    /// Damage, or another part, which may not be readable.
    Damage,
    /// Another file, whose times have nothing to do with those before.
    File,
    End,
}

impl Selection {
    /// Opens the first part.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub(super) fn open(mut parts: Parts) -> Result<Self, AudioError> {
        let nothing = || AudioError::Invalid { reason: "it holds nothing".into() };
        let (container, part) = (parts.container, parts.next().ok_or_else(nothing)?);
        let link = Link::open(container, part)?;
        Ok(Self { parts, link, ends: Ends::new(container), is_over: false, errors: 0 })
    }

    /// Reads a packet at most.
    pub(super) fn next(&mut self) -> Next {
        if let Some(packet) = self.ends.pop() {
            return Next::Packet(packet);
        }
        if self.is_over {
            return self.parts.next().map_or(Next::End, |part| self.go_on(part));
        }
        let read = self.link.reader.next_packet();
        self.errors = if read.is_ok() { 0 } else { self.errors.saturating_add(1) };
        match read {
            Ok(Some(packet)) if packet.track_id == self.link.track => {
                self.ends.push(packet);
                self.ends.pop().map_or(Next::Other, Next::Packet)
            }
            Ok(Some(_)) => Next::Other,
            // Packets begin anew behind damage. In all else that ends a part of the recording: what came before it is judged.
            Err(Error::DecodeError(_) | Error::Unsupported(_))
                if self.parts.container.goes_on_behind_damage() && self.errors < MOST_ERRORS =>
            {
                Next::Damage
            }
            _ => {
                self.ends.finish();
                self.is_over = true;
                Next::Damage
            }
        }
    }

    fn go_on(&mut self, part: Part) -> Next {
        let goes_on = part.goes_on;
        let opened = match goes_on {
            true => self.link.go_on(self.parts.container, part),
            false => Link::open(self.parts.container, part).map(|link| self.link = link),
        };
        self.is_over = opened.is_err();
        if goes_on || self.is_over { Next::Damage } else { Next::File }
    }

    /// Which kind of file it is.
    pub(super) fn container(&self) -> Container {
        self.parts.container
    }
}
