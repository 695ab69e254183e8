//! Containers and codecs that Symphonia knows.
//!
//! Symphonia is safe Rust and made for untrusted streams, but now and then a fuzzer finds a panic in it. So each call
//! into it (and into the Opus decoder) is guarded: a panic there is a damaged recording here.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::units::{Duration, TimeBase};
use symphonia::default::formats::{AdtsReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader};

use super::decoder::{Opened, Source, append};
use super::opus::{self, OpusStream};
use super::{AudioError, mp4, ogg};

/// Containers by their looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Flac,
    Ogg,
    Mp3,
    Adts,
    Mp4,
    Matroska,
}

impl Container {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Mp3 => "MP3",
            Self::Adts => "AAC",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska or WebM",
        }
    }

    /// Whether it is nothing but frames, one after the other.
    pub(super) fn is_mpeg(self) -> bool {
        matches!(self, Self::Mp3 | Self::Adts)
    }

    fn reader(self, bytes: Bytes) -> Result<Box<dyn FormatReader>, Error> {
        // Readers that know how long a file is refuse one that was cut, since its parts reach beyond the end; that of MP3 guesses
        // from its first frames how many there are, and drops the rest.
        let (bytes, forwards_only) = match self {
            Self::Ogg | Self::Matroska | Self::Mp3 => (bytes, true),
            Self::Mp4 => mp4::whole_boxes(bytes),
            Self::Flac | Self::Adts => (bytes, false),
        };
        let source: Box<dyn MediaSource> = match forwards_only {
            true => Box::new(ReadOnlySource::new(Cursor::new(bytes))),
            false => Box::new(Cursor::new(bytes)),
        };
        let stream = MediaSourceStream::new(source, Default::default());
        let options = FormatOptions::default();
        Ok(match self {
            Self::Flac => Box::new(FlacReader::try_new(stream, options)?),
            Self::Ogg => Box::new(OggReader::try_new(stream, options)?),
            Self::Mp3 => Box::new(MpaReader::try_new(stream, options)?),
            Self::Adts => Box::new(AdtsReader::try_new(stream, options)?),
            Self::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options)?),
            Self::Matroska => Box::new(MkvReader::try_new(stream, options)?),
        })
    }
}

/// The packets of one track.
pub(super) struct Packets {
    container: Container,
    link: Link,
    /// Parts of an Ogg file that follow this one.
    later: Bytes,
    /// The last decoded packet.
    planes: Vec<Vec<f32>>,
    sample_rate_hz: u32,
    /// Whether `planes` are still to be given out.
    pending: bool,
    /// Packets of MP3 that lie beyond the end that its header knows.
    beyond: usize,
}

/// A file, or one of several Ogg files in a row.
struct Link {
    reader: Box<dyn FormatReader>,
    track: u32,
    /// Whether packets say their duration in samples of Opus.
    exact_durations: bool,
    format: String,
    codec: Codec,
}

enum Codec {
    Known(Box<dyn AudioDecoder>),
    Opus(Box<OpusStream>),
}

/// Packets that one step decodes: one or two milliseconds of work.
const STEP_PACKETS: usize = 16;
/// Packets at the end that an encoder may have filled up: 4095 samples of MP3 are less than eight of the shortest.
const MOST_FILLED_PACKETS: usize = 8;
/// After so many packets in a row without a sample, there is nothing to be expected any more.
const MOST_BROKEN_PACKETS: usize = 1000;
/// Packets of other tracks, such as pictures, that are passed by at once.
const MOST_PASSED_PACKETS: usize = 1000;
/// Largest Vorbis setup header, in bytes. Encoders write below 10 kB; a byte of it can ask for 1 kB of memory.
const MOST_VORBIS_SETUP_BYTES: usize = 32 * 1024;

