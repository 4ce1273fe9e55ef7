//! [`Fields`]: a map while it is read. Most clients write their fields in order, and what comes in order need not be
//! looked for.

use serde_json::{Map, Value};

/// How many fields there is room for at first.
const USUAL: usize = 8;

/// The fields that were read so far.
#[derive(Debug)]
pub(crate) enum Fields {
    /// Each is after the one before it.
    Ordered(Vec<(String, Value)>),
    Any(Map<String, Value>),
}

impl Default for Fields {
    fn default() -> Self {
        Self::Ordered(Vec::new())
    }
}

impl Fields {
    /// Whether there is a field `name`.
    pub(crate) fn contain(&mut self, name: &str) -> bool {
        !self.are_before(name) && self.unordered().contains_key(name)
    }

    /// Adds a field, or replaces the one of its name.
    pub(crate) fn insert(&mut self, name: String, value: Value) {
        if !self.are_before(&name) {
            self.unordered().insert(name, value);
        } else if let Self::Ordered(fields) = self {
            if fields.is_empty() {
                fields.reserve(USUAL);
            }
            fields.push((name, value));
        }
    }

    /// Removes a field, if it is there.
    pub(crate) fn remove(&mut self, name: &str) {
        if !self.are_before(name) {
            self.unordered().remove(name);
        }
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        match self {
            Self::Ordered(fields) => fields.into_iter().collect(),
            Self::Any(fields) => fields,
        }
    }

    /// Whether all are known to be before `name`, so that none is of that name.
    fn are_before(&self, name: &str) -> bool {
        match self {
            Self::Ordered(fields) => fields.last().is_none_or(|(last, _)| last.as_str() < name),
            Self::Any(_) => false,
        }
    }

    fn unordered(&mut self) -> &mut Map<String, Value> {
        if let Self::Ordered(fields) = self {
            *self = Self::Any(std::mem::take(fields).into_iter().collect());
        }
        match self {
            Self::Any(fields) => fields,
            Self::Ordered(_) => unreachable!("made a map above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever order fields come in, they end up as in a map.
        #[test]
        fn fields_behave_like_a_map(steps in proptest::collection::vec(("[a-d]{1,2}", any::<Option<u8>>()), 0..20)) {
            let (mut fields, mut map) = (Fields::default(), Map::new());
            for (name, value) in steps {
                prop_assert_eq!(fields.contain(&name), map.contains_key(&name));
                match value {
                    Some(value) => {
                        fields.insert(name.clone(), value.into());
                        map.insert(name, value.into());
                    }
                    None => {
                        fields.remove(&name);
                        map.remove(&name);
                    }
                }
            }
            prop_assert_eq!(fields.into_map(), map);
        }
    }
}
