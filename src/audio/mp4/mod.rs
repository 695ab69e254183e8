//! MP4 and QuickTime files, as far as they are not left to Symphonia: what was edited away, samples that stand for
//! themselves, and the end of a file that was cut.

mod boxes;
mod tracks;
mod edits;
mod entry;
mod chunks;

pub(super) use boxes::whole_boxes;
pub(super) use chunks::open;
pub(super) use edits::Edits;
