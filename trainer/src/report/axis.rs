//! Axes with round numbers, evenly or by octaves.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// One axis: where it begins and ends, and the numbers that stand beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// Evenly from `low` to `high`, which is greater, with about `count` numbers.
    pub fn linear(low: f64, high: f64, count: usize) -> Self {
        Self { low, high, logarithmic: false, ticks: ticks(low, high, count) }
    }

    /// By octaves from `low`, above 0, to `high`, which is greater, with 1, 2 and 5 of every decade.
    pub fn logarithmic(low: f64, high: f64) -> Self {
        let decades = low.log10().floor() as i32..=high.log10().floor() as i32;
        let numbers = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|factor| factor * 10.0_f64.powi(decade)));
        Self { low, high, logarithmic: true, ticks: numbers.filter(|tick| (low..=high).contains(tick)).collect() }
    }

    /// The same axis with those of its numbers alone that are whole.
    pub fn whole(mut self) -> Self {
        self.ticks.retain(|tick| tick.fract() == 0.0);
        self
    }

    /// The value at a share of its length, 0 at `low` and 1 at `high`.
    pub fn at(&self, share: f64) -> f64 {
        if self.logarithmic {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + share * (self.high - self.low)
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        number(*value)
    }
}

/// No more digits than it needs, at most two behind the point, with a minus that is one.
pub fn number(value: f64) -> String {
    let rounded = format!("{value:.2}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.replace('-', "\u{2212}") }
}

/// Multiples of 1, 2 or 5 times a power of ten in `[low, high]`, about `count` of them.
fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return vec![low];
    }
    let decade = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|factor| factor * decade).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * decade);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|number| number as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(ticks(0.0, 3.0, 6), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(ticks(-80.0, 0.0, 4), [-80.0, -60.0, -40.0, -20.0, 0.0]);
        assert_eq!(ticks(1.0, 30.0, 6), [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        assert_eq!(ticks(2.0, 2.0, 6), [2.0]);
    }

    #[test]
    fn octaves_have_equal_lengths_and_places_lead_back() {
        let axis = Axis::logarithmic(50.0, 12_800.0);
        assert_eq!(axis.ticks, [50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0]);
        assert_eq!([0, 100, 400, 800], [50.0, 100.0, 800.0, 12_800.0].map(|hz| axis.map(&hz, (0, 800))));
        assert!((axis.at(0.5) - 800.0).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        assert_eq!(["0", "0.5", "12", "\u{2212}80", "0.13"], [0.0, 0.5, 12.0, -80.0, 0.128].map(number));
        assert_eq!(number(-0.001), "0");
    }
}
