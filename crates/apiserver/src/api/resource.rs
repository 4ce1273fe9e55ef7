//! [`Resource`]: the names of a kind, as refusals tell them.

/// The names of a kind: all that a refusal tells of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    /// The API group in paths; empty for the core group.
    pub(crate) group: &'a str,
    /// The group under which the objects are stored, which differs where two groups show the same objects.
    pub(crate) storage_group: &'a str,
    /// The plural name in paths, such as `pods`.
    pub(crate) plural: &'a str,
    /// The kind, such as `Pod`.
    pub(crate) kind: &'a str,
}

impl<'a> Resource<'a> {
    /// Names a kind that is stored in the group in which it is served.
    pub(crate) const fn new(group: &'a str, kind: &'a str, plural: &'a str) -> Self {
        Self { group, storage_group: group, plural, kind }
    }

    /// Returns the plural name and the group of the stored objects, such as `pods` or `replicasets.apps`.
    pub(crate) fn qualified(&self) -> String {
        qualified(self.plural, self.storage_group)
    }
}

/// Joins a name and a group: `Pod`, or `ReplicaSet.apps`.
pub(crate) fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}
