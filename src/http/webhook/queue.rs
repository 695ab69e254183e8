//! Events that wait: those of a session go one after the other, so that its summary is told last.

use std::collections::{HashSet, VecDeque};

/// Something that belongs to a session.
pub trait OfSession {
    /// The session's name.
    fn session(&self) -> &str;
}

/// What waits, and whose events are on their way.
pub struct Queue<E> {
    waiting: VecDeque<E>,
    on_their_way: HashSet<String>,
    most_waiting: usize,
}

impl<E: OfSession> Queue<E> {
    /// Nothing waits yet.
    pub fn new(most_waiting: usize) -> Self {
        Self { waiting: VecDeque::new(), on_their_way: HashSet::new(), most_waiting }
    }

    /// Lets an event wait, or gives it back if too many do.
    pub fn enter(&mut self, event: E) -> Result<(), E> {
        if self.waiting.len() >= self.most_waiting {
            return Err(event);
        }
        self.waiting.push_back(event);
        Ok(())
    }

    /// The longest waiting event that no earlier one of its session holds up; it is on its way then.
    pub fn next(&mut self) -> Option<E> {
        let place = self.waiting.iter().position(|event| !self.on_their_way.contains(event.session()))?;
        let event = self.waiting.remove(place)?;
        self.on_their_way.insert(event.session().to_string());
        Some(event)
    }

    /// An event of that session was told or given up.
    pub fn arrived(&mut self, session: &str) {
        self.on_their_way.remove(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl OfSession for (&str, u8) {
        fn session(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn a_sessions_events_go_one_after_the_other_and_hold_up_no_other_session() {
        let mut queue = Queue::new(10);
        for event in [("one", 1), ("one", 2), ("other", 1), ("one", 3)] {
            queue.enter(event).unwrap();
        }
        assert_eq!((queue.next(), queue.next(), queue.next()), (Some(("one", 1)), Some(("other", 1)), None));
        queue.arrived("other");
        assert_eq!(queue.next(), None);
        for number in [2, 3] {
            queue.arrived("one");
            assert_eq!((queue.next(), queue.next()), (Some(("one", number)), None));
        }
    }

    #[test]
    fn so_many_may_wait_and_no_more() {
        let mut queue = Queue::new(1);
        queue.enter(("one", 1)).unwrap();
        assert_eq!(queue.enter(("one", 2)), Err(("one", 2)));
        queue.next();
        queue.enter(("one", 2)).unwrap();
    }
}
