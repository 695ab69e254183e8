//! What a request says beside its numbers: so little that nobody counts the memory it takes.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Entries of a list: an input, an output and three dimensions are what is needed.
const MOST_ENTRIES: usize = 16;
/// Bytes of an id or a name.
const MOST_BYTES: usize = 1024;

/// A short list.
pub fn few<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Few::deserialize(deserializer).map(|few| few.0)
}

/// A short list, or `null` for an empty one.
pub fn few_or_none<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::<Few<T>>::deserialize(deserializer).map(|few| few.map_or_else(Vec::new, |few| few.0))
}

/// A short text.
pub fn short<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Short::deserialize(deserializer).map(|text| text.0)
}

/// A short text, or `null`.
pub fn short_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<Short>::deserialize(deserializer).map(|text| text.map(|text| text.0))
}

struct Few<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FewVisitor(PhantomData))
    }
}

struct FewVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FewVisitor<T> {
    type Value = Few<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {MOST_ENTRIES} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Few<T>, A::Error> {
        let mut few = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if few.len() == MOST_ENTRIES {
                return Err(A::Error::invalid_length(MOST_ENTRIES + 1, &self));
            }
            few.push(entry);
        }
        Ok(Few(few))
    }
}

struct Short(String);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ShortVisitor)
    }
}

struct ShortVisitor;

impl Visitor<'_> for ShortVisitor {
    type Value = Short;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a text of at most {MOST_BYTES} bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Short, E> {
        if text.len() > MOST_BYTES {
            return Err(E::invalid_length(text.len(), &self));
        }
        Ok(Short(text.into()))
    }
}
