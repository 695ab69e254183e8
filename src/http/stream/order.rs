//! Sound that comes in numbered pieces, put in order again.

use std::collections::BTreeMap;

use super::clock::Clock;

/// Pieces that may be ahead of a missing one before it is given up: half a second of Twilio's.
const MOST_WAITING: usize = 25;
/// Bytes that may be ahead.
const MOST_WAITING_BYTES: usize = 64 * 1024;

/// What comes next in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// These bytes.
    Piece(&'a [u8]),
    /// So many bytes are missing.
    Gap(usize),
}

/// One track's pieces. A repeated piece is dropped, an early one waits for those before it, and where one doesn't come
/// the gap is told, so that the clock of the call stays right. Numbers say what comes next, but some count both tracks together, or all
/// messages, or nothing: where a number is not the next one, the piece's time tells whether something is missing, and how much.
/// Some count on over a pause: where the clock has gone on by much more than was heard, that is a gap too.
#[derive(Debug)]
pub struct Order {
    next: Option<u64>,
    waiting: BTreeMap<u64, Piece>,
    waiting_bytes: usize,
    last_length: usize,
    /// When the last piece ended, by its own time.
    ended_ms: Option<f64>,
    bytes_per_ms: f64,
    clock: Clock,
}

/// Bytes, and when they began.
#[derive(Debug)]
pub struct Piece {
    /// Milliseconds on the track's own clock, if it has one.
    pub time_ms: Option<u64>,
    /// What was heard.
    pub bytes: Vec<u8>,
}

impl Order {
    /// Nothing came yet; of what is missing as much is told as a [`Clock`] allows.
    pub fn new(bytes_per_ms: f64, longest_gap: usize) -> Self {
        Self {
            next: None,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            last_length: 0,
            ended_ms: None,
            bytes_per_ms,
            clock: Clock::new(bytes_per_ms, longest_gap),
        }
    }

    /// The call began then, by the clock of the pieces, unless it is known already: what comes first on a track may come late.
    pub fn begin(&mut self, time_ms: u64) {
        self.clock.begin(time_ms);
    }

