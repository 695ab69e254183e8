//! Folders of audio: labelled clips, splits by chance or by speaker, and features on disk.

mod labels;
mod names;
mod clips;
mod builder;
mod sound;
mod once;
mod own_names;
mod folders;
mod split;
mod store;
mod copies;
mod extraction;

pub use builder::DatasetBuilder;
pub use clips::{Clip, Dataset};
pub use copies::{Copies, Original};
pub use extraction::{Extracted, Unreadable, extract};
pub use folders::licence_of;
pub use labels::{Label, label_of};
pub use names::Names;
pub use sound::{read, recording};
pub use split::{Split, SplitKind, by_chance, split};
pub use store::{FeatureStore, StoreWriter};
