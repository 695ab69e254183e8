//! Emotone.
fn main() {}