impl Packets {
    /// Opens the first audio track of a file and decodes up to its first samples.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for another codec, [`AudioError::Invalid`] if there is no track, or not one packet
    /// in it can be decoded.
    pub(super) fn open(container: Container, mut bytes: Bytes) -> Result<Opened, AudioError> {
        guarded(|| {
            let link = Link::open(container, &mut bytes)?;
            let (format, planes) = (link.format.clone(), Vec::new());
            let mut packets =
                Self { container, link, later: bytes, planes, sample_rate_hz: 0, pending: true, beyond: 0 };
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
                source: Box::new(packets),
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
                    Ok(decoded) => {
                        self.sample_rate_hz = decoded.spec().rate();
                        decoded.copy_to_vecs_planar(&mut self.planes);
                    }
                    Err(Error::ResetRequired) => return Ok(false),
                    // Damage within a packet costs that packet, even if it makes it look like something unknown.
                    Err(_) => {}
                },
            }
            if self.planes.iter().any(|plane| !plane.is_empty()) {
                return Ok(true);
            }
            broken = broken.saturating_add(1);
        }
        Ok(passed == MOST_PASSED_PACKETS)
    }
}

impl Link {
    /// Takes the first part of `bytes`: all of them but for Ogg files in a row.
    fn open(container: Container, bytes: &mut Bytes) -> Result<Self, AudioError> {
        let end = if container == Container::Ogg { ogg::first_end(bytes) } else { bytes.len() };
        let reader = container.reader(bytes.split_to(end)).map_err(|error| refusal(container, &error))?;
        let track = reader.default_track(TrackType::Audio).ok_or_else(|| AudioError::Invalid {
            reason: format!("it is a {} file without an audio track", container.name()),
        })?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.cloned().unwrap_or_default();
        let (track, exact_durations) = (track.id, counts_opus_samples(track));
        let (format, codec) = Codec::open(container, &parameters)?;
        Ok(Self { reader, track, exact_durations, format, codec })
    }
}

impl Source for Packets {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        let rate = self.sample_rate_hz;
        guarded(|| {
            for _ in 0..STEP_PACKETS {
                let more = std::mem::take(&mut self.pending) || self.next()?;
                // A recording whose rate or channels change ends there; planes without samples have not changed it.
                if !more || self.planes.len() != channels.len() || self.sample_rate_hz != rate {
                    return Ok(false);
                }
                append(&self.planes, channels)?;
            }
            Ok(true)
        })
    }
}

impl Codec {
    fn open(container: Container, parameters: &AudioCodecParameters) -> Result<(String, Self), AudioError> {
        let setup = parameters.extra_data.as_deref().unwrap_or_default();
        if parameters.codec == CODEC_ID_OPUS {
            return Ok(("opus".into(), Self::Opus(Box::new(OpusStream::open(setup)?))));
        }
        if parameters.codec == CODEC_ID_VORBIS && setup.len() > MOST_VORBIS_SETUP_BYTES {
            let reason = format!("its Vorbis setup has {} bytes, more than any encoder writes", setup.len());
            return Err(AudioError::Invalid { reason });
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| refusal(container, &error))?;
        Ok((decoder.codec_info().short_name.into(), Self::Known(decoder)))
    }
}

/// Whether durations of the track's packets count samples at the rate of Opus.
fn counts_opus_samples(track: &Track) -> bool {
    track.time_base == TimeBase::try_from_recip(opus::SAMPLE_RATE_HZ)
}

fn refusal(container: Container, error: &Error) -> AudioError {
    let name = container.name();
    match error {
        // Some write their table of contents at the end, where a file that was cut has none.
        Error::Unsupported(missing) if missing.contains("missing moov") => {
            AudioError::Invalid { reason: format!("its {name} table of contents did not arrive") }
        }
        Error::Unsupported(feature) => AudioError::Unsupported { what: format!("a {name} file, of which {feature}") },
        Error::IoError(_) => AudioError::Invalid { reason: format!("its {name} header is cut off") },
        Error::DecodeError(problem) | Error::LimitError(problem) => {
            AudioError::Invalid { reason: format!("its {name} header is damaged: {problem}") }
        }
        _ => AudioError::Invalid { reason: format!("its {name} header cannot be read") },
    }
}

/// Runs code of codec libraries.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    // After a panic the recording is refused, and whatever half-read state is left of it with it.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(AudioError::Invalid { reason: "it is damaged in a way that its decoder does not know".into() })
    })
}
