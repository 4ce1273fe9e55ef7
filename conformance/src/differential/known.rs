//! The groups of differences that are left, each with a reason; docs/differential.md lists them.

/// Groups: a part of the name, and the reason.
pub(crate) const KNOWN: &[(&str, &str)] = &[
    (
        "columnDefinitions[].description",
        "descriptions of columns are upstream's documentation; here they are empty",
    ),
    (
        "the descriptions of a Table's columns",
        "descriptions of columns are upstream's documentation; here they are empty",
    ),
    ("object: ~.paths", "the index lists the paths that this server has"),
    ("object: ~.groups[].versions", "two definitions of one group are listed in another order for a moment"),
    ("object: ~.resources[]", "a kube-apiserver lists definitions in the order in which it got to them"),
    (
        "is invalid: patch: Invalid value",
        "the message contains the patched object in the order of its Go struct",
    ),
    (
        "cannot restore struct from",
        "a strategic merge patch becomes a Go struct by reflection, whose words are others",
    ),
    (
        "unrecognized type:",
        "a strategic merge patch becomes a Go struct by reflection, whose words are others",
    ),
    ("restored from", "a strategic merge patch becomes a Go struct by reflection, whose words are others"),
    ("yaml: line", "the place and the words of syntax errors are those of another parser"),
    ("error converting YAML to JSON", "the place and the words of syntax errors are those of another parser"),
    ("pod updates may not change fields", "the message ends with a diff of Go structs"),
    ("spec is immutable after creation", "the message ends with a diff of Go structs"),
    ("persistentvolumesource is immutable after creation", "the message ends with a diff of Go structs"),
    ("persistentvolumesource Forbidden", "the message ends with a diff of Go structs"),
    (
        "-.status.hard",
        "a kube-controller-manager runs beside upstream's server, and its controller fills in the status of quotas",
    ),
    (
        "cannot unmarshal number",
        "the message shows the number as it was sent; here numbers are read before the message is written",
    ),
    ("-.endpoints", "an empty list that Go does not leave out stays a list; here it is left out"),
    ("spec: Invalid value: []", "an empty list is left out here, and shown as null"),
    ("object: ~.groups", "definitions of a group are listed in the order in which the server got to them"),
    ("Too many: N: has too many items", "upstream takes a negative limit of a schema for 0"),
    ("missing status Invalid value", "upstream leaves out the name of a status that is no object"),
    ("job-name; ~.metadata.labels.job-name", "the suffix of a long generated name is not masked"),
    ("failed to create typed patch object", "undeclared fields are listed in another order"),
    (
        ".f:deprecatedFirstTimestamp",
        "times of events that are not set are null in the object, and fields of the writer",
    ),
    (".f:eventTime", "times of events that are not set are null in the object, and fields of the writer"),
    ("MultipleOf declared", "upstream reads a multiple that is less than 1 as 0"),
    ("StorageError: invalid object", "the message contains the key and the version of an object in etcd"),
    ("ResourceVersion in the precondition", "the message contains the version of an object"),
    (
        "metadata Invalid value: must be empty",
        "the message contains the metadata in the order of its Go struct",
    ),
];

/// Returns the reason of a group, if it is known.
pub(crate) fn reason(group: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(part, _)| group.contains(part)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_part_of_the_name_tells_the_reason() {
        assert!(super::reason("200 object: ~.paths").is_some());
        assert_eq!(super::reason("200 object: ~.spec"), None);
    }
}
