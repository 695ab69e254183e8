//! Which program this is.

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The git revision it was built from; `unknown` for a build outside of a repository, or one for development.
pub const REVISION: &str = env!("EMOTONE_REVISION");
