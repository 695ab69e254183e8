//! Containers and codecs that Symphonia knows, opened.

use std::io::{Cursor, Read};

use bytes::Bytes;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::units::{TimeBase, Timestamp};
use symphonia::default::formats::{AdtsReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader};

use super::opus::{self, OpusStream};
use super::parts::Part;
use super::{AudioError, mp4};

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

    fn has_times(self) -> bool {
        matches!(self, Self::Ogg | Self::Mp4 | Self::Matroska)
    }

    /// Whether packets can be told from each other behind one that makes no sense.
    pub(super) fn goes_on_behind_damage(self) -> bool {
        matches!(self, Self::Adts | Self::Matroska)
    }

    fn reader(self, head: Bytes, bytes: Bytes) -> Result<Box<dyn FormatReader>, Error> {
        // Readers that know how long a file is refuse one that was cut, since its parts reach beyond the end; that of MP3 guesses
        // from its first frames how many there are, and drops the rest.
        let (bytes, forwards_only) = match self {
            Self::Ogg | Self::Matroska | Self::Mp3 => (bytes, true),
            Self::Mp4 => mp4::whole_boxes(bytes),
            Self::Flac | Self::Adts => (bytes, false),
        };
        let source: Box<dyn MediaSource> = match forwards_only {
            true => Box::new(ReadOnlySource::new(Cursor::new(head).chain(Cursor::new(bytes)))),
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

/// A part of a file, opened.
pub(super) struct Link {
    pub(super) reader: Box<dyn FormatReader>,
    pub(super) track: u32,
    /// Whether packets say their duration in samples of Opus.
    pub(super) exact_durations: bool,
    /// Unit of the packets' times, if they say when they were recorded and not just how much came before.
    pub(super) time_base: Option<TimeBase>,
    /// What of the track is to be heard, if that is not all.
    pub(super) edits: Option<mp4::Edits>,
    /// Encoding as the answer names it.
    pub(super) format: String,
    pub(super) codec: Codec,
    parameters: AudioCodecParameters,
}

pub(super) enum Codec {
    Known(Box<dyn AudioDecoder>),
    Opus(Box<OpusStream>),
}

/// Largest Vorbis setup header, in bytes. Encoders write below 10 kB; a byte of it can ask for 1 kB of memory.
const MOST_VORBIS_SETUP_BYTES: usize = 32 * 1024;

impl Link {
    /// Opens the first audio track of a part.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for another codec, [`AudioError::Invalid`] for a header without sense or without a track.
    pub(super) fn open(container: Container, part: Part) -> Result<Self, AudioError> {
        let file = part.body.clone();
        let reader = container.reader(part.head, part.body).map_err(|error| refusal(container, &error))?;
        let track = reader.default_track(TrackType::Audio).ok_or_else(|| without_audio(container, reader.tracks()))?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.cloned().unwrap_or_default();
        let (id, exact_durations) = (track.id, counts_opus_samples(track));
        let time_base = track.time_base.filter(|_| container.has_times());
        let edits = if container == Container::Mp4 { mp4::Edits::of(&file, id) } else { None };
        let (format, mut codec) = Codec::open(container, &parameters)?;
        if let (Some(_), Codec::Opus(stream)) = (&edits, &mut codec) {
            // They say where the sound begins, whatever the codec's own header says.
            stream.skip_nothing();
        }
        Ok(Self { reader, track: id, exact_durations, time_base, edits, format, codec, parameters })
    }

    /// Goes on with another part of the same file.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] if nothing in it can be read.
    pub(super) fn go_on(&mut self, container: Container, part: Part) -> Result<(), AudioError> {
        self.reader = container.reader(part.head, part.body).map_err(|error| refusal(container, &error))?;
        Ok(())
    }

    /// When a packet begins, in seconds of its file.
    pub(super) fn seconds(&self, time: Timestamp) -> Option<f64> {
        let unit = self.time_base?;
        Some(time.get() as f64 * f64::from(unit.numer.get()) / f64::from(unit.denom.get()))
    }

    /// A decoder for a packet that the present one refuses, if it is one of those that keep to the rate and channels of their
    /// first packet.
    pub(super) fn fresh_decoder(&self, container: Container) -> Option<Box<dyn AudioDecoder>> {
        let is_one = container == Container::Mp3;
        is_one
            .then(|| symphonia::default::get_codecs().make_audio_decoder(&self.parameters, &Default::default()).ok())?
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

/// Of a codec that is not known at all, it isn't known either whether it is one of sound.
fn without_audio(container: Container, tracks: &[Track]) -> AudioError {
    let name = container.name();
    let may_be_sound =
        |track: &Track| track.codec_params.as_ref().is_none_or(|parameters| parameters.audio().is_some());
    match tracks.iter().any(may_be_sound) {
        true => {
            AudioError::Unsupported { what: format!("a {name} file, none of whose tracks is in a known audio codec") }
        }
        false => AudioError::Invalid { reason: format!("it is a {name} file without an audio track") },
    }
}

fn refusal(container: Container, error: &Error) -> AudioError {
    let name = container.name();
    match error {
        // Some write their table of contents at the end, where a file that was cut has none.
        Error::Unsupported(missing) if missing.contains("missing moov") => {
            AudioError::Invalid { reason: format!("its {name} table of contents did not arrive") }
        }
        Error::Unsupported(feature) => AudioError::Unsupported { what: format!("a {name} file, of which {feature}") },
        Error::DecodeError(problem) if problem.contains("invalid channel configuration") => AudioError::Unsupported {
            what: format!("a {name} file with another number of channels than decoders know"),
        },
        Error::IoError(_) => AudioError::Invalid { reason: format!("its {name} header is cut off") },
        Error::DecodeError(problem) | Error::LimitError(problem) => {
            AudioError::Invalid { reason: format!("its {name} header is damaged: {problem}") }
        }
        _ => AudioError::Invalid { reason: format!("its {name} header cannot be read") },
    }
}
