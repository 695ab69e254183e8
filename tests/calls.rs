//! Whole calls through the pipeline, and the same calls live: one timeline, however the samples come.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod sounds;

use emotone::audio::{AudioLimits, RawEncoding, RawFormat, Waveform, resample};
use emotone::call::{Judgement, LiveCall, LiveEvent, LiveFormat, Segment, Smoothing, Summary, Windowing};
use emotone::model::{Classifier, Probabilities};
use emotone::pipeline::{Pipeline, PipelineError, Progress, Request, Stage};
use proptest::prelude::*;
use sounds::{Dice, MAN, WOMAN, at_level, joined};

const RATE: u32 = 8_000;
/// The largest difference of a probability between a file and a stream.
const TOLERANCE: f32 = 1e-3;

fn pipeline() -> Pipeline {
    let classifier = Classifier::from_onnx(include_bytes!("../models/emotone-robust.onnx")).unwrap();
    Pipeline::new(classifier, AudioLimits::default()).unwrap()
}

/// Interleaved 16-bit samples, and how they are to be read.
fn raw(channels: &[&[f32]], sample_rate_hz: u32) -> (bytes::Bytes, RawFormat) {
    let mut bytes = Vec::new();
    for frame in 0..channels.iter().map(|channel| channel.len()).min().unwrap() {
        for channel in channels {
            bytes.extend(((channel[frame] * 32_768.0).round() as i16).to_le_bytes());
        }
    }
    let format = RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz, channels: channels.len() as u16 };
    (bytes.into(), format)
}

fn judge(pipeline: &Pipeline, channels: &[&[f32]], rate: u32, windowing: Option<Windowing>) -> Judgement {
    let (bytes, format) = raw(channels, rate);
    pipeline.classify(bytes, Request { raw: Some(format), windowing, ..Request::default() }).unwrap().1
}

/// A stream that is cut where `cuts` says, one channel after the other.
fn stream(
    pipeline: &Pipeline,
    channels: &[&[f32]],
    rate: u32,
    windowing: Option<Windowing>,
    mut cuts: impl FnMut() -> usize,
) -> (Vec<Vec<Segment>>, Summary) {
    let format = LiveFormat { sample_rate_hz: rate, channels: channels.len() };
    let plan = pipeline.plan(windowing).unwrap();
    let smoothing = Smoothing::default();
    let mut call = LiveCall::new(pipeline.classifier(), pipeline.extractor(), format, plan, smoothing, &[]).unwrap();
    let mut events = Vec::new();
    let mut positions = vec![0; channels.len()];
    while positions.iter().zip(channels).any(|(position, channel)| *position < channel.len()) {
        for (number, samples) in channels.iter().enumerate() {
            let end = samples.len().min(positions[number] + cuts());
            events.append(&mut call.push(number, &samples[positions[number]..end]).unwrap());
            positions[number] = end;
        }
    }
    for channel in 0..channels.len() {
        events.append(&mut call.finish(channel).unwrap());
    }
    let mut segments = vec![Vec::new(); channels.len()];
    for event in events {
        match event {
            LiveEvent::Segment { channel, segment } => segments[channel].push(segment),
            LiveEvent::Alert { .. } => panic!("no rule was given"),
        }
    }
    (segments, call.summary())
}

fn assert_same(posted: &Judgement, streamed: &(Vec<Vec<Segment>>, Summary)) {
    for (number, channel) in posted.channels.iter().enumerate() {
        let live = &streamed.0[number];
        assert_eq!(channel.segments.len(), live.len());
        for (file, live) in channel.segments.iter().zip(live) {
            assert_eq!((file.start_seconds, file.end_seconds), (live.start_seconds, live.end_seconds));
            assert_eq!((file.speech_seconds, file.verdict.status()), (live.speech_seconds, live.verdict.status()));
            assert!(distance(file, live) <= TOLERANCE);
        }
        assert_eq!(channel.verdict.best().map(|best| best.0), streamed.1.channels[number].best().map(|best| best.0));
    }
}