    /// Takes a piece by its number (from 1), and gives what is in order now to `each`. A piece without a number is next.
    pub fn take(&mut self, number: Option<u64>, piece: Piece, mut each: impl FnMut(Next<'_>)) {
        if let Some(time_ms) = piece.time_ms {
            self.begin(time_ms);
        }
        let Some(number) = number else { return self.hear(&piece, &mut each) };
        // Whoever begins far from 1 counts in his own way.
        let next = *self.next.get_or_insert(if number <= MOST_WAITING as u64 { number.min(1) } else { number });
        // Whoever does not count on, but goes on, does not count at all.
        let is_later = piece.time_ms.zip(self.ended_ms).is_some_and(|(time_ms, ended_ms)| time_ms as f64 >= ended_ms);
        let number = if number < next && (is_later || follows(self.ended_ms, self.bytes_per_ms, &piece)) {
            next
        } else {
            number
        };
        if number < next || self.waiting.contains_key(&number) {
            return;
        }
        self.waiting_bytes += piece.bytes.len();
        self.waiting.insert(number, piece);
        self.give(&mut each);
        while self.waiting.len() > MOST_WAITING || self.waiting_bytes > MOST_WAITING_BYTES {
            self.give_up(&mut each);
        }
    }

    /// Gives everything that waits.
    pub fn finish(&mut self, mut each: impl FnMut(Next<'_>)) {
        while !self.waiting.is_empty() {
            self.give_up(&mut each);
        }
    }

    /// Gives up what is missing before the first piece that waits.
    fn give_up(&mut self, each: &mut impl FnMut(Next<'_>)) {
        let (Some(next), Some((first, piece))) = (self.next, self.waiting.first_key_value()) else { return };
        let length = if self.last_length > 0 { self.last_length } else { piece.bytes.len() };
        let missing = usize::try_from(first.saturating_sub(next)).unwrap_or(usize::MAX);
        let counted = missing.saturating_mul(length);
        // The bytes between a time and the piece's own, unless that is earlier or not said.
        let by_clock = |from_ms: f64| {
            let bytes = (piece.time_ms? as f64 - from_ms) * self.bytes_per_ms;
            (bytes >= 0.0).then_some(bytes as usize)
        };
        let gap = match self.ended_ms {
            Some(ended_ms) => by_clock(ended_ms).unwrap_or(counted),
            // Where nothing came yet, a clock may have begun before the track.
            None if self.last_length == 0 => by_clock(0.0).map_or(counted, |bytes| bytes.min(counted)),
            None => counted,
        };
        self.next = Some(*first);
        each(Next::Gap(self.clock.miss(gap)));
        self.give(each);
    }

    /// Gives what waits and is next, by its number or by its time.
    fn give(&mut self, each: &mut impl FnMut(Next<'_>)) {
        while let Some(entry) = self.waiting.first_entry() {
            let number = *entry.key();
            if self.next != Some(number) && !follows(self.ended_ms, self.bytes_per_ms, entry.get()) {
                return;
            }
            let piece = entry.remove();
            self.waiting_bytes -= piece.bytes.len();
            self.next = Some(number.saturating_add(1));
            self.hear(&piece, each);
        }
    }

    fn hear(&mut self, piece: &Piece, each: &mut impl FnMut(Next<'_>)) {
        let is_first = self.last_length == 0;
        if let Some(gap) = piece.time_ms.and_then(|time_ms| self.clock.catch_up(time_ms, is_first)) {
            each(Next::Gap(gap));
        }
        let length = piece.bytes.len();
        self.clock.hear(length);
        self.last_length = length;
        self.ended_ms = piece.time_ms.map(|time_ms| time_ms as f64 + length as f64 / self.bytes_per_ms);
        each(Next::Piece(&piece.bytes));
    }
}

/// Whether a piece begins when the last one ended, or with the track: nothing is missing then, whatever its number.
fn follows(ended_ms: Option<f64>, bytes_per_ms: f64, piece: &Piece) -> bool {
    let tolerance_ms = 0.5 * piece.bytes.len() as f64 / bytes_per_ms;
    piece.time_ms.is_some_and(|time_ms| (time_ms as f64 - ended_ms.unwrap_or(0.0)).abs() < tolerance_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_GAP: usize = 1000;

    fn piece(bytes: Vec<u8>) -> Piece {
        Piece { time_ms: None, bytes }
    }

    /// Each piece is its number, twice; gaps are zeros.
    fn ordered(numbers: &[u64]) -> Vec<u8> {
        timed(&numbers.iter().map(|number| (*number, None)).collect::<Vec<_>>())
    }

    /// The same with times; a byte lasts a millisecond.
    fn timed(numbers: &[(u64, Option<u64>)]) -> Vec<u8> {
        let (mut order, mut heard) = (Order::new(1.0, LONGEST_GAP), Vec::new());
        let mut hear = |next: Next<'_>| match next {
            Next::Piece(bytes) => heard.extend_from_slice(bytes),
            Next::Gap(length) => heard.extend(vec![0; length]),
        };
        for (number, time_ms) in numbers {
            order.take(Some(*number), Piece { time_ms: *time_ms, bytes: vec![*number as u8; 2] }, &mut hear);
        }
        order.finish(&mut hear);
        heard
    }

    #[test]
    fn where_pieces_say_their_time_it_matters_little_how_they_are_counted() {
        let at = |pieces: &[(u64, u64)]| {
            timed(&pieces.iter().map(|(number, time_ms)| (*number, Some(*time_ms))).collect::<Vec<_>>())
        };
        // One count for both tracks, one for all messages, and none.
        assert_eq!(at(&[(1, 0), (3, 2), (5, 4)]), [1, 1, 3, 3, 5, 5]);
        assert_eq!(at(&[(2, 0), (3, 2), (4, 4)]), [2, 2, 3, 3, 4, 4]);
        assert_eq!(at(&[(1, 0), (1, 2), (1, 4)]), [1; 6]);
        // One is lost, comes twice, or too early.
        assert_eq!(at(&[(1, 0), (5, 4), (7, 6)]), [1, 1, 0, 0, 5, 5, 7, 7]);
        assert_eq!(at(&[(2, 2), (3, 4)]), [0, 0, 2, 2, 3, 3]);
        assert_eq!(at(&[(1, 0), (2, 2), (2, 2), (4, 6), (3, 4)]), [1, 1, 2, 2, 3, 3, 4, 4]);
        // Clocks that stand still, or began long ago.
        assert_eq!(at(&[(1, 7), (2, 7), (4, 7)]), [1, 1, 2, 2, 0, 0, 4, 4]);
        assert_eq!(at(&[(1, 5000), (2, 5002), (4, 5006)]), [1, 1, 2, 2, 0, 0, 4, 4]);
        assert_eq!(at(&[(3, 5000), (4, 5002)]), [0, 0, 0, 0, 3, 3, 4, 4]);
    }

    #[test]
    fn a_clock_that_has_gone_on_tells_a_gap_that_no_number_tells() {
        let length = |times: &[u64]| {
            let pieces: Vec<_> = (1..).zip(times.iter().map(|time_ms| Some(*time_ms))).collect();
            timed(&pieces).len()
        };
        assert_eq!(timed(&[(1, Some(0)), (2, Some(302)), (3, Some(304))])[300..], [0, 0, 2, 2, 3, 3]);
        assert_eq!(length(&[5000, 5302, 5304]), 306, "a clock that began long ago");
        assert_eq!(length(&[0, 202, 204]), 6, "it trembles");
        assert_eq!(length(&[0, 20_000, 20_002, 20_004]), LONGEST_GAP + 8, "what is too long is not made up for later");
        let hurries: Vec<u64> = (0..200).map(|place| 4 * place).collect();
        assert!(length(&hurries).abs_diff(800) <= 200, "small gaps add up");
        let by_the_second: Vec<u64> = (0..2000).map(|place| place / 500 * 1000).collect();
        assert_eq!(length(&by_the_second), 4000, "it stands still between");
        assert_eq!(length(&[5000, 0, 2, 4, 5000]), 10, "it goes back");
        let far: Vec<u64> = (0..60).map(|place| place * 1_000_000).collect();
        assert!(length(&far) <= LONGEST_GAP + 2 * 2 * far.len());
    }

    #[test]
    fn a_track_that_begins_later_than_its_call_begins_with_a_gap() {
        for (begins_ms, number, expected) in [(0, 1, 52), (5000, 1, 52), (5000, 70, 52), (5050, 1, 2), (9000, 1, 2)] {
            let (mut order, mut length) = (Order::new(1.0, LONGEST_GAP), 0);
            order.begin(begins_ms);
            let time_ms = if begins_ms == 0 { 50 } else { 5050 };
            let late = Piece { time_ms: Some(time_ms), bytes: vec![1; 2] };
            order.take(Some(number), late, |next| match next {
                Next::Piece(bytes) => length += bytes.len(),
                Next::Gap(bytes) => length += bytes,
            });
            assert_eq!(length, expected, "begun at {begins_ms}, number {number}");
        }
    }

    #[test]
    fn one_lost_piece_costs_its_own_time_however_pieces_are_counted_and_clocks_tremble() {
        let tremble = |place: u64| [0, 2, 1, 0, 2][place as usize % 5];
        for number in [|place: u64| 1 + place, |place| 1 + 2 * place, |place| 3 + place, |_| 1] {
            let (mut order, mut length) = (Order::new(1.0, LONGEST_GAP), 0);
            let mut hear = |next: Next<'_>| match next {
                Next::Piece(bytes) => length += bytes.len(),
                Next::Gap(bytes) => length += bytes,
            };
            for place in (0..100).filter(|place| *place != 40) {
                let piece = Piece { time_ms: Some(20 * place + tremble(place)), bytes: vec![1; 20] };
                order.take(Some(number(place)), piece, &mut hear);
            }
            assert!(order.waiting.is_empty(), "{order:?}");
            // Who does not count at all has no number to miss.
            let expected = if number(1) == number(0) { 1980 } else { 2000 };
            assert!(length.abs_diff(expected) <= 4, "{length} instead of {expected}");
        }
    }

    #[test]
    fn who_sends_little_is_not_heard_for_long() {
        let far: Vec<u64> = (0..60).map(|place| 1 + place * 1_000_000).collect();
        assert!(ordered(&far).len() <= LONGEST_GAP + 2 * 2 * far.len());
    }

    #[test]
    fn pieces_are_heard_in_order_and_once() {
        let expected = [1, 1, 2, 2, 3, 3, 4, 4];
        for numbers in [&[1, 2, 3, 4][..], &[1, 3, 2, 4], &[2, 1, 3, 4], &[1, 2, 2, 3, 1, 4, 4], &[4, 3, 2, 1]] {
            assert_eq!(ordered(numbers), expected, "{numbers:?}");
        }
    }

    #[test]
    fn what_is_missing_is_silence_of_its_length() {
        assert_eq!(ordered(&[1, 2, 4]), [1, 1, 2, 2, 0, 0, 4, 4]);
        let long: Vec<u64> = std::iter::once(1).chain(3..60).collect();
        assert_eq!(ordered(&long)[..6], [1, 1, 0, 0, 3, 3]);
    }

    #[test]
    fn an_absurd_number_costs_the_longest_gap_at_most() {
        assert_eq!(ordered(&[1, u64::MAX]).len(), 2 + LONGEST_GAP + 2);
        assert_eq!(ordered(&[1_000_000, 1_000_001]).len(), 4);
    }

    #[test]
    fn a_missing_piece_is_not_waited_for_for_ever() {
        let (mut order, mut pieces) = (Order::new(1.0, LONGEST_GAP), 0);
        order.take(Some(1), piece(vec![1; 160]), |_| {});
        for number in 3..3 + 2 * MOST_WAITING as u64 {
            order.take(Some(number), piece(vec![1; 160]), |_| pieces += 1);
        }
        assert!(pieces > MOST_WAITING && order.waiting.is_empty());
        let mut order = Order::new(1.0, LONGEST_GAP);
        order.take(Some(1), piece(vec![0; 10]), |_| {});
        (3..20).for_each(|number| order.take(Some(number), piece(vec![0; 60_000]), |_| {}));
        assert!(order.waiting_bytes <= MOST_WAITING_BYTES);
    }

    #[test]
    fn pieces_without_numbers_are_heard_as_they_come() {
        let (mut order, mut heard) = (Order::new(1.0, LONGEST_GAP), Vec::new());
        for byte in [3, 1, 2] {
            order.take(None, piece(vec![byte]), |next| {
                if let Next::Piece(bytes) = next {
                    heard.extend_from_slice(bytes);
                }
            });
        }
        assert_eq!(heard, [3, 1, 2]);
    }
}
