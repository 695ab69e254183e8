//! Sound that comes in packets.
//!
//! Symphonia is safe Rust and made for untrusted streams, but now and then a fuzzer finds a panic in it. So each call
//! into it (and into the Opus decoder) is guarded: a panic there is a damaged recording here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::errors::Error;
use symphonia::core::units::Duration;

use super::AudioError;
use super::decoder::{Opened, STEP_SAMPLES, Source};
use super::link::{Codec, Container, Link};
use super::opus;
use super::pauses::Pauses;
use super::remix::Remixer;

/// The packets of one track.
pub(super) struct Packets {
    container: Container,
    link: Link,
    /// Parts of an Ogg file that follow this one.
    later: Bytes,
    /// The last decoded packet.
    planes: Vec<Vec<f32>>,
    sample_rate_hz: u32,
    pauses: Pauses,
    /// Seconds of silence before that packet.
    pause_s: f64,
    /// Packets of MP3 that lie beyond the end that its header knows.
    beyond: usize,
}

/// Packets that one step decodes: one or two milliseconds of work.
const STEP_PACKETS: usize = 16;
/// Packets at the end that an encoder may have filled up: 4095 samples of MP3 are less than eight of the shortest.
const MOST_FILLED_PACKETS: usize = 8;
/// After so many packets in a row without a sample, there is nothing to be expected any more.
const MOST_BROKEN_PACKETS: usize = 1000;
/// Packets of other tracks, such as pictures, that are passed by at once.
const MOST_PASSED_PACKETS: usize = 1000;

impl Packets {
    /// Opens the first audio track of a file and decodes up to its first samples.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for another codec, [`AudioError::Invalid`] if there is no track, or not one packet
    /// in it can be decoded.
    pub(super) fn open(container: Container, mut bytes: Bytes) -> Result<Opened, AudioError> {
        guarded(|| {
            let link = Link::open(container, &mut bytes)?;
            let (format, pauses) = (link.format.clone(), Pauses::new());
            let (later, planes) = (bytes, Vec::new());
            let mut packets =
                Self { container, link, later, planes, sample_rate_hz: 0, pauses, pause_s: 0.0, beyond: 0 };
            while packets.planes.iter().all(Vec::is_empty) {
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
                source: Box::new(Track {
                    remixer: Remixer::new(packets.sample_rate_hz),
                    packets,
                    is_pending: true,
                    silence: 0,
                }),
            })
        })
    }

    /// Decodes the next packet that holds samples into `planes`, which stay empty where other tracks go on for long; false at
    /// the end of the track, or of what arrived.
    fn next(&mut self) -> Result<bool, AudioError> {
        self.planes.iter_mut().for_each(Vec::clear);
        let (mut broken, mut passed) = (0, 0);
        while broken < MOST_BROKEN_PACKETS && passed < MOST_PASSED_PACKETS {
            let mut packet = match self.link.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.link.track => packet,
                Ok(Some(_)) => {
                    passed = passed.saturating_add(1);
                    continue;
                }
                // Frames begin anew behind damage; in all else that ends a part of the recording: what came before it is judged.
                Err(Error::DecodeError(_) | Error::Unsupported(_)) if self.container == Container::Adts => {
                    broken = broken.saturating_add(1);
                    continue;
                }
                _ if self.later.is_empty() => return Ok(false),
                _ => match Link::open(self.container, &mut self.later) {
                    Ok(link) => {
                        (self.link, broken) = (link, broken.saturating_add(1));
                        self.pauses.restart();
                        continue;
                    }
                    Err(_) => return Ok(false),
                },
            };
            // Encoders of MP3 fill up the last frames; what is dropped beyond that was recorded, whatever the header counted.
            let is_beyond =
                self.container == Container::Mp3 && packet.trim_end > Duration::ZERO && packet.trim_end >= packet.dur;
            self.beyond = self.beyond.saturating_add(usize::from(is_beyond));
            if is_beyond && self.beyond > MOST_FILLED_PACKETS {
                packet.trim_end = Duration::ZERO;
            }
            match &mut self.link.codec {
                Codec::Opus(stream) => {
                    self.sample_rate_hz = opus::SAMPLE_RATE_HZ;
                    if stream.decode(&packet.data, &mut self.planes) && self.link.exact_durations {
                        let frames = usize::try_from(packet.dur.get()).unwrap_or(usize::MAX);
                        self.planes.iter_mut().for_each(|plane| plane.truncate(frames));
                    }
                }
                Codec::Known(decoder) => match decoder.decode(&packet) {
                    Ok(decoded) => self.sample_rate_hz = take(&decoded, &mut self.planes),
                    Err(Error::ResetRequired) => return Ok(false),
                    // Damage within a packet costs that packet, even if it makes it look like something unknown.
                    Err(_) => {
                        if let Some(mut fresh) = self.link.fresh_decoder(self.container)
                            && let Ok(decoded) = fresh.decode(&packet)
                        {
                            self.sample_rate_hz = take(&decoded, &mut self.planes);
                            self.link.codec = Codec::Known(fresh);
                        }
                    }
                },
            }
            let frames = self.planes.first().map_or(0, Vec::len);
            if frames > 0 {
                let heard_s = frames as f64 / f64::from(self.sample_rate_hz.max(1));
                let pause = |time_base| self.pauses.before(packet.pts, time_base, heard_s);
                self.pause_s = self.link.time_base.map_or(0.0, pause);
                return Ok(true);
            }
            broken = broken.saturating_add(1);
        }
        Ok(passed == MOST_PASSED_PACKETS)
    }
}

/// A track as a source of samples of one rate and number of channels, pauses included.
struct Track {
    packets: Packets,
    remixer: Remixer,
    /// Whether a packet is decoded and not given out.
    is_pending: bool,
    /// Samples a channel, at the packet's rate, that are missing before it.
    silence: usize,
}

impl Source for Track {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        guarded(|| {
            for _ in 0..STEP_PACKETS {
                if !self.is_pending && !self.packets.next()? {
                    self.remixer.finish(channels)?;
                    return Ok(false);
                }
                let rate_hz = self.packets.sample_rate_hz;
                let pause_s = std::mem::take(&mut self.packets.pause_s);
                self.silence = self.silence.saturating_add((pause_s * f64::from(rate_hz)) as usize);
                self.is_pending = self.silence > 0;
                if self.is_pending {
                    let piece = self.silence.min(STEP_SAMPLES.checked_div(channels.len()).unwrap_or(0));
                    self.silence = self.silence.saturating_sub(piece);
                    self.remixer.append(&[vec![0.0; piece]], rate_hz, channels)?;
                    return Ok(true);
                }
                self.remixer.append(&self.packets.planes, rate_hz, channels)?;
            }
            Ok(true)
        })
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
