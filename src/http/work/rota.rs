//! Whose turn it is: the order of work, without threads and without a clock of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::pressure::Pressure;

/// How much may be at work and waiting.
#[derive(Debug, Clone, Copy)]
pub struct RotaLimits {
    /// Begun and not finished at a time.
    pub max_at_work: usize,
    /// Not yet begun at a time, beyond those that can begin at once.
    pub max_waiting: usize,
    /// Threads that work. While more comes than can be done, no more jobs wait than these can begin next.
    pub threads: usize,
    /// Longest wait for the first turn.
    pub max_wait: Duration,
}

/// Something that takes turns.
pub trait Rotating {
    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Turn<J> {
    /// The first piece of a job, which counts as at work from now on.
    First(J),
    /// The next piece of a job that had turns before.
    Next(J),
    /// It waited for too long: refuse it.
    Late(J),
}

/// The order of work. New jobs get their first turn before others get their next, turn about, so that short jobs are done
/// at once and long ones still go on.
#[derive(Debug)]
pub struct Rota<J> {
    limits: RotaLimits,
    waiting: VecDeque<(Instant, J)>,
    round: VecDeque<J>,
    at_work: usize,
    round_has_turn: bool,
    pressure: Pressure,
}

impl<J: Rotating> Rota<J> {
    /// Nothing to do yet.
    pub fn new(limits: RotaLimits) -> Self {
        let (waiting, round) = (VecDeque::new(), VecDeque::new());
        let pressure = Pressure::new(limits.threads);
        Self { limits, waiting, round, at_work: 0, round_has_turn: false, pressure }
    }

    /// Whether one more job is turned away; who is not has still to [`enter`](Self::enter), and counts as let in then.
    pub fn refuses(&mut self, now: Instant) -> bool {
        let can_begin = self.limits.max_at_work.saturating_sub(self.at_work).min(self.limits.threads);
        let room = self.pressure.narrows(can_begin.saturating_add(self.limits.max_waiting), now);
        if self.waiting.len() >= room {
            self.waiting.retain(|(_, waiting)| !waiting.is_abandoned());
        }
        let refused = self.waiting.len() >= room;
        if refused {
            self.pressure.decided(true, now);
        }
        refused
    }

    /// Lets a job in, or gives it back if there is no room.
    pub fn enter(&mut self, job: J, now: Instant) -> Result<(), J> {
        if self.refuses(now) {
            return Err(job);
        }
        self.pressure.decided(false, now);
        self.waiting.push_back((now, job));
        Ok(())
    }

    /// The next turn, if there is anything that can be done.
    pub fn next(&mut self, now: Instant) -> Option<Turn<J>> {
        while self.waiting.pop_front_if(|(_, waiting)| waiting.is_abandoned()).is_some() {}
        let can_begin = self.at_work < self.limits.max_at_work;
        let max_wait = self.pressure.max_wait(self.limits.max_wait, now);
        // Who may not wait at all may still be handed over.
        let begins_at_once = self.limits.max_wait.is_zero() && can_begin;
        let is_late = |(since, _): &mut (Instant, J)| !begins_at_once && now.duration_since(*since) > max_wait;
        if let Some((_, late)) = self.waiting.pop_front_if(is_late) {
            return Some(Turn::Late(late));
        }
        self.round_has_turn = !self.round_has_turn;
        if can_begin
            && (!self.round_has_turn || self.round.is_empty())
            && let Some((_, job)) = self.waiting.pop_front()
        {
            self.at_work += 1;
            self.pressure.begins(now);
            return Some(Turn::First(job));
        }
        self.round.pop_front().map(Turn::Next)
    }

    /// The first turn that began at `since` is over; whether its job needs more is told next.
    pub fn begun(&mut self, since: Instant, now: Instant) {
        self.pressure.begun(since, now);
    }

    /// Takes back a job that needs more turns.
    pub fn again(&mut self, job: J) {
        self.round.push_back(job);
    }

    /// A job is over.
    pub fn finished(&mut self) {
        self.at_work = self.at_work.saturating_sub(1);
    }

    /// Jobs that had no turn yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Jobs begun and not finished.
    pub fn at_work(&self) -> usize {
        self.at_work
    }

    /// Gives up all jobs.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.round.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Rotating for &str {
        fn is_abandoned(&self) -> bool {
            self.starts_with("abandoned")
        }
    }

    fn rota(max_at_work: usize, max_waiting: usize) -> (Rota<&'static str>, Instant) {
        let max_wait = Duration::from_secs(5);
        (Rota::new(RotaLimits { max_at_work, max_waiting, threads: 1, max_wait }), Instant::now())
    }

