//! The power spectrum in vector registers: lengths that are powers of two.
//!
//! A frame is read as rows of as many samples as a register has lanes. All columns are transformed at once, each in its
//! lane, where nothing has to change lanes: their even samples as real parts, their odd ones as imaginary parts, and the
//! spectra of both taken apart. Only then are they joined across lanes, a square of rows at a time:
//!
//! `X[q + p·Q] = Σ_j exp(-2πi·jp/lanes) · exp(-2πi·jq/n_fft) · Y_j[q]`, with `Y_j` the spectrum of column `j`, of `Q` samples.
//!
//! A library's transform must be given the frame weighed, and its spectrum be unpacked, which took a third of the time. Here
//! both are part of the way.

use std::sync::Arc;

use pulp::{Arch, NullaryFnOnce, Simd};

use super::butterflies::{Complexes, add, eight, four, mul, sub};
use super::square::Square;
use super::tables::{Tables, first_radix};
use super::to_single;

/// [`PowerSpectrum`](super::PowerSpectrum) in the registers of this processor.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    tables: Arc<Tables>,
    /// Real parts, then imaginary parts, of each of the columns' complex numbers, a lane for each column.
    work: Vec<f64>,
}

impl Rows {
    /// None for other lengths, those that are too short for a square of rows, and processors without such registers.
    pub(super) fn new(n_fft: usize) -> Option<Self> {
        let lanes = match Arch::new() {
            Arch::V4(_) => 8,
            Arch::V3(_) => 4,
            _ => return None,
        };
        let tables = (n_fft.is_power_of_two() && n_fft >= 2 * lanes * lanes).then(|| Tables::new(n_fft, lanes))?;
        Some(Self { work: vec![0.0; 2 * tables.length * lanes], tables: tables.into() })
    }

    /// As [`PowerSpectrum::apply`](super::PowerSpectrum::apply).
    pub(super) fn apply(&mut self, frame: &[f32], power: &mut [f32]) {
        match Arch::new() {
            Arch::V4(simd) => simd.vectorize(Run::<8, _> { simd, rows: self, frame, power }),
            Arch::V3(simd) => simd.vectorize(Run::<4, _> { simd, rows: self, frame, power }),
            _ => {}
        }
    }
}

/// [`Rows::apply`] in some registers. A closure would not be compiled for them.
struct Run<'a, const LANES: usize, S> {
    simd: S,
    rows: &'a mut Rows,
    frame: &'a [f32],
    power: &'a mut [f32],
}

impl<const LANES: usize, S: Square<LANES>> NullaryFnOnce for Run<'_, LANES, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { simd, rows: Rows { tables, work }, frame, power } = self;
        let (work, _) = S::as_mut_simd_f64s(work);
        let (work, _) = work.as_chunks_mut::<2>();
        tables.begin(simd, frame.as_chunks::<LANES>().0, work);
        tables.go_on(simd, work);
        tables.join(simd, work, power);
    }
}

impl Tables {
    /// First stage of the columns' transforms, of weighed samples.
    #[inline(always)]
    fn begin<const LANES: usize, S: Square<LANES>>(&self, simd: S, frame: &[[f32; LANES]], work: &mut [[S::f64s; 2]]) {
        let (window, _) = S::as_simd_f64s(&self.window);
        if first_radix(self.length) == 8 {
            for (numbers, order) in work.as_chunks_mut::<8>().0.iter_mut().zip(self.order.as_chunks::<8>().0) {
                let mut heard = [zero(simd); 8];
                for (number, place) in heard.iter_mut().zip(order) {
                    *number = weighed(simd, frame, window, *place as usize);
                }
                store(numbers, eight(simd, heard));
            }
        } else {
            for (numbers, order) in work.as_chunks_mut::<4>().0.iter_mut().zip(self.order.as_chunks::<4>().0) {
                let mut heard = [zero(simd); 4];
                for (number, place) in heard.iter_mut().zip(order) {
                    *number = weighed(simd, frame, window, *place as usize);
                }
                store(numbers, four(simd, heard));
            }
        }
    }

    /// The other stages: each makes one transform of four.
    #[inline(always)]
    fn go_on<S: Simd>(&self, simd: S, work: &mut [[S::f64s; 2]]) {
        let (mut size, mut turns) = (first_radix(self.length), &self.turns[..]);
        while size < self.length {
            let (own, later) = turns.split_at(size);
            for block in work.chunks_exact_mut(4 * size) {
                let (first, second) = block.split_at_mut(2 * size);
                let ((a, b), (c, d)) = (first.split_at_mut(size), second.split_at_mut(size));
                for ((((a, b), c), d), [of_b, of_c, of_d]) in a.iter_mut().zip(b).zip(c).zip(d).zip(own) {
                    let numbers = [
                        number(*a),
                        mul(simd, number(*b), splat(simd, *of_b)),
                        mul(simd, number(*c), splat(simd, *of_c)),
                        mul(simd, number(*d), splat(simd, *of_d)),
                    ];
                    let [at_a, at_b, at_c, at_d] = four(simd, numbers);
                    (*a, *b) = ([at_a.re, at_a.im], [at_b.re, at_b.im]);
                    (*c, *d) = ([at_c.re, at_c.im], [at_d.re, at_d.im]);
                }
            }
            (size, turns) = (4 * size, later);
        }
    }

