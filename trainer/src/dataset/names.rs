//! Many names in little memory.

/// Names that come together in a block, of which only the first is kept whole.
const BLOCK: usize = 16;

/// The text of an entry ends here: a character that no file's name holds.
const END: char = '\0';

/// A list of file names. Each keeps only what differs from the one before it (front coding), so that it takes some bytes
/// in a sorted list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Of each name: a character whose number is how many bytes it shares with the one before, the rest, and [`END`].
    text: String,
    /// Where the blocks begin in the text.
    blocks: Vec<usize>,
    length: usize,
    last: String,
}

impl Names {
    /// Appends a name; one that holds the character zero is cut off there.
    pub fn push(&mut self, name: &str) {
        let name = name.split(END).next().unwrap_or_default();
        let mut shared = 0;
        if self.length.is_multiple_of(BLOCK) {
            self.blocks.push(self.text.len());
        } else {
            shared = shared_bytes(&self.last, name);
        }
        self.text.push(char::from(shared));
        self.text.push_str(&name[usize::from(shared)..]);
        self.text.push(END);
        self.length += 1;
        name.clone_into(&mut self.last);
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The name at `index`.
    pub fn get(&self, index: usize) -> Option<String> {
        let block = *self.blocks.get(index / BLOCK)?;
        Decoder { rest: &self.text[block..], name: String::new() }.nth(index % BLOCK)
    }

    /// Every name, in the order they were appended.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        Decoder { rest: &self.text, name: String::new() }
    }
}

struct Decoder<'a> {
    rest: &'a str,
    /// The name before.
    name: String,
}

impl Iterator for Decoder<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut entry = self.rest.chars();
        let shared = entry.next()?;
        let (own, rest) = entry.as_str().split_once(END)?;
        self.name.truncate(shared as usize);
        self.name.push_str(own);
        self.rest = rest;
        Some(self.name.clone())
    }
}

/// Bytes that two names have in common at their front, whole characters and as many as a byte can count.
fn shared_bytes(one: &str, other: &str) -> u8 {
    let equal = one.bytes().zip(other.bytes()).take(u8::MAX.into()).take_while(|(one, other)| one == other).count();
    other.floor_char_boundary(equal) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(names: &[String]) -> Names {
        let mut list = Names::default();
        names.iter().for_each(|name| list.push(name));
        list
    }

    proptest! {
        #[test]
        fn whatever_is_put_in_comes_out(names in prop::collection::vec("[ab/ä声]{0,6}|[^\0]{0,300}", 0..60)) {
            let list = list(&names);
            prop_assert_eq!(list.len(), names.len());
            prop_assert_eq!(list.iter().collect::<Vec<_>>(), names.clone());
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(list.get(index), Some(name.clone()));
            }
            prop_assert_eq!(list.get(names.len()), None);
        }
    }

    #[test]
    fn a_long_common_front_is_no_trouble() {
        let names: Vec<String> = (0..40).map(|index| format!("{}{index}", "ä".repeat(200))).collect();
        assert_eq!(list(&names).iter().collect::<Vec<_>>(), names);
    }

    #[test]
    fn sorted_names_take_some_bytes_each() {
        let names: Vec<String> = (0..10_000).map(|index| format!("some folder/Actor_07/clip-{index:06}.wav")).collect();
        let list = list(&names);
        let bytes = list.text.len() + list.blocks.len() * size_of::<usize>();
        assert!(bytes < 11 * names.len(), "{bytes} bytes");
    }
}