    #[test]
    fn a_short_job_gets_its_turn_between_the_steps_of_long_ones() {
        let (mut rota, now) = rota(10, 10);
        rota.enter("long", now).unwrap();
        assert_eq!(rota.next(now), Some(Turn::First("long")));
        rota.again("long");
        rota.enter("short", now).unwrap();
        rota.enter("shorter", now).unwrap();
        let mut turns = Vec::new();
        while let Some(turn) = rota.next(now) {
            turns.push(turn);
        }
        assert!(turns.iter().position(|turn| *turn == Turn::First("short")).unwrap() <= 1, "{turns:?}");
        assert_eq!(turns.len(), 3);
        assert_eq!(rota.at_work(), 3);
    }

    #[test]
    fn beyond_the_limits_nobody_is_let_in() {
        let (mut rota, now) = rota(1, 2);
        for job in ["one", "two", "three"] {
            rota.enter(job, now).unwrap();
        }
        assert_eq!(rota.enter("four", now), Err("four"));
        assert_eq!(rota.next(now), Some(Turn::First("one")));
        assert_eq!(rota.next(now), None, "one is at work, and more must not begin");
        rota.finished();
        rota.enter("four", now + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn abandoned_jobs_make_room() {
        let (mut rota, now) = rota(1, 0);
        rota.enter("abandoned", now).unwrap();
        rota.enter("wanted", now).unwrap();
        assert_eq!(rota.next(now), Some(Turn::First("wanted")));
    }

    #[test]
    fn who_waited_for_too_long_is_told_so() {
        let (mut rota, now) = rota(1, 5);
        rota.enter("one", now).unwrap();
        rota.next(now);
        rota.enter("two", now).unwrap();
        assert_eq!(rota.next(now + Duration::from_secs(1)), None);
        assert_eq!(rota.next(now + Duration::from_secs(6)), Some(Turn::Late("two")));
    }

    #[test]
    fn who_may_not_wait_begins_at_once_or_never() {
        let (mut rota, now) = rota(1, 5);
        rota.limits.max_wait = Duration::ZERO;
        let soon = now + Duration::from_micros(50);
        rota.enter("one", now).unwrap();
        assert_eq!(rota.next(soon), Some(Turn::First("one")));
        rota.enter("two", soon).unwrap();
        assert_eq!(rota.next(soon + Duration::from_micros(50)), Some(Turn::Late("two")));
    }

    #[test]
    fn who_is_let_in_under_overload_does_not_wait_for_long() {
        let (mut rota, now) = rota(1, 2);
        for job in ["one", "two", "three"] {
            rota.enter(job, now).unwrap();
        }
        assert!(rota.refuses(now));
        while let Some(Turn::First(_)) = rota.next(now) {
            rota.begun(now, now);
            rota.finished();
        }
        rota.enter("next", now).unwrap();
        assert_eq!(rota.enter("too many now", now), Err("too many now"));
        rota.enter("calm again", now + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn where_most_are_refused_nobody_waits_for_long() {
        let (mut rota, now) = rota(10, 0);
        let later = |milliseconds| now + Duration::from_millis(milliseconds);
        rota.enter("first", now).unwrap();
        assert_eq!(rota.next(now), Some(Turn::First("first")));
        rota.enter("waits", now).unwrap();
        for millisecond in 0..100 {
            assert!(rota.refuses(later(millisecond)));
        }
        rota.begun(now, later(320));
        rota.finished();
        assert_eq!(rota.next(later(320)), Some(Turn::Late("waits")), "it came before the siege was seen");
        rota.enter("begins", later(320)).unwrap();
        assert_eq!(rota.next(later(320)), Some(Turn::First("begins")));
        assert!(rota.refuses(later(328)), "the thread has its hands full, and others come before it is free");
        rota.enter("soon", later(330)).unwrap();
        assert!(rota.refuses(later(330)), "two cannot begin at once");
        rota.begun(later(320), later(330));
        rota.again("begins");
        assert_eq!(rota.next(later(330)), Some(Turn::Next("begins")));
        assert_eq!(rota.next(later(330)), Some(Turn::First("soon")));
    }

    #[test]
    fn a_burst_is_served_to_its_end() {
        let (mut rota, now) = rota(10, 60);
        for _ in 0..61 {
            rota.enter("one of many", now).unwrap();
        }
        for _ in 0..100 {
            assert!(rota.refuses(now));
        }
        for turn in 0..61_u64 {
            assert_eq!(rota.next(now + Duration::from_millis(turn * 50)), Some(Turn::First("one of many")));
            rota.finished();
        }
    }
}
