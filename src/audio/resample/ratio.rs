//! By what the block stage changes the rate, and in blocks of what length.

/// What the block stage multiplies the rate by: `up / down`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    pub(super) up: usize,
    pub(super) down: usize,
}

impl Ratio {
    /// The whole way in one stage if the numbers are smooth and so small that several of them fit into `longest`
    /// samples, else to at least 3.2 times the band that is kept, where the fractional stage has so much room for its
    /// transition that few taps are enough.
    pub(super) fn choose(from_hz: u32, to_hz: u32, longest: usize) -> Self {
        let divisor = greatest_common_divisor(from_hz, to_hz);
        let reduced = |rate: u32| rate.checked_div(divisor).unwrap_or(1) as usize;
        let whole = Self { up: reduced(to_hz), down: reduced(from_hz) };
        if is_smooth(whole.up) && is_smooth(whole.down) && whole.down.saturating_mul(8) <= longest {
            return whole;
        }
        // Of twice the band, which is the lower rate.
        let needed = u64::from(from_hz.min(to_hz)).saturating_mul(8);
        let enough = |ratio: &Self| {
            let reached = u64::from(from_hz).saturating_mul(ratio.up as u64).saturating_mul(5);
            reached >= needed.saturating_mul(ratio.down as u64)
        };
        let decimations = (1..=64_usize).rev().filter(|&down| is_smooth(down)).map(|down| Self { up: 1, down });
        decimations.chain([Self { up: 3, down: 2 }]).find(enough).unwrap_or(Self { up: 2, down: 1 })
    }

    pub(super) fn is_exact(self, from_hz: u32, to_hz: u32) -> bool {
        u64::from(from_hz).checked_mul(self.up as u64) == u64::from(to_hz).checked_mul(self.down as u64)
    }

    /// `length`, a multiple of `down`, at the other rate.
    pub(super) fn apply(self, length: usize) -> usize {
        length.checked_div(self.down).unwrap_or(0).saturating_mul(self.up)
    }

    /// The block length that does the least work a sample: not much overlap, not many stages of the transforms; and a pair
    /// of blocks reaches over no more than `longest` samples.
    pub(super) fn block(self, margin: usize, longest: usize) -> usize {
        let margins = margin.saturating_mul(2);
        let work = |block: usize| {
            let points = |length: usize| length as f64 * (length as f64).log2() * slowness(length);
            (points(block) + points(self.apply(block))) / (block as f64 - margins as f64)
        };
        let lengths = (1..).filter(|&number| is_smooth(number)).map(|number: usize| self.down.saturating_mul(number));
        let reach = |block: usize| block.saturating_mul(2).saturating_sub(margins);
        let candidates = lengths.skip_while(|&block| block <= margins).take_while(|&block| reach(block) <= longest);
        candidates.min_by(|&one, &other| work(one).total_cmp(&work(other))).unwrap_or(margins.saturating_mul(2))
    }
}

/// How much longer transforms of such a length take than of one that their vector code is made for, about, as measured.
fn slowness(length: usize) -> f64 {
    match length {
        _ if length.is_multiple_of(32) => 1.0,
        _ if length.is_multiple_of(2) => 1.3,
        _ => 2.0,
    }
}

/// Whether fast transforms know all prime factors of `number`.
fn is_smooth(number: usize) -> bool {
    let mut rest = number.max(1);
    for prime in [2, 3, 5, 7] {
        while rest.checked_rem(prime) == Some(0) {
            rest = rest.checked_div(prime).unwrap_or(1);
        }
    }
    rest == 1
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    match one.checked_rem(other) {
        None => one.max(1),
        Some(rest) => greatest_common_divisor(other, rest),
    }
}
