//! Every served kind has a type.

use trimtab_schema::{Form, Schema};

use super::Kinds;

#[test]
fn every_built_in_kind_that_is_served_has_a_type() {
    for kind in Kinds::built_in().all() {
        let schema = kind.structure().unwrap_or_else(|| panic!("no type for {}", kind.kind));
        assert_eq!(schema.kind(), Form::Struct);
        assert!(schema.field("metadata").is_some_and(|metadata| metadata.field("labels").is_some()));
        // What is sent with a connection stands in its URL.
        for other in kind.subresources.iter().filter(|other| !other.kind.ends_with("Options")) {
            let (group, version) = other.group_version(&kind);
            assert!(Schema::named(group, version, other.kind).is_some(), "{}", other.kind);
        }
    }
}
