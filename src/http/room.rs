//! The memory that request bodies and what is made of them may take, all together: taken before it is used.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Duration;

use super::error::ApiError;

/// A unit of it.
const KIB: usize = 1024;
/// How long to stay away when it is taken.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Bytes that a buffer grows by at least.
const LEAST_GROWTH: usize = 16 * KIB;

/// Room in memory; given back when dropped.
#[derive(Debug)]
pub struct Room {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// None yet, of `all` there is: a permit a KiB.
    pub fn none(all: &Arc<Semaphore>) -> Self {
        Self { all: all.clone(), held: None }
    }

    /// Takes as much as is missing to so many bytes.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] if there is no more.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let more = u32::try_from(bytes.div_ceil(KIB).saturating_sub(self.held_kib())).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let full = ApiError::Overloaded { reason: "the uploads under way fill the memory", retry_after: RETRY_AFTER };
        let permit = self.all.clone().try_acquire_many_owned(more).map_err(|_| full)?;
        match &mut self.held {
            Some(present) => present.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }

    /// Takes so many bytes beside what is held.
    ///
    /// # Errors
    /// As [`grow_to`](Self::grow_to).
    pub fn grow_by(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.grow_to((self.held_kib() * KIB).saturating_add(bytes))
    }

    fn held_kib(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

/// How many entries to have memory for when more than `length` are needed. An eighth more than there is: the buffer moves
/// seldom, and little of it is empty.
pub fn grown<T>(length: usize) -> usize {
    length.saturating_add((length / 8).max(LEAST_GROWTH / size_of::<T>().max(1)))
}

/// Bytes that gather, in no more memory than there is room taken for.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    room: Room,
    most: usize,
}

impl Buffer {
    /// Nothing yet, of `most` bytes that may come.
    pub fn new(room: Room, most: usize) -> Self {
        Self { bytes: Vec::new(), room, most }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] if there is no room for them.
    pub fn push(&mut self, more: &[u8]) -> Result<(), ApiError> {
        let (length, needed) = (self.bytes.len(), self.bytes.len().saturating_add(more.len()));
        if needed > self.bytes.capacity() {
            let capacity = grown::<u8>(length).min(self.most).max(needed);
            self.room.grow_to(capacity)?;
            self.bytes.reserve_exact(capacity - length);
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Whether nothing came.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What came, and the room to be kept as long as it is.
    pub fn finish(self) -> (Bytes, Room) {
        (self.bytes.into(), self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_what_it_has_taken_and_little_more_than_came() {
        const MIB: usize = 1 << 20;
        let all = Arc::new(Semaphore::new(8 * KIB));
        let taken = |all: &Semaphore| (8 * KIB - all.available_permits()) * KIB;
        let mut buffer = Buffer::new(Room::none(&all), 5 * MIB);
        let (piece, mut moved) = ([7; 5_000], 0);
        while buffer.bytes.len() + piece.len() <= 5 * MIB {
            let before = buffer.bytes.capacity();
            buffer.push(&piece).unwrap();
            let (length, capacity) = (buffer.bytes.len(), buffer.bytes.capacity());
            moved += usize::from(before != capacity);
            assert!((capacity..capacity + KIB).contains(&taken(&all)), "{capacity} bytes of {}", taken(&all));
            assert!(capacity <= (length + length / 8 + LEAST_GROWTH).min(5 * MIB), "{capacity} bytes for {length}");
        }
        assert!(moved < 60, "it moved {moved} times");
        let (bytes, room) = buffer.finish();
        assert!(taken(&all) >= bytes.len());
        drop((bytes, room));
        assert_eq!(taken(&all), 0);
    }

    #[test]
    fn what_there_is_no_room_for_is_not_held() {
        let all = Arc::new(Semaphore::new(64));
        let mut buffer = Buffer::new(Room::none(&all), usize::MAX);
        buffer.push(&[0; 60 * KIB]).unwrap();
        assert!(matches!(buffer.push(&[0; 5 * KIB]), Err(ApiError::Overloaded { .. })));
        assert_eq!(buffer.bytes.capacity(), 60 * KIB);
    }
}
