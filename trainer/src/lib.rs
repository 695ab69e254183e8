//! Trains, exports and verifies Emotone's networks offline.

pub mod augment;
pub mod report;
