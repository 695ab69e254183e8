//! Emotion and speaker, read from where a clip lies and what it is called.

use std::path::Path;

use emotone::model::Emotion;

/// What a path says of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its emotion, one of the seven.
    pub emotion: Emotion,
    /// Who speaks, unique within the corpus.
    pub speaker: String,
    /// The corpus, where the file name gives it away.
    pub corpus: Option<&'static str>,
}

/// Reads a path relative to its data folder: the file name if a corpus encodes it there (TESS, RAVDESS, EmoDB), else
/// the nearest folder whose name is an emotion, with or without a speaker before it.
///
/// `None` if there is no emotion of the seven in it.
pub fn label_of(path: &Path) -> Option<Label> {
    let stem = path.file_stem()?.to_str()?;
    match encoded(without_copy_number(stem)) {
        Encoded::Label(label) => Some(label),
        Encoded::OtherEmotion => None,
        Encoded::No => from_folders(path, stem),
    }
}

/// `x (1)` is what a second copy of `x` is called.
fn without_copy_number(stem: &str) -> &str {
    let number =
        |rest: &str| rest.strip_suffix(')').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    stem.rsplit_once(" (").filter(|(_, rest)| number(rest)).map_or(stem, |(name, _)| name)
}

enum Encoded {
    Label(Label),
    /// A corpus' name for an emotion that is none of the seven, such as boredom.
    OtherEmotion,
    No,
}

fn encoded(stem: &str) -> Encoded {
    tess(stem).or_else(|| ravdess(stem)).or_else(|| emodb(stem)).unwrap_or(Encoded::No)
}

/// `OAF_back_angry`: speaker, word, emotion. `OA_bite_neutral` is a slip of the corpus for OAF.
fn tess(stem: &str) -> Option<Encoded> {
    let mut parts = stem.split('_');
    let speaker = match parts.next()? {
        "OAF" | "OA" => "OAF",
        "YAF" | "YA" => "YAF",
        _ => return None,
    };
    parts.next()?;
    let emotion = emotion_word(parts.next()?)?;
    parts.next().is_none().then(|| label(emotion, speaker, "TESS"))
}

/// `03-01-05-01-02-01-12`: the third number is the emotion, the last the actor.
fn ravdess(stem: &str) -> Option<Encoded> {
    let fields: Vec<&str> = stem.split('-').collect();
    let two_digits = |field: &&str| field.len() == 2 && field.bytes().all(|byte| byte.is_ascii_digit());
    if fields.len() != 7 || !fields.iter().all(two_digits) {
        return None;
    }
    let emotion = match fields[2] {
        "01" | "02" => Emotion::Neutral,
        "03" => Emotion::Happy,
        "04" => Emotion::Sad,
        "05" => Emotion::Angry,
        "06" => Emotion::Fear,
        "07" => Emotion::Disgust,
        "08" => Emotion::PleasantSurprise,
        _ => return Some(Encoded::OtherEmotion),
    };
    Some(label(emotion, fields[6], "RAVDESS"))
}

/// `03a01Fa`: speaker, text, the emotion's German initial, version.
fn emodb(stem: &str) -> Option<Encoded> {
    let &[s1, s2, text, t1, t2, emotion, version] = stem.as_bytes() else { return None };
    let fits = s1.is_ascii_digit()
        && s2.is_ascii_digit()
        && text.is_ascii_lowercase()
        && t1.is_ascii_digit()
        && t2.is_ascii_digit()
        && version.is_ascii_lowercase();
    let emotion = match emotion {
        b'W' => Emotion::Angry,
        b'E' => Emotion::Disgust,
        b'A' => Emotion::Fear,
        b'F' => Emotion::Happy,
        b'N' => Emotion::Neutral,
        b'T' => Emotion::Sad,
        b'L' if fits => return Some(Encoded::OtherEmotion),
        _ => return None,
    };
    fits.then(|| label(emotion, &stem[..2], "EmoDB"))
}

fn label(emotion: Emotion, speaker: &str, corpus: &'static str) -> Encoded {
    Encoded::Label(Label { emotion, speaker: speaker.into(), corpus: Some(corpus) })
}

/// Folders that hold a part of the data or a kind of file, and say nothing of who speaks.
const NOBODY: [&str; 9] = ["train", "training", "test", "val", "valid", "validation", "dev", "wav", "audio"];

