//! Which packets lose their ends, as encoders ask for that filled up the last.
//!
//! Readers tell of each packet how much of it lies beyond the end that a header or a page counts. Those counts are often
//! wrong, or of the first of several recordings. So such a packet is held until it is known what follows it.

use std::collections::VecDeque;

use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use super::link::Container;

/// Packets at the end that an encoder may have filled up: 4095 samples of MP3 are less than eight of the shortest.
const MOST_FILLED_PACKETS: usize = 8;

/// Packets on their way to be decoded, in their order.
pub(super) struct Ends {
    container: Container,
    /// Those that lose something, or follow one that does.
    held: VecDeque<Packet>,
    ready: VecDeque<Packet>,
    /// What the header counts is not what there is.
    is_miscounted: bool,
}

impl Ends {
    pub(super) fn new(container: Container) -> Self {
        Self { container, held: VecDeque::new(), ready: VecDeque::new(), is_miscounted: false }
    }

    /// The next packet that it is known of.
    pub(super) fn pop(&mut self) -> Option<Packet> {
        self.ready.pop_front()
    }

    /// Another packet of the same part.
    pub(super) fn push(&mut self, packet: Packet) {
        match self.container {
            // Of Ogg only a stream's last page counts (RFC 7845, section 4.4). Its packets' times follow each other; those of
            // the next page begin where this one claims to end, which is earlier where packets lose something.
            Container::Ogg => {
                if self.held.back().is_some_and(|last| last.pts.saturating_add(last.block_dur()) != packet.pts) {
                    self.release_whole();
                }
            }
            // What is dropped beyond what may be filled up was recorded, whatever the header counted.
            Container::Mp3 => {
                self.is_miscounted |= self.held.len() >= MOST_FILLED_PACKETS;
                if self.is_miscounted {
                    self.release_whole();
                    return self.ready.push_back(whole(packet));
                }
            }
            _ => return self.ready.push_back(packet),
        }
        if self.held.is_empty() && packet.trim_end == Duration::ZERO {
            self.ready.push_back(packet);
        } else {
            self.held.push_back(packet);
        }
    }

    /// The part is over: what is held is its end.
    pub(super) fn finish(&mut self) {
        self.ready.append(&mut self.held);
        self.is_miscounted = false;
    }

    fn release_whole(&mut self) {
        self.ready.extend(self.held.drain(..).map(whole));
    }
}

fn whole(mut packet: Packet) -> Packet {
    packet.dur = packet.dur.saturating_add(packet.trim_end);
    packet.trim_end = Duration::ZERO;
    packet
}
