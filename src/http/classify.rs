//! `POST /classify`: audio in, emotions out.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::Classification;
use super::error::{ApiError, ErrorBody};
use super::query::Parameters;
use super::request_id::RequestId;
use super::state::App;
use super::table;
use super::traces;
use super::upload::Upload;
use super::work::{Deadline, Timing};
use crate::audio::{RawEncoding, RawFormat};
use crate::call::Smoothing;
use crate::pipeline::{Pipeline, PipelineError, Request};

/// Telephony's own rate, for headerless samples that do not say another.
const TELEPHONE_HZ: u32 = 8_000;
/// How long to stay away from a server that is about to end.
const DRAIN_RETRY_AFTER: Duration = Duration::from_secs(5);
const CSV: &str = "text/csv; charset=utf-8; header=present";
const TEXT: &str = "text/plain; charset=utf-8";
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How the audio is to be understood and judged.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClassifyQuery {
    /// The body is headerless samples, written like this, instead of a file.
    encoding: Option<RawEncoding>,
    /// Their rate in Hz; 8000 by default.
    #[param(minimum = 1, example = 8000)]
    sample_rate_hz: Option<u32>,
    /// Their channels, interleaved; 1 by default.
    #[param(minimum = 1, example = 1)]
    channels: Option<u16>,
    /// Length of the window a segment is judged on, in seconds; the model's own by default.
    #[param(minimum = 0.5, example = 1.5)]
    window_seconds: Option<f64>,
    /// Length of each segment after the first, in seconds, at most the window's; the model's own by default.
    #[param(minimum = 0.5, example = 0.5)]
    hop_seconds: Option<f64>,
    /// Whether a segment counts what was heard shortly before it (true), or its own window alone (false); true by default.
    /// The sums are of the windows alone either way.
    #[param(example = true)]
    smoothing: Option<bool>,
    /// Which of several models judges; the first by default.
    model: Option<String>,
    /// Form of the answer; `json` by default. The tables hold the segments alone. Errors are JSON always.
    format: Option<Form>,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Everything.
    #[default]
    Json,
    /// Comma-separated values, a line a segment.
    Csv,
    /// Rich Transcription Time Marked, a line a segment with speech, the emotion in place of the speaker.
    Rttm,
}

/// A form with the audio in one of its parts.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form; it is read part by part")]
pub struct UploadForm {
    /// The audio; a part named `audio` will do as well.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Classify a recording.
///
/// The content decides the format, not the declared type or the file's name: WAV (PCM, float, G.711), FLAC, MP3, Ogg and more,
/// at any rate, of one or more channels. With `encoding` the body is headerless samples instead.
#[utoipa::path(
    post, path = "/classify", tag = "emotion", params(ClassifyQuery),
    request_body(content(
        (Vec<u8> = "audio/wav"), (Vec<u8> = "application/octet-stream"), (UploadForm = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "What was heard", content(
            (Classification = "application/json"), (String = "text/csv"), (String = "text/plain"),
        )),
        (status = 400, description = "`empty_upload`, `bad_multipart` or `bad_request`", body = ErrorBody),
        (status = 401, description = "`unauthorized`: a missing or wrong API key", body = ErrorBody),
        (status = 408, description = "`timeout`: the body came too slowly", body = ErrorBody),
        (status = 413, description = "`upload_too_large`", body = ErrorBody),
        (status = 415, description = "`unsupported_audio`: no audio, or an unsupported codec", body = ErrorBody),
        (status = 422, description = "`invalid_audio`, `audio_too_short` or `audio_too_long`", body = ErrorBody),
        (status = 429, description = "`rate_limited`; see Retry-After", body = ErrorBody),
        (status = 500, description = "`internal`", body = ErrorBody),
        (status = 503, description = "`overloaded`, or the server is about to end; see Retry-After", body = ErrorBody),
        (status = 504, description = "`deadline_exceeded`", body = ErrorBody),
    )
)]
pub async fn classify(State(app): State<App>, id: RequestId, request: HttpRequest) -> Result<Response, ApiError> {
    app.check_open()?;
    app.workers.check_room()?;
    let query: ClassifyQuery = Parameters::of(request.uri())?;
    let pipeline = app.models.get(query.model.as_deref())?.pipeline;
    let form = query.format.unwrap_or_default();
    let how = query.into_request(&pipeline)?;
    let upload = Upload::read(request, &app).await?;

    let analysis = pipeline.start(upload.bytes, how);
    let ((recording, judgement), timing) = app.workers.work(analysis, app.deadline(), upload.room).await?;

    app.metrics.judged(&recording, &judgement, &timing);
    traces::timed(&timing);
    let timing = [(SERVER_TIMING, server_timing(&timing))];
    Ok(match form {
        Form::Json => {
            let card = pipeline.classifier().card();
            let answer = Classification::new(&recording, &judgement, card, Some(id.as_str()));
            (timing, Json(answer)).into_response()
        }
        Form::Csv => (timing, [(header::CONTENT_TYPE, CSV)], table::csv(&judgement)).into_response(),
        Form::Rttm => (timing, [(header::CONTENT_TYPE, TEXT)], table::rttm(&judgement)).into_response(),
    })
}

