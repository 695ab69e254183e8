//! What registers do across lanes.

use std::arch::x86_64::__m512d;

use pulp::x86::{V3, V4};
use pulp::{Simd, cast};

use super::butterflies::{Complexes, eight, four};

/// Registers of so many lanes of double precision, and what is done with squares of them.
pub(super) trait Square<const LANES: usize>: Simd {
    /// A row of samples.
    fn row(samples: [f32; LANES]) -> Self::f64s;

    /// Rows become columns.
    fn transposed(self, rows: [Self::f64s; LANES]) -> [Self::f64s; LANES];

    /// The power of a transform across the rows, of their real and imaginary parts.
    fn joined(self, re: [Self::f64s; LANES], im: [Self::f64s; LANES]) -> [[f64; LANES]; LANES];
}

impl Square<8> for V4 {
    #[inline(always)]
    fn row(samples: [f32; 8]) -> Self::f64s {
        cast(samples.map(f64::from))
    }

    #[inline(always)]
    fn transposed(self, rows: [Self::f64s; 8]) -> [Self::f64s; 8] {
        let registers = self.avx512f;
        let (mut even, mut odd) = ([registers._mm512_setzero_pd(); 4], [registers._mm512_setzero_pd(); 4]);
        for (pair, [one, two]) in rows.as_chunks::<2>().0.iter().enumerate() {
            even[pair] = registers._mm512_unpacklo_pd(cast(*one), cast(*two));
            odd[pair] = registers._mm512_unpackhi_pd(cast(*one), cast(*two));
        }
        let ([a, c, e, g], [b, d, f, h]) = (transposed_quarters(self, even), transposed_quarters(self, odd));
        [cast(a), cast(b), cast(c), cast(d), cast(e), cast(f), cast(g), cast(h)]
    }

    #[inline(always)]
    fn joined(self, re: [Self::f64s; 8], im: [Self::f64s; 8]) -> [[f64; 8]; 8] {
        let mut rows = [Complexes { re: re[0], im: im[0] }; 8];
        for (row, (re, im)) in rows.iter_mut().zip(re.into_iter().zip(im)) {
            *row = Complexes { re, im };
        }
        powers(self, eight(self, rows))
    }
}

/// Rows of four pairs become columns of pairs.
#[inline(always)]
fn transposed_quarters(simd: V4, [a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
    /// First and third pair of each; second and fourth.
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let registers = simd.avx512f;
    let even = registers._mm512_shuffle_f64x2::<EVEN>(a, b);
    let odd = registers._mm512_shuffle_f64x2::<ODD>(a, b);
    let even_below = registers._mm512_shuffle_f64x2::<EVEN>(c, d);
    let odd_below = registers._mm512_shuffle_f64x2::<ODD>(c, d);
    [
        registers._mm512_shuffle_f64x2::<EVEN>(even, even_below),
        registers._mm512_shuffle_f64x2::<EVEN>(odd, odd_below),
        registers._mm512_shuffle_f64x2::<ODD>(even, even_below),
        registers._mm512_shuffle_f64x2::<ODD>(odd, odd_below),
    ]
}

impl Square<4> for V3 {
    #[inline(always)]
    fn row(samples: [f32; 4]) -> Self::f64s {
        cast(samples.map(f64::from))
    }

    #[inline(always)]
    fn transposed(self, [a, b, c, d]: [Self::f64s; 4]) -> [Self::f64s; 4] {
        /// The lower halves of both; the upper ones.
        const LOWER: i32 = 0x20;
        const UPPER: i32 = 0x31;
        let registers = self.avx;
        let even = registers._mm256_unpacklo_pd(cast(a), cast(b));
        let odd = registers._mm256_unpackhi_pd(cast(a), cast(b));
        let even_below = registers._mm256_unpacklo_pd(cast(c), cast(d));
        let odd_below = registers._mm256_unpackhi_pd(cast(c), cast(d));
        [
            cast(registers._mm256_permute2f128_pd::<LOWER>(even, even_below)),
            cast(registers._mm256_permute2f128_pd::<LOWER>(odd, odd_below)),
            cast(registers._mm256_permute2f128_pd::<UPPER>(even, even_below)),
            cast(registers._mm256_permute2f128_pd::<UPPER>(odd, odd_below)),
        ]
    }

    #[inline(always)]
    fn joined(self, re: [Self::f64s; 4], im: [Self::f64s; 4]) -> [[f64; 4]; 4] {
        let mut rows = [Complexes { re: re[0], im: im[0] }; 4];
        for (row, (re, im)) in rows.iter_mut().zip(re.into_iter().zip(im)) {
            *row = Complexes { re, im };
        }
        powers(self, four(self, rows))
    }
}

#[inline(always)]
fn powers<S: Simd, const LANES: usize>(simd: S, numbers: [Complexes<S>; LANES]) -> [[f64; LANES]; LANES] {
    let mut powers = [[0.0; LANES]; LANES];
    for (power, number) in powers.iter_mut().zip(numbers) {
        let square = simd.mul_f64s(number.im, number.im);
        power.copy_from_slice(pulp::bytemuck::cast_slice(&[simd.mul_add_f64s(number.re, number.re, square)]));
    }
    powers
}
