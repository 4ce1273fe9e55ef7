//! [`Path`]: the place of a field within an object, which becomes text only in an error.

use std::fmt;

/// The place of a field within an object, as upstream's `field.Path`. It becomes text only in an error.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The outermost fields, as text: `spec` or `spec.template.spec`.
    Root(&'a str),
    /// A field of an object.
    Child(&'a Path<'a>, &'a str),
    /// An item of a list.
    Index(&'a Path<'a>, usize),
    /// A value of a map.
    Key(&'a Path<'a>, &'a str),
}

impl Path<'_> {
    /// The path of a field of the object at this path.
    pub(crate) fn child<'a>(&'a self, field: &'a str) -> Path<'a> {
        Path::Child(self, field)
    }

    /// The path of an item of the list at this path.
    pub(crate) fn index(&self, position: usize) -> Path<'_> {
        Path::Index(self, position)
    }

    /// The path of a value of the map at this path.
    pub(crate) fn key<'a>(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(fields) => f.write_str(fields),
            Self::Child(owner, field) => write!(f, "{owner}.{field}"),
            Self::Index(list, position) => write!(f, "{list}[{position}]"),
            Self::Key(map, key) => write!(f, "{map}[{key}]"),
        }
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> Self {
        path.to_string()
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::status::Cause;

    #[test]
    fn a_path_is_written_as_upstream_writes_it() {
        let root = Path::Root("spec.template.spec");
        assert_eq!(root.to_string(), "spec.template.spec");
        let text =
            root.child("containers").index(2).child("resources").child("limits").key("cpu").to_string();
        assert_eq!(text, "spec.template.spec.containers[2].resources.limits[cpu]");
    }

    #[test]
    fn a_cause_takes_a_path_and_a_reference_to_one() {
        let root = &Path::Root("spec");
        let cause = Cause::invalid(root.child("replicas"), &Value::from(-1), "must not be negative");
        assert_eq!(cause.field(), "spec.replicas");
        assert_eq!(Cause::required(root, "").field(), "spec");
    }
}
