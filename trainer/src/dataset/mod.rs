//! Folders of audio: labelled clips, splits by chance or by speaker, and features on disk.

mod labels;
mod clips;
mod split;
mod sound;
mod store;

pub use clips::{Clip, Dataset, licence_of};
pub use labels::{Label, label_of};
pub use sound::{load, read};
pub use split::{Split, SplitKind, split};
pub use store::{FeatureStore, Unreadable, statistics};
