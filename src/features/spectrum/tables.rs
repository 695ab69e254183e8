//! All that the transform in rows needs and that does not depend on the frame.

use std::f64::consts::TAU;

use super::hann;

/// Those of one length of frames, and of one width of registers.
#[derive(Debug)]
pub(super) struct Tables {
    /// Complex numbers of a column, a power of two.
    pub(super) length: usize,
    /// Half of Hann's window: the spectra that are taken apart come out twice as large.
    pub(super) window: Vec<f64>,
    /// Which complex number of a column the first stage takes, in the order in which the later ones find it.
    pub(super) order: Vec<u32>,
    /// For each later stage and each place in it, by what the second to fourth number are turned.
    pub(super) turns: Vec<[[f64; 2]; 3]>,
    /// By what a column's odd samples are turned when they join the even ones, for each bin.
    pub(super) odd_turns: Vec<[f64; 2]>,
    /// By what each column is turned when it joins the others, for each bin: real parts, then imaginary parts.
    pub(super) column_turns: Vec<f64>,
}

impl Tables {
    /// For frames of `n_fft` samples, a power of two, in rows of `lanes`.
    pub(super) fn new(n_fft: usize, lanes: usize) -> Self {
        let length = n_fft / 2 / lanes;
        let turn = |part: usize, whole: usize| {
            let angle = -TAU * part as f64 / whole as f64;
            [angle.cos(), angle.sin()]
        };
        let (mut turns, mut size) = (Vec::new(), first_radix(length));
        while size < length {
            turns.extend((0..size).map(|place| [1, 2, 3].map(|number| turn(number * place, 4 * size))));
            size *= 4;
        }
        let column_turns = (0..=length).flat_map(|bin| {
            let all = (0..lanes).map(move |column| turn(column * bin, n_fft));
            all.clone().map(|[re, _]| re).chain(all.map(|[_, im]| im))
        });
        Self {
            length,
            window: hann(n_fft).into_iter().map(|weight| weight / 2.0).collect(),
            order: (0..length).map(|place| from_place(place, length) as u32).collect(),
            turns,
            odd_turns: (0..=length).map(|bin| turn(2 * bin + length, 4 * length)).collect(),
            column_turns: column_turns.collect(),
        }
    }
}

/// What the first stage transforms at once; all later ones four.
pub(super) fn first_radix(length: usize) -> usize {
    if length.trailing_zeros().is_multiple_of(2) { 4 } else { 8 }
}

/// The number of a column that the first stage puts at a place: its digits, by the stages' radices, the other way round.
fn from_place(place: usize, length: usize) -> usize {
    let (mut radix, mut rest, mut left, mut number) = (first_radix(length), place, length, 0);
    while left > 1 {
        left /= radix;
        number += rest % radix * left;
        rest /= radix;
        radix = 4;
    }
    number
}
