//! [`Seen`]: the names of a list whose items must differ.

use std::collections::BTreeSet;

/// The texts that a list has had so far. The first takes no allocation: most lists have one item.
#[derive(Debug, Default)]
pub(in crate::registry) struct Seen<'a> {
    first: Option<&'a str>,
    others: BTreeSet<&'a str>,
}

impl<'a> Seen<'a> {
    /// Adds a text, and returns whether it is new.
    pub(in crate::registry) fn insert(&mut self, text: &'a str) -> bool {
        match self.first {
            None => {
                self.first = Some(text);
                true
            }
            Some(first) => first != text && self.others.insert(text),
        }
    }

    /// Returns whether the list has had the text.
    pub(in crate::registry) fn contains(&self, text: &str) -> bool {
        self.first == Some(text) || self.others.contains(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut seen = Seen::default();
        assert!(!seen.contains("a"));
        assert_eq!(["a", "b", "a", "b", ""].map(|text| seen.insert(text)), [true, true, false, false, true]);
        assert!(seen.contains("a") && seen.contains("b") && !seen.contains("c"));
    }
}
