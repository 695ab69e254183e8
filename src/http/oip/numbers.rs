//! The numbers of a tensor as JSON has them.

use std::fmt;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::room::grown;

/// Bytes that the numbers of some JSON take at most: two of them have a comma between.
pub fn most_bytes(json: &[u8]) -> usize {
    let commas = json.iter().filter(|byte| **byte == b',').count();
    grown::<f32>(commas + 1).saturating_mul(size_of::<f32>())
}

/// The numbers of nested lists, one after the other as they are read: a tree of them would be many times as large.
#[derive(Debug, Default)]
pub struct Numbers(pub Vec<f32>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut numbers = Self::default();
        deserializer.deserialize_any(Collector(&mut numbers.0))?;
        Ok(numbers)
    }
}

/// Appends what is read.
struct Collector<'a>(&'a mut Vec<f32>);

impl Collector<'_> {
    fn push(self, number: f32) {
        let length = self.0.len();
        if length == self.0.capacity() {
            self.0.reserve_exact(grown::<f32>(length) - length);
        }
        self.0.push(number);
    }
}

impl<'de> DeserializeSeed<'de> for Collector<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collector<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers, or lists of numbers")
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.push(number as f32);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.push(number as f32);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.push(number as f32);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_element_seed(Collector(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_no_more_than_was_counted() {
        for count in [1, 5_000, 100_000, 1_000_000] {
            let json = format!("[{}0]", "0,".repeat(count - 1));
            let numbers: Numbers = serde_json::from_str(&json).unwrap();
            assert_eq!(numbers.0.len(), count);
            assert!(numbers.0.capacity() * size_of::<f32>() <= most_bytes(json.as_bytes()), "{count}");
        }
    }
}
