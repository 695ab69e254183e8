//! Times small pieces of work.

use std::hint::black_box;
use std::time::Instant;

/// Best time of `runs`, in microseconds.
pub fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    let timed = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..runs).map(timed).fold(f64::INFINITY, f64::min) * 1e6
}
