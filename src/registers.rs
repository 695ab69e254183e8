//! Vector registers of a width that a loop likes.

use pulp::WithSimd;
#[cfg(target_arch = "x86_64")]
use pulp::{Arch, Scalar, Simd};

/// Runs a loop in the widest registers that hold at most eight numbers of single precision.
#[cfg(target_arch = "x86_64")]
pub(crate) fn in_eights<Op: WithSimd>(op: Op) -> Op::Output {
    match Arch::new() {
        Arch::V4(registers) => Simd::vectorize(*registers, op),
        Arch::V3(registers) => Simd::vectorize(registers, op),
        _ => Simd::vectorize(Scalar, op),
    }
}

/// The same, where none are wider.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn in_eights<Op: WithSimd>(op: Op) -> Op::Output {
    pulp::Arch::new().dispatch(op)
}
