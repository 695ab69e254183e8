//! Trains, exports and verifies Emotone's networks offline.
//!
//! The way of a training, and with it the reading order of this crate:
//!
//! 1. [`augment`]: what a recording may go through before it reaches a listener.
//! 2. [`dataset`]: folders of audio become labelled clips, splits, and a store of features on disk.
//! 3. [`kernels`]: the few operations that had to be fast; [`network`]: the layers, in Keras' sense, on burn.
//! 4. [`training`]: batches, loss, optimizer, schedule, checkpoints; [`ensemble`]: several networks as one; [`recipe`]:
//!    which features, networks and training belong together.
//! 5. [`temperature`]: how sure it may be; [`metrics`]: what it is worth; [`report`]: the same as pictures.
//! 6. [`export`]: the network as a self-describing ONNX file, verified through the serving library.
//! 7. [`commands`]: what `emotone-train` offers.

pub mod augment;
pub mod dataset;
pub mod kernels;
pub mod network;
pub mod training;
pub mod temperature;
pub mod metrics;
pub mod ensemble;
pub mod recipe;
pub mod report;
pub mod say;
pub mod export;
pub mod commands;
