//! How much more comes than can be done, and how many may therefore wait. A burst is served to its end; in a siege, nobody
//! waits for long.

use std::time::{Duration, Instant};

/// Until nobody has been refused for this long, more comes than can be done.
const OVERLOAD: Duration = Duration::from_secs(1);
/// A crowd that fills the queue at once and comes no more is served, as long as it may wait. One that still comes after so
/// long is no burst: then nobody waits for longer than this, those included who came first.
const BURST: Duration = Duration::from_millis(50);

/// Of the latest decisions about who comes in, the part that a single one counts for.
const WEIGHT: f32 = 1.0 / 32.0;
/// Where more than this part is refused, nobody waits for long: there is always somebody at the door.
const MOST: f32 = 0.5;

/// What the latest decisions and first turns tell.
#[derive(Debug)]
pub(super) struct Pressure {
    /// Threads that work.
    threads: usize,
    /// The first and the last refusal of the present overload.
    refusals: Option<(Instant, Instant)>,
    /// Part of the latest decisions that were refusals, in [0, 1].
    refused_part: f32,
    /// When the first turns began that are not over.
    beginning: Vec<Instant>,
    /// How long a first turn takes of late.
    first_turn: Duration,
}

impl Pressure {
    /// None, on so many threads.
    pub(super) fn new(threads: usize) -> Self {
        Self { threads, refusals: None, refused_part: 0.0, beginning: Vec::new(), first_turn: Duration::ZERO }
    }

    /// How many may wait, of the `room` there is. While more comes than can be done, as many as the threads can begin next,
    /// for a long queue would only make all late then; and where most are refused, as many as can begin at once, or sooner
    /// than the next is expected.
    pub(super) fn narrows(&self, room: usize, now: Instant) -> usize {
        match self.overload(now) {
            None => room,
            Some(_) if self.refused_part > MOST => room.min(self.free_soon(now)),
            Some(_) => room.min(self.threads),
        }
    }

    /// Longest wait for a first turn, where `limit` is the longest of all.
    pub(super) fn max_wait(&self, limit: Duration, now: Instant) -> Duration {
        if self.is_siege(now) { limit.min(BURST) } else { limit }
    }

    /// Somebody was let in or refused.
    pub(super) fn decided(&mut self, refused: bool, now: Instant) {
        if refused {
            let first = self.overload(now).map_or(now, |(first, _)| first);
            self.refusals = Some((first, now));
        }
        self.refused_part += (f32::from(u8::from(refused)) - self.refused_part) * WEIGHT;
    }

    /// A first turn begins.
    pub(super) fn begins(&mut self, now: Instant) {
        self.beginning.push(now);
    }

    /// The first turn that began at `since` is over.
    pub(super) fn begun(&mut self, since: Instant, now: Instant) {
        if let Some(place) = self.beginning.iter().position(|beginning| *beginning == since) {
            self.beginning.swap_remove(place);
        }
        self.first_turn = self.first_turn.mul_f32(1.0 - WEIGHT) + now.duration_since(since).mul_f32(WEIGHT);
    }

    /// The first and the last refusal, if more comes than can be done.
    fn overload(&self, now: Instant) -> Option<(Instant, Instant)> {
        self.refusals.filter(|(_, last)| now.duration_since(*last) < OVERLOAD)
    }

    /// Whether so many come for so long that it is no burst.
    fn is_siege(&self, now: Instant) -> bool {
        let for_long = self.overload(now).is_some_and(|(first, last)| last.duration_since(first) > BURST);
        for_long && self.refused_part > MOST
    }

    /// Threads that no first turn holds, or one that is probably over before the next job comes. One job in a turn is let in
    /// and the others refused: what is not the refused part of a turn is the time from one job to the next.
    fn free_soon(&self, now: Instant) -> usize {
        let nearly_over = |since: &&Instant| now.duration_since(**since) > self.first_turn.mul_f32(self.refused_part);
        let ending = self.beginning.iter().filter(nearly_over).count();
        self.threads.saturating_sub(self.beginning.len()) + ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 100;

    fn refused(times: u64) -> (Pressure, Instant) {
        let (mut pressure, now) = (Pressure::new(1), Instant::now());
        for millisecond in 0..times {
            pressure.decided(true, now + Duration::from_millis(millisecond));
        }
        (pressure, now + Duration::from_millis(times))
    }

    #[test]
    fn one_refusal_narrows_the_room_until_a_calm_second_is_over() {
        let (pressure, now) = refused(1);
        assert_eq!(pressure.narrows(ROOM, now), 1);
        assert_eq!(pressure.narrows(ROOM, now + OVERLOAD), ROOM);
    }

    #[test]
    fn refusals_within_an_instant_are_a_burst_and_such_that_go_on_a_siege() {
        let limit = Duration::from_secs(5);
        let (mut pressure, now) = (Pressure::new(1), Instant::now());
        (0..100).for_each(|_| pressure.decided(true, now));
        assert_eq!(pressure.max_wait(limit, now), limit);
        let (pressure, now) = refused(100);
        assert_eq!(pressure.max_wait(limit, now), BURST);
        assert_eq!(pressure.max_wait(limit, now + OVERLOAD), limit);
    }

    #[test]
    fn where_few_are_refused_it_is_no_siege() {
        let (mut pressure, now) = refused(100);
        (0..40).for_each(|_| pressure.decided(false, now));
        assert!(pressure.refused_part < MOST, "{}", pressure.refused_part);
        assert_eq!(pressure.max_wait(OVERLOAD, now), OVERLOAD);
    }

    #[test]
    fn in_a_siege_the_next_is_let_in_when_a_thread_is_nearly_free() {
        let (mut pressure, now) = refused(100);
        let later = |milliseconds| now + Duration::from_millis(milliseconds);
        pressure.first_turn = Duration::from_millis(10);
        pressure.refused_part = 0.9;
        assert_eq!(pressure.narrows(ROOM, now), 1, "the thread is free");
        pressure.begins(now);
        assert_eq!(pressure.narrows(ROOM, later(8)), 0, "others come before it is free");
        assert_eq!(pressure.narrows(ROOM, later(10)), 1);
        pressure.begun(now, later(42));
        assert_eq!(pressure.first_turn, Duration::from_millis(11), "a 32nd of the difference is learnt");
    }
}
