//! Sound that comes in packets.
//!
//! Symphonia is safe Rust and made for untrusted streams, but now and then a fuzzer finds a panic in it. So each call
//! into it (and into the Opus decoder) is guarded: a panic there is a damaged recording here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::packet::Packet;

use super::AudioError;
use super::decoder::Opened;
use super::link::{Codec, Container};
use super::opus;
use super::parts::Parts;
use super::pauses::Pauses;
use super::selection::{Next, Selection};
use super::track::Track;

/// The packets of one track, decoded.
pub(super) struct Packets {
    selection: Selection,
    /// The last decoded packet.
    pub(super) planes: Vec<Vec<f32>>,
    /// Its rate, in Hz.
    pub(super) sample_rate_hz: u32,
    pauses: Pauses,
    /// Seconds of silence before that packet.
    pub(super) pause_s: f64,
}

/// After so many packets in a row without a sample, there is nothing to be expected any more.
const MOST_BROKEN_PACKETS: usize = 1000;
/// Packets that are not heard, such as those of pictures, that are passed by at once.
const MOST_PASSED_PACKETS: usize = 1000;

impl Packets {
    /// Opens the first audio track of a file and decodes up to its first samples.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for another codec, [`AudioError::Invalid`] if there is no track, or not one packet
    /// in it can be decoded.
    pub(super) fn open(container: Container, bytes: Bytes) -> Result<Opened, AudioError> {
        guarded(|| {
            let selection = Selection::open(Parts::new(container, bytes))?;
            let format = selection.link.format.clone();
            let (planes, pauses) = (Vec::new(), Pauses::new());
            let mut packets = Self { selection, planes, sample_rate_hz: 0, pauses, pause_s: 0.0 };
            // What is cut away at the beginning tells rate and channels as well.
            while packets.planes.iter().all(Vec::is_empty) && !packets.is_cut_and_known() {
                if !packets.next()? {
                    let reason = format!("its {} container holds nothing that can be decoded", container.name());
                    return Err(AudioError::Invalid { reason });
                }
            }
            Ok(Opened {
                format,
                sample_rate_hz: packets.sample_rate_hz,
                channels: u16::try_from(packets.planes.len()).unwrap_or(u16::MAX),
                frames: None,
                source: Box::new(Track::new(packets)),
            })
        })
    }

    fn is_cut_and_known(&self) -> bool {
        self.selection.link.edits.is_some() && self.sample_rate_hz > 0
    }

    /// Decodes the next packet that holds samples into `planes`, which stay empty where other tracks, or what was cut away, go
    /// on for long; false at the end of the track, or of what arrived.
    pub(super) fn next(&mut self) -> Result<bool, AudioError> {
        self.planes.iter_mut().for_each(Vec::clear);
        let (mut broken, mut passed) = (0, 0);
        while broken < MOST_BROKEN_PACKETS && passed < MOST_PASSED_PACKETS {
            let packet = match self.selection.next() {
                Next::Packet(packet) => packet,
                Next::Other => {
                    passed = passed.saturating_add(1);
                    continue;
                }
                Next::File => {
                    self.pauses.restart();
                    broken = broken.saturating_add(1);
                    continue;
                }
                Next::Damage => {
                    broken = broken.saturating_add(1);
                    continue;
                }
                Next::End => return Ok(false),
            };
            if self.is_skipped(&packet) {
                passed = passed.saturating_add(1);
                continue;
            }
            self.decode(&packet);
            let decoded = self.frames();
            let heard_at_s = self.cut(&packet);
            if self.frames() > 0 {
                let lasts_s = self.frames() as f64 / f64::from(self.sample_rate_hz.max(1));
                self.pause_s = heard_at_s.map_or(0.0, |starts_s| self.pauses.before(starts_s, lasts_s));
                return Ok(true);
            }
            let count = if decoded > 0 { &mut passed } else { &mut broken };
            *count = count.saturating_add(1);
        }
        Ok(passed == MOST_PASSED_PACKETS)
    }

    /// Samples a channel of the last decoded packet.
    fn frames(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Whether a packet lies where nothing is heard of the track.
    fn is_skipped(&self, packet: &Packet) -> bool {
        let link = &self.selection.link;
        let (Some(edits), Some(starts_s)) = (&link.edits, link.seconds(packet.pts)) else { return false };
        let ends_s = link.seconds(packet.pts.saturating_add(packet.dur)).unwrap_or(starts_s);
        self.sample_rate_hz > 0 && (edits.are_over(starts_s) || edits.skip(ends_s))
    }

    /// Decodes a packet into `planes`, which stay empty if it is broken.
    fn decode(&mut self, packet: &Packet) {
        let container = self.selection.container();
        let link = &mut self.selection.link;
        match &mut link.codec {
            Codec::Opus(stream) => {
                self.sample_rate_hz = opus::SAMPLE_RATE_HZ;
                if stream.decode(&packet.data, &mut self.planes) && link.exact_durations {
                    let frames = usize::try_from(packet.dur.get()).unwrap_or(usize::MAX);
                    self.planes.iter_mut().for_each(|plane| plane.truncate(frames));
                }
            }
            Codec::Known(decoder) => match decoder.decode(packet) {
                Ok(decoded) => self.sample_rate_hz = take(&decoded, &mut self.planes),
                // Damage within a packet costs that packet, even if it makes it look like something unknown.
                Err(_) => {
                    if let Some(mut fresh) = link.fresh_decoder(container)
                        && let Ok(decoded) = fresh.decode(packet)
                    {
                        self.sample_rate_hz = take(&decoded, &mut self.planes);
                        link.codec = Codec::Known(fresh);
                    }
                }
            },
        }
    }

    /// Leaves of the packet what is to be heard, and tells when that begins, in seconds, where packets have times.
    fn cut(&mut self, packet: &Packet) -> Option<f64> {
        let link = &mut self.selection.link;
        let starts_s = link.seconds(packet.pts)?;
        let Some(edits) = &mut link.edits else { return Some(starts_s) };
        Some(edits.cut(starts_s, self.sample_rate_hz, &mut self.planes))
    }
}

/// Takes the samples over, and tells their rate in Hz.
fn take(decoded: &GenericAudioBufferRef, planes: &mut Vec<Vec<f32>>) -> u32 {
    decoded.copy_to_vecs_planar(planes);
    decoded.spec().rate()
}

/// Runs code of codec libraries.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    // After a panic the recording is refused, and whatever half-read state is left of it with it.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(AudioError::Invalid { reason: "it is damaged in a way that its decoder does not know".into() })
    })
}
