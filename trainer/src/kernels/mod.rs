//! The few operations that training spends its time in, each with its gradient written by hand.
//!
//! burn gives tensors, the tape, matrix products and optimizers. What is here fuses the rest of a layer into one step
//! of the tape, keeps the layout `[batch, time, channels]` throughout, and works on all cores.

mod operation;
mod elementwise;
mod conv;
mod pool;
mod normalize;
mod lstm;

pub use conv::conv1d;
pub use lstm::{LstmOptions, lstm};
pub use normalize::{BatchMoments, batch_norm};
pub use pool::{average_pool, max_pool};
