//! What audio files are called.

use std::path::Path;

/// In lower case.
const EXTENSIONS: [&str; 22] = [
    "wav", "wave", "rf64", "w64", "flac", "mp3", "mp2", "ogg", "oga", "opus", "m4a", "mp4", "aac", "aif", "aiff",
    "aifc", "au", "snd", "caf", "mka", "webm", "mkv",
];

/// Whether a file's name ends as those of audio files do, in letters of any case. That is for finding files in folders:
/// what a file holds, its content alone says.
pub fn is_audio_name(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}