    /// Takes the spectra of even and odd samples apart, joins the columns, and gives the power of each bin.
    #[inline(always)]
    fn join<const LANES: usize, S: Square<LANES>>(&self, simd: S, work: &[[S::f64s; 2]], power: &mut [f32]) {
        let (column_turns, _) = S::as_simd_f64s(&self.column_turns);
        let (column_turns, _) = column_turns.as_chunks::<2>();
        let (length, last) = (self.length, self.length + 1 - LANES);
        let mut first = 0;
        loop {
            let (mut re, mut im) = ([simd.splat_f64s(0.0); LANES], [simd.splat_f64s(0.0); LANES]);
            for row in 0..LANES {
                let bin = first + row;
                // The bin beyond the last is the first again.
                let (here, mirrored) = (number(work[bin & (length - 1)]), number(work[(length - bin) & (length - 1)]));
                let mirrored = Complexes { im: simd.neg_f64s(mirrored.im), ..mirrored };
                let odd = mul(simd, sub(simd, here, mirrored), splat(simd, self.odd_turns[bin]));
                let column = add(simd, add(simd, here, mirrored), odd);
                let turned = mul(simd, column, number(column_turns[bin]));
                (re[row], im[row]) = (turned.re, turned.im);
            }
            let powers = simd.joined(simd.transposed(re), simd.transposed(im));
            for (part, powers) in powers.into_iter().enumerate() {
                let mut powers = powers.map(to_single);
                // The upper half of the circle is the lower one's mirror image.
                let start = if part < LANES / 2 {
                    first + 2 * length * part
                } else {
                    powers.reverse();
                    2 * length * (LANES - part) + 1 - first - LANES
                };
                if let Some(place) = power.get_mut(start..start + LANES) {
                    place.copy_from_slice(&powers);
                }
            }
            if first == last {
                return;
            }
            // The last square has some bins of the one before.
            first = (first + LANES).min(last);
        }
    }
}

#[inline(always)]
fn zero<S: Simd>(simd: S) -> Complexes<S> {
    splat(simd, [0.0; 2])
}

#[inline(always)]
fn splat<S: Simd>(simd: S, [re, im]: [f64; 2]) -> Complexes<S> {
    Complexes { re: simd.splat_f64s(re), im: simd.splat_f64s(im) }
}

#[inline(always)]
fn number<S: Simd>([re, im]: [S::f64s; 2]) -> Complexes<S> {
    Complexes { re, im }
}

#[inline(always)]
fn store<S: Simd, const COUNT: usize>(places: &mut [[S::f64s; 2]; COUNT], numbers: [Complexes<S>; COUNT]) {
    for (place, number) in places.iter_mut().zip(numbers) {
        *place = [number.re, number.im];
    }
}

/// A complex number of all columns: two rows of the frame.
#[inline(always)]
fn weighed<const LANES: usize, S: Square<LANES>>(
    simd: S,
    frame: &[[f32; LANES]],
    window: &[S::f64s],
    place: usize,
) -> Complexes<S> {
    let (even, odd) = (S::row(frame[2 * place]), S::row(frame[2 * place + 1]));
    Complexes { re: simd.mul_f64s(even, window[2 * place]), im: simd.mul_f64s(odd, window[2 * place + 1]) }
}

#[cfg(test)]
mod tests {
    use pulp::x86::{V3, V4};

    use super::super::pairs::Pairs;
    use super::*;

    /// Compares powers with a library's, for lengths from the shortest on.
    fn compare<const LANES: usize, S: Square<LANES>>(mut run: impl FnMut(Run<'_, LANES, S>), simd: S) {
        for n_fft in (1..7).map(|more| (LANES * LANES) << more) {
            let frame: Vec<f32> = (0..n_fft).map(|n| ((n * n * 7) % 23) as f32 - 11.0).collect();
            let (mut power, mut expected) = (vec![f32::NAN; n_fft / 2 + 1], vec![f32::NAN; n_fft / 2 + 1]);
            let mut rows = Rows { work: vec![0.0; n_fft], tables: Tables::new(n_fft, LANES).into() };
            run(Run { simd, rows: &mut rows, frame: &frame, power: &mut power });
            Pairs::new(n_fft).apply(&frame, &mut expected);
            for (bin, (power, expected)) in power.iter().zip(&expected).enumerate() {
                assert!((power - expected).abs() <= 1e-6 * expected, "{bin} of {n_fft}: {power}, {expected}");
            }
        }
    }

    #[test]
    fn registers_of_either_width_give_the_same_powers() {
        if let Some(simd) = V3::try_new() {
            compare(|run: Run<'_, 4, V3>| simd.vectorize(run), simd);
        }
        if let Some(simd) = V4::try_new() {
            compare(|run: Run<'_, 8, V4>| simd.vectorize(run), simd);
        }
    }
}
