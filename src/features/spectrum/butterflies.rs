//! Transforms of four and of eight complex numbers, a set of them in each lane of vector registers.

use std::f64::consts::FRAC_1_SQRT_2;

use pulp::Simd;

/// As many complex numbers as there are lanes.
#[derive(Clone, Copy)]
pub(super) struct Complexes<S: Simd> {
    pub(super) re: S::f64s,
    pub(super) im: S::f64s,
}

#[inline(always)]
pub(super) fn add<S: Simd>(simd: S, one: Complexes<S>, two: Complexes<S>) -> Complexes<S> {
    Complexes { re: simd.add_f64s(one.re, two.re), im: simd.add_f64s(one.im, two.im) }
}

#[inline(always)]
pub(super) fn sub<S: Simd>(simd: S, one: Complexes<S>, two: Complexes<S>) -> Complexes<S> {
    Complexes { re: simd.sub_f64s(one.re, two.re), im: simd.sub_f64s(one.im, two.im) }
}

#[inline(always)]
pub(super) fn mul<S: Simd>(simd: S, one: Complexes<S>, two: Complexes<S>) -> Complexes<S> {
    let (re, im) = (simd.mul_f64s(one.re, two.re), simd.mul_f64s(one.re, two.im));
    Complexes { re: simd.negate_mul_add_f64s(one.im, two.im, re), im: simd.mul_add_f64s(one.im, two.re, im) }
}

/// `one + i·two`
#[inline(always)]
fn add_turned<S: Simd>(simd: S, one: Complexes<S>, two: Complexes<S>) -> Complexes<S> {
    Complexes { re: simd.sub_f64s(one.re, two.im), im: simd.add_f64s(one.im, two.re) }
}

/// `one - i·two`
#[inline(always)]
fn sub_turned<S: Simd>(simd: S, one: Complexes<S>, two: Complexes<S>) -> Complexes<S> {
    Complexes { re: simd.add_f64s(one.re, two.im), im: simd.sub_f64s(one.im, two.re) }
}

/// `exp(-2πi/8)·number`
#[inline(always)]
fn turned_by_an_eighth<S: Simd>(simd: S, number: Complexes<S>) -> Complexes<S> {
    let (scale, sum) = (simd.splat_f64s(FRAC_1_SQRT_2), sub_turned(simd, number, number));
    Complexes { re: simd.mul_f64s(scale, sum.re), im: simd.mul_f64s(scale, sum.im) }
}

/// `X[k] = Σ_n x[n]·exp(-2πi·kn/4)`
#[inline(always)]
pub(super) fn four<S: Simd>(simd: S, [a, b, c, d]: [Complexes<S>; 4]) -> [Complexes<S>; 4] {
    let (even, odd) = (add(simd, a, c), add(simd, b, d));
    let (even_apart, odd_apart) = (sub(simd, a, c), sub(simd, b, d));
    [
        add(simd, even, odd),
        sub_turned(simd, even_apart, odd_apart),
        sub(simd, even, odd),
        add_turned(simd, even_apart, odd_apart),
    ]
}

/// `X[k] = Σ_n x[n]·exp(-2πi·kn/8)`
#[inline(always)]
pub(super) fn eight<S: Simd>(simd: S, [a, b, c, d, e, f, g, h]: [Complexes<S>; 8]) -> [Complexes<S>; 8] {
    let even = four(simd, [a, c, e, g]);
    let odd = four(simd, [b, d, f, h]);
    // An eighth of a turn; the other quarter of the third is in how it is added.
    let (first, third) = (turned_by_an_eighth(simd, odd[1]), turned_by_an_eighth(simd, odd[3]));
    [
        add(simd, even[0], odd[0]),
        add(simd, even[1], first),
        sub_turned(simd, even[2], odd[2]),
        sub_turned(simd, even[3], third),
        sub(simd, even[0], odd[0]),
        sub(simd, even[1], first),
        add_turned(simd, even[2], odd[2]),
        add_turned(simd, even[3], third),
    ]
}