/// `OAF_angry/x`, `angry/x`, `anna/angry/x`, `angry/anna/x`, `angry/anna_x`: the category's folder, and the speaker before it, above
/// it, below it or at the front of the file name.
fn from_folders(path: &Path, stem: &str) -> Option<Label> {
    let folders: Vec<&str> = path.parent()?.iter().filter_map(|part| part.to_str()).collect();
    let found = folders.iter().enumerate().rev().find_map(|(place, name)| {
        let (emotion, before) = emotion_at_end(name)?;
        Some((place, emotion, before))
    });
    let (place, emotion, before) = found?;
    let somebody = |place: usize| {
        let name = folders.get(place).copied()?;
        (!NOBODY.contains(&&*name.to_lowercase())).then_some(name)
    };
    let (above, below) = (place.checked_sub(1).and_then(somebody), somebody(place + 1));
    let in_front = stem.split(['_', '-', ' ']).next().filter(|front| *front != stem);
    let speaker = before.or(above).or(below).or(in_front).unwrap_or("unknown");
    Some(Label { emotion, speaker: speaker.into(), corpus: None })
}

/// An emotion at the end of a folder's name, and what stands before it.
fn emotion_at_end(name: &str) -> Option<(Emotion, Option<&str>)> {
    if let Some(emotion) = emotion_word(name) {
        return Some((emotion, None));
    }
    let cuts = name.char_indices().filter(|(_, letter)| matches!(letter, '_' | '-' | ' '));
    let mut found = cuts.filter_map(|(cut, _)| Some((emotion_word(&name[cut + 1..])?, Some(&name[..cut]))));
    found.next()
}

/// The emotion that a word means in the corpora at hand.
fn emotion_word(word: &str) -> Option<Emotion> {
    let word = word.to_lowercase().replace(['-', ' '], "_");
    Some(match word.as_str() {
        "angry" | "anger" => Emotion::Angry,
        "disgust" | "disgusted" => Emotion::Disgust,
        "fear" | "fearful" | "afraid" => Emotion::Fear,
        "happy" | "happiness" | "joy" => Emotion::Happy,
        "neutral" | "calm" => Emotion::Neutral,
        "pleasant_surprise" | "pleasant_surprised" | "ps" | "surprise" | "surprised" => Emotion::PleasantSurprise,
        "sad" | "sadness" => Emotion::Sad,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(Emotion, String, Option<&'static str>)> {
        label_of(Path::new(path)).map(|label| (label.emotion, label.speaker, label.corpus))
    }

    #[test]
    fn corpora_are_known_by_their_file_names() {
        assert_eq!(read("x/OAF_back_ps.wav"), Some((Emotion::PleasantSurprise, "OAF".into(), Some("TESS"))));
        assert_eq!(read("OAF_neutral/OA_bite_neutral.flac"), Some((Emotion::Neutral, "OAF".into(), Some("TESS"))));
        assert_eq!(read("x/OAF_back_angry (1).wav"), Some((Emotion::Angry, "OAF".into(), Some("TESS"))));
        assert_eq!(read("Actor_07/03-01-02-01-01-02-07.wav"), Some((Emotion::Neutral, "07".into(), Some("RAVDESS"))));
        assert_eq!(read("03-01-08-02-01-02-11.wav"), Some((Emotion::PleasantSurprise, "11".into(), Some("RAVDESS"))));
        assert_eq!(read("wav/03a01Wa.wav"), Some((Emotion::Angry, "03".into(), Some("EmoDB"))));
        assert_eq!(read("wav/16b10Lb.wav"), None);
    }

    #[test]
    fn folders_name_category_and_speaker() {
        assert_eq!(read("YAF_pleasant_surprised/1.wav"), Some((Emotion::PleasantSurprise, "YAF".into(), None)));
        assert_eq!(read("angry/anna_001.wav"), Some((Emotion::Angry, "anna".into(), None)));
        assert_eq!(read("anna/Fear/001.wav"), Some((Emotion::Fear, "anna".into(), None)));
        assert_eq!(read("angry/anna/30_1.wav"), Some((Emotion::Angry, "anna".into(), None)));
        assert_eq!(read("anna/angry/take2/1.wav"), Some((Emotion::Angry, "anna".into(), None)));
        assert_eq!(read("Train/angry/anna_1.wav"), Some((Emotion::Angry, "anna".into(), None)));
        assert_eq!(read("sadness/001.wav"), Some((Emotion::Sad, "unknown".into(), None)));
        assert_eq!(read("boredom/001.wav"), None);
        assert_eq!(read("001.wav"), None);
    }
}
