//! Events that wait: those of a session go one after the other, so that its summary is told last.

use std::collections::{HashMap, VecDeque};

/// Something that belongs to a session.
pub trait OfSession {
    /// The session's name.
    fn session(&self) -> &str;
}

/// What waits, and what is on its way.
pub struct Queue<E> {
    waiting: VecDeque<E>,
    /// One a session, by its name.
    on_their_way: HashMap<String, E>,
    most_waiting: usize,
}

impl<E: OfSession + Clone> Queue<E> {
    /// Nothing waits yet.
    pub fn new(most_waiting: usize) -> Self {
        Self { waiting: VecDeque::new(), on_their_way: HashMap::new(), most_waiting }
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
        let place = self.waiting.iter().position(|event| !self.on_their_way.contains_key(event.session()))?;
        let event = self.waiting.remove(place)?;
        self.on_their_way.insert(event.session().to_string(), event.clone());
        Some(event)
    }

    /// The event of that session that is on its way was told or given up; whether the queue still counted on it.
    pub fn arrived(&mut self, session: &str) -> bool {
        self.on_their_way.remove(session).is_some()
    }

    /// Lets nobody wait any more, and gives back what has not arrived.
    pub fn close(&mut self) -> Vec<E> {
        self.most_waiting = 0;
        self.on_their_way.drain().map(|(_, event)| event).chain(self.waiting.drain(..)).collect()
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

    #[test]
    fn what_has_not_arrived_in_the_end_is_given_back() {
        let mut queue = Queue::new(10);
        for event in [("one", 1), ("one", 2), ("other", 1)] {
            queue.enter(event).unwrap();
        }
        queue.next();
        assert_eq!(queue.close(), [("one", 1), ("one", 2), ("other", 1)]);
        assert!(!queue.arrived("one"), "it was given back");
        assert_eq!((queue.enter(("one", 3)), queue.next()), (Err(("one", 3)), None));
    }
}
