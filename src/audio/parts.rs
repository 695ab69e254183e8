//! A file's parts: files that were put one behind the other, and what damage leaves of one.

use bytes::{Buf, Bytes};

use super::link::Container;
use super::{matroska, ogg};

/// How much more than a file's own bytes may be read because it is in parts, in bytes: each that goes on with the one before
/// it costs what it needs of the file's beginning, a start, and what was looked at of it already.
const MOST_READ_AGAIN_BYTES: usize = 16 << 20;
const START_BYTES: usize = 16 << 10;

/// What is left of a file.
pub(super) struct Parts {
    pub(super) container: Container,
    rest: Bytes,
    /// What each part of a Matroska file needs before it.
    head: Bytes,
    read_again: usize,
}

/// Bytes that a reader is opened for.
pub(super) struct Part {
    /// What stands before the others.
    pub(super) head: Bytes,
    pub(super) body: Bytes,
    /// Whether it is of the same file as the one before it, with the same tracks and times.
    pub(super) goes_on: bool,
}

impl Parts {
    pub(super) fn new(container: Container, file: Bytes) -> Self {
        Self { container, rest: file, head: Bytes::new(), read_again: 0 }
    }

    /// The next part. All of them together take time that follows the file's length.
    pub(super) fn next(&mut self) -> Option<Part> {
        if self.rest.is_empty() {
            return None;
        }
        let mut goes_on = false;
        let end = match self.container {
            Container::Ogg => ogg::first_end(&self.rest),
            Container::Matroska => {
                if let Some((head, start)) = matroska::head(&self.rest) {
                    self.head = head;
                    self.rest.advance(start);
                    self.matroska_end()
                } else if self.head.is_empty() || matroska::is_file(&self.rest) {
                    self.head.clear();
                    self.rest.len()
                } else {
                    goes_on = true;
                    self.read_again = self.read_again.saturating_add(self.head.len()).saturating_add(START_BYTES);
                    self.matroska_end()
                }
            }
            _ => self.rest.len(),
        };
        Some(Part { head: self.head.clone(), body: self.rest.split_to(end), goes_on })
    }
    fn matroska_end(&mut self) -> usize {
        if self.read_again > MOST_READ_AGAIN_BYTES {
            return self.rest.len();
        }
        let (end, seen) = matroska::part_end(&self.rest);
        self.read_again = self.read_again.saturating_add(seen.saturating_sub(end));
        end
    }
}