fn distance(one: &Segment, other: &Segment) -> f32 {
    let (Some(one), Some(other)) = (one.verdict.probabilities(), other.verdict.probabilities()) else { return 0.0 };
    one.values().iter().zip(other.values()).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

fn assert_covers(segments: &[Segment], seconds: f64) {
    let mut clock = 0.0;
    for segment in segments {
        assert_eq!(segment.start_seconds, clock);
        assert!(segment.end_seconds > clock);
        assert!(segment.speech_seconds <= segment.end_seconds - segment.start_seconds, "{segment:?}");
        clock = segment.end_seconds;
    }
    assert!((clock - seconds).abs() < 1e-9, "{clock} of {seconds} s");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_cut_of_a_stream_says_what_the_file_says(
        seconds in 0.2..14.0_f32,
        rate in prop::sample::select(vec![8_000_u32, 11_025, 16_000, 44_100]),
        windows in prop::sample::select(vec![None, Some((2.0, 1.0)), Some((1.7, 0.7)), Some((1.0, 1.0)), Some((7.5, 2.0))]),
        longest_cut in prop::sample::select(vec![1_usize, 7, 160, 1_000, 50_000, 1_000_000]),
        seed in any::<u64>(),
    ) {
        let pipeline = pipeline();
        let windowing = windows.map(|(window_seconds, hop_seconds)| Windowing { window_seconds, hop_seconds });
        let one = at_level(&MAN.speak(seconds, rate), 0.0);
        let other = at_level(&joined(&[&vec![0.0; one.len() / 2], &WOMAN.speak(seconds, rate)])[..one.len()], -20.0);
        let mut dice = Dice::new(seed);
        // Single samples for a whole call would take long and prove no more than for its beginning.
        let mut pieces = 0;
        let cuts = || { pieces += 1; if pieces > 20_000 { 160 } else { 1 + dice.below(longest_cut) } };
        let posted = judge(&pipeline, &[&one, &other], rate, windowing);
        for channel in &posted.channels {
            assert_covers(&channel.segments, one.len() as f64 / f64::from(rate));
        }
        assert_same(&posted, &stream(&pipeline, &[&one, &other], rate, windowing, cuts));
    }
}

#[test]
fn a_clip_within_one_window_is_one_segment_judged_on_all_of_it() {
    let (pipeline, clip) = (pipeline(), WOMAN.speak(2.05, RATE));
    let judgement = judge(&pipeline, &[&clip], RATE, None);
    let channel = &judgement.channels[0];
    assert_eq!(channel.segments.len(), 1);
    assert_covers(&channel.segments, 2.05);
    assert_eq!(channel.segments[0].verdict, channel.verdict);
    assert_eq!(judgement.verdict, channel.verdict);
    let waveform = Waveform::new(at_level(&clip, 0.0), RATE).unwrap();
    let waveform = resample(&waveform, pipeline.extractor().spec().sample_rate).unwrap();
    let features = pipeline.extractor().features(&waveform).unwrap();
    let alone = pipeline.classifier().probabilities(&[features]).unwrap()[0];
    let judged = channel.verdict.probabilities().unwrap();
    for (judged, alone) in judged.values().iter().zip(alone.values()) {
        assert!((judged - alone).abs() < TOLERANCE);
    }
}

#[test]
fn no_segment_holds_more_speech_than_it_lasts() {
    let (pipeline, voice) = (pipeline(), MAN.speak(4.0, RATE));
    for length in (1_600..4_000).step_by(100) {
        // From the middle of a word, so that there is speech at both ends.
        let judgement = judge(&pipeline, &[&voice[4_000..4_000 + length]], RATE, None);
        assert_covers(&judgement.channels[0].segments, length as f64 / f64::from(RATE));
    }
}

#[test]
fn a_window_longer_than_the_input_is_the_mean_of_its_pieces() {
    let (pipeline, voice) = (pipeline(), MAN.speak(14.0, RATE));
    let spec = pipeline.extractor().spec().clone();
    let windowing = Windowing { window_seconds: 14.0, hop_seconds: 14.0 };
    let judged = judge(&pipeline, &[&voice], RATE, Some(windowing)).channels[0].verdict.probabilities().unwrap();
    let waveform = resample(&Waveform::new(at_level(&voice, 0.0), RATE).unwrap(), spec.sample_rate).unwrap();
    let track = pipeline.extractor().frames(&waveform).unwrap();
    let (last, pieces) = (track.frames() - spec.frames, track.frames().div_ceil(spec.frames));
    let starts = (0..pieces).map(|piece| piece * last / (pieces - 1));
    let inputs: Vec<_> = starts.map(|start| pipeline.extractor().window(&track, start..start + spec.frames)).collect();
    let answers = pipeline.classifier().probabilities(&inputs).unwrap();
    let expected = Probabilities::weighted_mean(answers.into_iter().map(|answer| (answer, 1.0))).unwrap();
    for (judged, expected) in judged.values().iter().zip(expected.values()) {
        assert!((judged - expected).abs() < 0.05, "{judged} {expected}");
    }
}

#[test]
fn a_rest_too_short_to_judge_belongs_to_the_segment_before() {
    let pipeline = pipeline();
    let window_seconds = pipeline.plan(None).unwrap().windowing().window_seconds;
    for (rest, segments) in [(0.0, 1), (0.04, 1), (0.06, 2)] {
        let voice = MAN.speak(window_seconds as f32 + 1.0, RATE);
        let count = ((window_seconds + rest) * f64::from(RATE)).round() as usize;
        let judgement = judge(&pipeline, &[&voice[..count]], RATE, None);
        assert_eq!(judgement.channels[0].segments.len(), segments, "{rest} s beyond the window");
        assert_covers(&judgement.channels[0].segments, count as f64 / f64::from(RATE));
    }
}

#[test]
fn a_silent_side_says_nothing_and_weighs_nothing() {
    let (pipeline, voice) = (pipeline(), MAN.speak(12.0, RATE));
    let judgement = judge(&pipeline, &[&voice, &vec![0.0; voice.len()]], RATE, None);
    let [caller, nobody] = &judgement.channels[..] else { panic!("two channels") };
    assert!(nobody.segments.iter().all(|segment| segment.verdict.status() == "no_speech"));
    assert_eq!(nobody.verdict.status(), "no_speech");
    assert_eq!(judgement.verdict.probabilities(), caller.verdict.probabilities());
}

#[test]
fn channels_of_the_same_content_are_one_speaker() {
    let pipeline = pipeline();
    let (one, other) = (MAN.speak(6.0, RATE), WOMAN.speak(6.0, RATE));
    let twice = judge(&pipeline, &[&one, &one, &other], RATE, None);
    let once = judge(&pipeline, &[&one, &other], RATE, None);
    assert_eq!(twice.channels[0], twice.channels[1]);
    assert_eq!(twice.channels[2], once.channels[1]);
    assert_eq!(twice.verdict, once.verdict);
}

#[test]
fn a_caller_in_turns_is_heard_in_the_turns_alone() {
    let pipeline = pipeline();
    let silence = vec![0.0; 10 * RATE as usize];
    let voice = WOMAN.speak(10.0, RATE);
    let judgement = judge(&pipeline, &[&joined(&[&silence, &voice, &silence])], RATE, None);
    for segment in &judgement.channels[0].segments {
        let heard = segment.verdict.status() != "no_speech";
        if segment.end_seconds <= 10.0 || segment.start_seconds >= 20.0 {
            assert!(!heard, "{segment:?}");
        }
        if segment.start_seconds >= 10.0 && segment.end_seconds <= 20.0 {
            assert!(heard, "{segment:?}");
        }
    }
}

#[test]
fn windows_that_the_model_cannot_judge_are_refused() {
    let pipeline = pipeline();
    let (bytes, format) = raw(&[&MAN.speak(1.0, RATE)], RATE);
    for (window_seconds, hop_seconds) in
        [(0.0, 0.0), (-3.0, 1.0), (1e9, 1.0), (f64::NAN, 1.0), (2.0, f64::NAN), (2.0, 0.0), (2.0, 2.5), (0.4, 0.4)]
    {
        let windowing = Some(Windowing { window_seconds, hop_seconds });
        let request = Request { raw: Some(format), windowing, ..Request::default() };
        let refused = pipeline.classify(bytes.clone(), request);
        assert!(matches!(refused, Err(PipelineError::Windowing(_))), "{window_seconds}, {hop_seconds}");
    }
}

#[test]
fn the_work_on_a_long_call_comes_in_pieces() {
    let pipeline = pipeline();
    let voice = MAN.speak(60.0, RATE);
    let (bytes, format) = raw(&[&voice, &WOMAN.speak(60.0, RATE)], RATE);
    let mut analysis = pipeline.start(bytes, Request { raw: Some(format), ..Request::default() });
    let (mut features, mut inference) = (0, 0);
    let windows = loop {
        match analysis.step().unwrap() {
            Progress::Working(Stage::Decode) => {}
            Progress::Working(Stage::Features) => features += 1,
            Progress::Working(Stage::Inference) => inference += 1,
            Progress::Done(answer) => {
                break answer.1.channels.iter().map(|channel| channel.segments.len()).sum::<usize>();
            }
        }
    };
    assert!(features >= 60, "{features} pieces of two minutes");
    assert_eq!(inference, windows, "a piece for each window");
    assert!(analysis.step().is_err(), "it is over");
}
