//! [`Fields`]: the properties of a struct's type, found by name.

/// The properties of a struct's type, in no particular order.
///
/// Every field of every object that is read is looked up in one, so names are compared as numbers: most differ in their
/// length or in their first eight bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields<T> {
    /// The [`mark`] of each entry, ascending.
    marks: Vec<u64>,
    entries: Vec<(Box<str>, T)>,
}

impl<T> Default for Fields<T> {
    fn default() -> Self {
        Self { marks: Vec::new(), entries: Vec::new() }
    }
}

impl<T> Fields<T> {
    /// Returns the property with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        let position = self.position(name).ok()?;
        self.entries.get(position).map(|(_, property)| property)
    }

    /// Adds a property, in the place of a former one of this name.
    pub fn insert(&mut self, name: &str, property: T) {
        match self.position(name) {
            Ok(position) => self.entries[position].1 = property,
            Err(position) => {
                self.marks.insert(position, mark(name));
                self.entries.insert(position, (name.into(), property));
            }
        }
    }

    /// Returns the properties with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, property)| (&**name, property))
    }

    /// Returns the number of properties.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no property.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the place of a name, or else the place where it belongs.
    fn position(&self, name: &str) -> Result<usize, usize> {
        let wanted = mark(name);
        let mut position = self.marks.partition_point(|mark| *mark < wanted);
        while self.marks.get(position) == Some(&wanted) {
            if *self.entries[position].0 == *name {
                return Ok(position);
            }
            position += 1; // another name with this length and beginning
        }
        Err(position)
    }
}

/// Returns the length of a name and its first eight bytes in one number.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let beginning = match bytes.first_chunk() {
        Some(beginning) => u64::from_le_bytes(*beginning),
        None => bytes.iter().fold(0, |beginning, byte| beginning << 8 | u64::from(*byte)),
    };
    beginning ^ (bytes.len() as u64) << 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_length_and_beginning_are_told_apart() {
        let names = ["", "a", "b", "ab", "livenessProbe", "livenessOther", "livenessProbes", "liveness"];
        let mut fields = Fields::default();
        for (position, name) in names.into_iter().enumerate() {
            assert_eq!(fields.get(name), None);
            fields.insert(name, position);
        }
        assert_eq!(mark("livenessProbe"), mark("livenessOther"), "or the names show nothing");
        for (position, name) in names.into_iter().enumerate() {
            assert_eq!(fields.get(name), Some(&position));
        }
        assert_eq!(fields.get("livenessThird"), None);
        fields.insert("ab", 30);
        assert_eq!((fields.get("ab"), fields.len()), (Some(&30), names.len()));
    }
}
