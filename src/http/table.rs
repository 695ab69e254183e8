//! The answer of `/classify` as a table, for spreadsheets and for tools that read diarizations.

use std::fmt::Write;

use crate::call::{Judgement, Segment};
use crate::model::Emotion;

/// What a channel is called in a diarization, which knows files.
const FILE: &str = "recording";

/// Comma-separated values: a line a segment, channel after channel, under a line of names. Without speech, emotion and
/// probabilities are empty.
pub fn csv(judgement: &Judgement) -> String {
    let names = Emotion::ALL.map(Emotion::name).join(",");
    let mut table = format!("channel,start_seconds,end_seconds,speech_seconds,status,emotion,confidence,{names}\r\n");
    for (channel, segment) in segments(judgement) {
        let Segment { start_seconds, end_seconds, speech_seconds, verdict } = segment;
        let (emotion, confidence) = verdict
            .best()
            .map_or_else(Default::default, |(emotion, confidence)| (emotion.name(), format!("{confidence:.6}")));
        let probabilities = verdict.probabilities().map_or_else(
            || ",".repeat(Emotion::COUNT - 1),
            |probabilities| probabilities.values().map(|value| format!("{value:.6}")).join(","),
        );
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "{channel},{start_seconds:.3},{end_seconds:.3},{speech_seconds:.3},{},{emotion},{confidence},{probabilities}\r\n",
            verdict.status()
        );
    }
    table
}

/// Rich Transcription Time Marked, as NIST's tools and pyannote read it: a line a segment with speech, the emotion in place
/// of the speaker, channels counted from 1.
pub fn rttm(judgement: &Judgement) -> String {
    let mut table = String::new();
    for (channel, segment) in segments(judgement) {
        let Some((emotion, confidence)) = segment.verdict.best() else { continue };
        let (start, duration) = (segment.start_seconds, segment.end_seconds - segment.start_seconds);
        let number = channel + 1;
        let _ = writeln!(
            table,
            "SPEAKER {FILE} {number} {start:.3} {duration:.3} <NA> <NA> {emotion} {confidence:.6} <NA>"
        );
    }
    table
}

fn segments(judgement: &Judgement) -> impl Iterator<Item = (usize, &Segment)> {
    let channels = judgement.channels.iter().enumerate();
    channels.flat_map(|(number, channel)| channel.segments.iter().map(move |segment| (number, segment)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{ChannelJudgement, Verdict};
    use crate::model::Probabilities;

    fn judgement() -> Judgement {
        let probabilities = Probabilities::new([0.75, 0.0, 0.125, 0.0, 0.125, 0.0, 0.0]).unwrap();
        let segment = |start_seconds, verdict| Segment {
            start_seconds,
            end_seconds: start_seconds + 1.5,
            speech_seconds: 1.25,
            verdict,
        };
        let (spoken, silent) = (Verdict::Ok(probabilities), Verdict::NoSpeech);
        let caller = ChannelJudgement { verdict: spoken, segments: vec![segment(0.0, silent), segment(1.5, spoken)] };
        Judgement::new(vec![caller.clone(), ChannelJudgement { segments: vec![segment(0.0, spoken)], ..caller }], 0.5)
    }

    #[test]
    fn a_line_of_the_table_is_a_segment() {
        let table = csv(&judgement());
        let lines: Vec<&str> = table.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                "channel,start_seconds,end_seconds,speech_seconds,status,emotion,confidence,\
                 angry,disgust,fear,happy,neutral,pleasant_surprise,sad",
                "0,0.000,1.500,1.250,no_speech,,,,,,,,,",
                "0,1.500,3.000,1.250,ok,angry,0.750000,0.750000,0.000000,0.125000,0.000000,0.125000,0.000000,0.000000",
                "1,0.000,1.500,1.250,ok,angry,0.750000,0.750000,0.000000,0.125000,0.000000,0.125000,0.000000,0.000000",
                "",
            ]
        );
        assert!(lines[..4].iter().all(|line| line.matches(',').count() == 13));
    }

    #[test]
    fn silence_is_no_part_of_a_diarization() {
        assert_eq!(
            rttm(&judgement()),
            "SPEAKER recording 1 1.500 1.500 <NA> <NA> angry 0.750000 <NA>\n\
             SPEAKER recording 2 0.000 1.500 <NA> <NA> angry 0.750000 <NA>\n"
        );
    }
}
