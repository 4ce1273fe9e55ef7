//! Fields that are not set, as Go writes them: OpenAPI does not tell whether a struct holds a value or a pointer to it. The
//! table of protobuf fields, which is read from Go's types, does.

use std::collections::HashMap;

/// The fields that are pointers or lists and that Go writes as null if they are not set: their tags in JSON lack `omitempty`.
const NULLS: &[(&str, &[&str])] = &[
    ("api.core.v1.AzureFilePersistentVolumeSource", &["secretNamespace"]),
    ("api.core.v1.LimitRangeSpec", &["limits"]),
    ("api.core.v1.TypedLocalObjectReference", &["apiGroup"]),
    ("api.core.v1.TypedObjectReference", &["apiGroup"]),
    ("api.discovery.v1.EndpointSlice", &["endpoints", "ports"]),
    ("api.rbac.v1.ClusterRole", &["rules"]),
    ("api.rbac.v1.Role", &["rules"]),
    ("api.storage.v1.CSINodeDriver", &["topologyKeys"]),
    ("api.storage.v1.CSINodeSpec", &["drivers"]),
];

/// The fields of Go's structs by the name of the type: the name in JSON and the code of the encoding.
pub(super) struct Structs<'a>(HashMap<&'a str, Vec<(&'a str, &'a str)>>);

impl<'a> Structs<'a> {
    /// Reads the table of protobuf fields.
    pub(super) fn read(table: &'a str) -> Self {
        let mut structs: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
        let mut current = "";
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [_, name, code] if line.starts_with(' ') => {
                    structs.entry(current).or_default().push((name, code));
                }
                [name, ..] => {
                    current = name;
                    structs.entry(name).or_default();
                }
                [] => {}
            }
        }
        Self(structs)
    }

    /// Adds the mark to the line of a field of `struct_name`, before its default.
    pub(super) fn mark(&self, struct_name: &str, line: &str) -> String {
        let name = line.trim_start().split(' ').next().unwrap_or_default().trim_end_matches('!');
        let is_field = line.starts_with(' ');
        let is_metadata = struct_name.ends_with(".ObjectMeta"); // whose times are left out
        let is_null = NULLS.iter().any(|(of, fields)| *of == struct_name && fields.contains(&name));
        let mark = match is_field.then(|| self.code(struct_name, name)).flatten() {
            _ if is_field && is_null => " go(null)",
            Some("string" | "bool" | "int") => " go(omit)",
            _ if is_metadata => return line.to_owned(),
            Some("string!" | "bool!" | "int!" | "Time" | "MicroTime") => " go(zero)",
            Some(code) if self.0.contains_key(code) => " go(zero)",
            _ => return line.to_owned(),
        };
        let (rest, default) = line.split_at(line.find(" =").unwrap_or(line.len()));
        format!("{rest}{mark}{default}")
    }

    /// Returns the code of a field, which may be one of a struct within that JSON does not show.
    fn code(&self, struct_name: &str, field: &str) -> Option<&'a str> {
        let fields = self.0.get(struct_name)?;
        let own = fields.iter().find(|(name, _)| *name == field).map(|(_, code)| *code);
        let within = || {
            let shown = fields.iter().filter(|(name, _)| *name == "^");
            shown.filter_map(|(_, code)| self.code(code.trim_end_matches('?'), field)).next()
        };
        own.or_else(within)
    }
}

#[cfg(test)]
mod tests {
    use super::Structs;

    #[test]
    fn a_field_is_marked_by_how_its_struct_holds_it() {
        let table = "# A table.\nv1.Spec v1/Kind\n 1 paused bool\n 2 replicas int?\n 3 status string!\n 4 ^ v1.Common\n\
                     v1.Common\n 1 template v1.Spec\n";
        let structs = Structs::read(table);
        for (line, marked) in [
            (" paused boolean", " paused boolean go(omit)"),
            (" replicas integer:int32", " replicas integer:int32"),
            (" status! string =\"\"", " status! string go(zero) =\"\""),
            (" template v1.Spec ={}", " template v1.Spec go(zero) ={}"),
            ("struct kind(v1/Kind)", "struct kind(v1/Kind)"),
        ] {
            assert_eq!(structs.mark("v1.Spec", line), marked);
        }
        let rules = structs.mark("api.rbac.v1.Role", " rules [api.rbac.v1.PolicyRule] list(atomic)");
        assert_eq!(rules, " rules [api.rbac.v1.PolicyRule] list(atomic) go(null)");
    }
}
