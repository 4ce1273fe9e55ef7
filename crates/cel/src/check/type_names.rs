//! The names of types, which are values of expressions, too.

use crate::typed::Type;

/// Returns the type of a name.
pub(super) fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "google.protobuf.Duration" => Type::Duration,
        "google.protobuf.Timestamp" => Type::Timestamp,
        "int" => Type::Int,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "null_type" => Type::Null,
        "optional_type" => Type::Named("optional_type"),
        "string" => Type::String,
        "type" => Type::Named("type"),
        "uint" => Type::Uint,
        Type::IP => Type::Named(Type::IP),
        Type::CIDR => Type::Named(Type::CIDR),
        _ => return None,
    })
}

/// Returns the name that a type has as a value.
pub(crate) fn type_by_name(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 15] = [
        "bool",
        "bytes",
        "double",
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
        "int",
        "list",
        "map",
        "null_type",
        "optional_type",
        "string",
        "type",
        "uint",
        Type::IP,
        Type::CIDR,
    ];
    NAMES.into_iter().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_type() {
        for name in ["int", "google.protobuf.Timestamp", "net.IP", "type"] {
            assert!(type_named(name).is_some() && type_by_name(name) == Some(name), "{name}");
        }
        assert!(type_named("kubernetes.Quantity").is_none() && type_by_name("kubernetes.Quantity").is_none());
    }
}
