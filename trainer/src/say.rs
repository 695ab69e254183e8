//! Results on stdout and words on stderr, which may be closed before all is said.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::{Context, Result};

/// Writes a result. Who closes the pipe wants no more of it; that is no failure.
///
/// # Errors
/// If stdout cannot be written, because the disk behind it is full say.
pub fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written
        .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
        .context("stdout")
}

/// Says how it goes. Who cannot hear of it is no reason to end a training.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
