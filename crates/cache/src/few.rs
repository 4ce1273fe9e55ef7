//! [`Few`]: a small set of values, namely those of an index function for one object. Usually it has one or none, and
//! then takes no allocation.

/// Values, each once, in the order of insertion.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Few<V> {
    #[default]
    None,
    One(V),
    /// Boxed, to keep the type small: there is one for each object and index.
    Several(Box<Held<V>>),
}

/// At least two values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held<V>(Vec<V>);

impl<V> Few<V> {
    pub(crate) fn as_slice(&self) -> &[V] {
        match self {
            Self::None => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => &values.0,
        }
    }

    pub(crate) fn push(&mut self, value: V) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(value),
            Self::One(first) => Self::Several(Box::new(Held(vec![first, value]))),
            Self::Several(mut values) => {
                values.0.push(value);
                Self::Several(values)
            }
        };
    }
}

impl<V: PartialEq> FromIterator<V> for Few<V> {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let mut few = Self::None;
        for value in values {
            if !few.as_slice().contains(&value) {
                few.push(value);
            }
        }
        few
    }
}

impl<V> IntoIterator for Few<V> {
    type Item = V;
    type IntoIter = std::iter::Chain<std::option::IntoIter<V>, std::vec::IntoIter<V>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, several) = match self {
            Self::None => (None, Vec::new()),
            Self::One(value) => (Some(value), Vec::new()),
            Self::Several(values) => (None, values.0),
        };
        one.into_iter().chain(several)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_once_each_and_in_order() {
        for (given, kept) in
            [(&[][..], &[][..]), (&[7], &[7]), (&[7, 7], &[7]), (&[3, 1, 3, 2, 1], &[3, 1, 2])]
        {
            let few: Few<i32> = given.iter().copied().collect();
            assert_eq!(few.as_slice(), kept);
            assert_eq!(few.into_iter().collect::<Vec<_>>(), kept);
        }
        assert_eq!(size_of::<Few<std::sync::Arc<String>>>(), 16, "there is one for each object and index");
    }
}
