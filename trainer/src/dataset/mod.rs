//! Folders of audio: labelled clips, splits by chance or by speaker, and features on disk.

mod labels;
mod clips;
mod split;
mod sound;
mod store;
mod copies;
mod extraction;

pub use clips::{Clip, Dataset, licence_of};
pub use copies::{Copies, Original};
pub use extraction::{Extracted, Unreadable, extract};
pub use labels::{Label, label_of};
pub use sound::{load, read};
pub use split::{Split, SplitKind, split};
pub use store::{FeatureStore, StoreWriter};
