//! The commands of the binary.

mod load;
mod insight;
mod serve;
mod classify;
mod show;
mod health;

pub use classify::classify;
pub use health::health;
pub use serve::serve;
pub use show::{model, openapi, version};

/// Whether a write failed because nobody reads any more, as with `emotone … | head`.
fn is_broken_pipe(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}