impl App {
    /// When the work on a request that has come by now must be done.
    pub fn deadline(&self) -> Deadline {
        let limit = self.settings.limits.request_timeout_seconds;
        Deadline { at: Instant::now() + limit, limit }
    }

    /// Refuses new work while draining.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`].
    pub fn check_open(&self) -> Result<(), ApiError> {
        if self.lifecycle.is_draining() {
            return Err(ApiError::Overloaded { reason: "the server is about to end", retry_after: DRAIN_RETRY_AFTER });
        }
        Ok(())
    }
}

impl ClassifyQuery {
    fn into_request(self, pipeline: &Pipeline) -> Result<Request, ApiError> {
        let smoothing = if self.smoothing.unwrap_or(true) { Smoothing::default() } else { Smoothing::OFF };
        // Windows that are not possible are refused before the body comes.
        let windowing = pipeline.windowing(self.window_seconds, self.hop_seconds).map_err(PipelineError::from)?;
        Ok(Request { raw: self.raw()?, windowing, smoothing })
    }

    fn raw(&self) -> Result<Option<RawFormat>, ApiError> {
        let Some(encoding) = self.encoding else {
            if self.sample_rate_hz.is_some() || self.channels.is_some() {
                let reason = "sample_rate_hz and channels describe headerless samples, and need encoding";
                return Err(ApiError::BadRequest(reason.into()));
            }
            return Ok(None);
        };
        let (sample_rate_hz, channels) = (self.sample_rate_hz.unwrap_or(TELEPHONE_HZ), self.channels.unwrap_or(1));
        if sample_rate_hz == 0 || channels == 0 {
            return Err(ApiError::BadRequest("sample_rate_hz and channels must be above 0".into()));
        }
        Ok(Some(RawFormat { encoding, sample_rate_hz, channels }))
    }
}

/// Where the time went, as browsers and proxies understand it, in milliseconds.
fn server_timing(timing: &Timing) -> String {
    let entries = timing.stages().map(|(stage, took)| format!("{stage};dur={:.3}", took.as_secs_f64() * 1000.0));
    entries.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioLimits;
    use crate::call::Windowing;
    use crate::model::Classifier;

    fn pipeline() -> Pipeline {
        let model = include_bytes!("../../models/emotone-cnn-lstm.onnx");
        Pipeline::new(Classifier::from_onnx(model).unwrap(), AudioLimits::default()).unwrap()
    }

    fn request(query: &str) -> Result<Request, ApiError> {
        let query: ClassifyQuery = Parameters::of(&format!("/classify?{query}").parse().unwrap())?;
        query.into_request(&pipeline())
    }

    #[test]
    fn headerless_samples_are_telephony_unless_they_say_otherwise() {
        let raw = request("encoding=mulaw").unwrap().raw.unwrap();
        assert_eq!(raw, RawFormat { encoding: RawEncoding::Mulaw, sample_rate_hz: 8000, channels: 1 });
        let raw = request("encoding=pcm_s16le&sample_rate_hz=16000&channels=2").unwrap().raw.unwrap();
        assert_eq!(raw, RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz: 16000, channels: 2 });
        assert_eq!(request("").unwrap().raw, None);
    }

    #[test]
    fn a_window_brings_a_hop_that_fits_it() {
        let windowing = |query| request(query).unwrap().windowing;
        assert_eq!(windowing(""), None);
        assert_eq!(windowing("window_seconds=0.6"), Some(Windowing { window_seconds: 0.6, hop_seconds: 0.6 }));
        let own = pipeline().plan(None).unwrap().windowing();
        assert_eq!(windowing("hop_seconds=0.7"), Some(Windowing { hop_seconds: 0.7, ..own }));
    }

    #[test]
    fn nonsense_is_a_bad_request() {
        for query in [
            "encoding=mp3",
            "sample_rate_hz=8000",
            "encoding=alaw&sample_rate_hz=0",
            "encoding=alaw&channels=-1",
            "encoding=alaw&sample_rate_hz=99999999999",
            "window_seconds=0",
            "window_seconds=NaN",
            "window_seconds=1e9",
            "hop_seconds=99",
            "smoothing=perhaps",
            "colour=red",
        ] {
            let code = request(query).unwrap_err().status_and_code().1;
            assert_eq!(code, "bad_request", "{query}");
        }
    }
}
