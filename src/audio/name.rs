//! What audio files are called.

use std::path::Path;

/// In lower case.
const EXTENSIONS: [&str; 29] = [
    "wav", "wave", "bwf", "rf64", "w64", "flac", "mp3", "mp2", "mpga", "ogg", "oga", "ogv", "opus", "m4a", "m4b",
    "mp4", "mov", "3gp", "aac", "aif", "aiff", "aifc", "au", "snd", "caf", "mka", "webm", "weba", "mkv",
];

/// Whether a file's name ends as those of audio files do, in letters of any case, and does not begin with a dot, as what a
/// system keeps beside files does. That is for finding files in folders: what a file holds, its content alone says.
pub fn is_audio_name(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    !hidden && extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_as_those_of_audio_files_and_are_not_hidden() {
        let taken = |name: &str| is_audio_name(Path::new(name));
        assert!(taken("calls/one.WAV") && taken("two.opus") && taken(".calls/three.flac"));
        assert!(!taken("calls/._one.wav") && !taken("notes.txt") && !taken("wav") && !taken(""));
    }
}
