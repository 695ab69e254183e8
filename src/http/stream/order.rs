//! Sound that comes in numbered pieces, put in order again.

use std::collections::BTreeMap;

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
/// the gap is told, so that the clock of the call stays right.
#[derive(Debug)]
pub struct Order {
    next: Option<u64>,
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: usize,
    last_length: usize,
    longest_gap: usize,
}

impl Order {
    /// Nothing came yet. A gap is told as `longest_gap` bytes at most, however many are missing.
    pub fn new(longest_gap: usize) -> Self {
        Self { next: None, waiting: BTreeMap::new(), waiting_bytes: 0, last_length: 0, longest_gap }
    }

    /// Takes a piece by its number (from 1), and gives what is in order now to `each`. A piece without a number is next.
    pub fn take(&mut self, number: Option<u64>, bytes: Vec<u8>, mut each: impl FnMut(Next<'_>)) {
        let Some(number) = number else { return each(Next::Piece(&bytes)) };
        // Whoever begins far from 1 counts in his own way.
        let next = *self.next.get_or_insert(if number <= MOST_WAITING as u64 { number.min(1) } else { number });
        if number < next || self.waiting.contains_key(&number) {
            return;
        }
        self.waiting_bytes += bytes.len();
        self.waiting.insert(number, bytes);
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
        let (Some(next), Some((first, bytes))) = (self.next, self.waiting.first_key_value()) else { return };
        let length = if self.last_length > 0 { self.last_length } else { bytes.len() };
        let missing = usize::try_from(first.saturating_sub(next)).unwrap_or(usize::MAX);
        each(Next::Gap(missing.saturating_mul(length).min(self.longest_gap)));
        self.next = Some(*first);
        self.give(each);
    }

    fn give(&mut self, each: &mut impl FnMut(Next<'_>)) {
        while let Some(bytes) = self.next.and_then(|next| self.waiting.remove(&next)) {
            self.waiting_bytes -= bytes.len();
            self.last_length = bytes.len();
            self.next = self.next.map(|next| next.saturating_add(1));
            each(Next::Piece(&bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_GAP: usize = 1000;

    /// Each piece is its number, twice; gaps are zeros.
    fn ordered(numbers: &[u64]) -> Vec<u8> {
        let (mut order, mut heard) = (Order::new(LONGEST_GAP), Vec::new());
        let mut hear = |next: Next<'_>| match next {
            Next::Piece(bytes) => heard.extend_from_slice(bytes),
            Next::Gap(length) => heard.extend(vec![0; length]),
        };
        for number in numbers {
            order.take(Some(*number), vec![*number as u8; 2], &mut hear);
        }
        order.finish(&mut hear);
        heard
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
        let (mut order, mut pieces) = (Order::new(LONGEST_GAP), 0);
        order.take(Some(1), vec![1; 160], |_| {});
        for number in 3..3 + 2 * MOST_WAITING as u64 {
            order.take(Some(number), vec![1; 160], |_| pieces += 1);
        }
        assert!(pieces > MOST_WAITING && order.waiting.is_empty());
        let mut order = Order::new(LONGEST_GAP);
        order.take(Some(1), vec![0; 10], |_| {});
        (3..20).for_each(|number| order.take(Some(number), vec![0; 60_000], |_| {}));
        assert!(order.waiting_bytes <= MOST_WAITING_BYTES);
    }

    #[test]
    fn pieces_without_numbers_are_heard_as_they_come() {
        let (mut order, mut heard) = (Order::new(LONGEST_GAP), Vec::new());
        for byte in [3, 1, 2] {
            order.take(None, vec![byte], |next| {
                if let Next::Piece(bytes) = next {
                    heard.extend_from_slice(bytes);
                }
            });
        }
        assert_eq!(heard, [3, 1, 2]);
    }
}
