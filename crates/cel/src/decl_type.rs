//! [`DeclType`]: the type and the size limit that a structural schema declares for a value.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use crate::typed::{Field, Object, Type};

/// The size limit of a request, in bytes.
const LARGEST: u64 = 3 * 1024 * 1024;

/// Names of fields that are reserved words in expressions.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The type of a value as its schema declares it, with the size limits that costs are estimated from. Upstream calls it
/// `DeclType`, too.
#[derive(Debug, Clone)]
pub struct DeclType {
    pub(crate) is: Type,
    /// The maximum number of items, entries or characters.
    pub(crate) most: u64,
    /// The minimum length of its JSON, in bytes.
    pub(crate) shortest: u64,
    /// The type of the items of a list, or of the values of a map.
    pub(crate) parts: Option<Arc<DeclType>>,
    pub(crate) list: ListKind,
}

/// How lists compare and add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListKind {
    Plain,
    /// Each item once, in any order.
    Set,
    /// Items are told apart by these fields, in any order.
    Map(Arc<[String]>),
}

impl DeclType {
    /// Reads a structural schema: the `openAPIV3Schema` of a definition, or a part of it. With `is_root`, objects have
    /// `apiVersion`, `kind` and `metadata` (name and generateName) besides their properties.
    ///
    /// `None` if expressions cannot read such a value, because its schema has no type.
    pub fn from_schema(schema: &Value, is_root: bool) -> Option<Self> {
        Self::named("object", schema, is_root)
    }

    fn named(name: &str, schema: &Value, is_root: bool) -> Option<Self> {
        if schema["x-kubernetes-int-or-string"] == true {
            let most = limit(schema, "maxLength").map_or(LARGEST - 2, |most| most.saturating_mul(4));
            return Some(Self { most, ..Self::plain(Type::Dyn, 1) });
        }
        match schema["type"].as_str().unwrap_or_default() {
            "array" => {
                let items = part(&format!("{name}.@idx"), schema.get("items")?)?;
                let most = limit(schema, "maxItems").unwrap_or((LARGEST - 2) / (items.shortest + 1));
                let list = Type::list(items.is.clone());
                Some(Self { most, parts: Some(Arc::new(items)), list: kind(schema), ..Self::plain(list, 2) })
            }
            "object" if schema["additionalProperties"].is_object() => {
                let values = part(&format!("{name}.@elem"), &schema["additionalProperties"])?;
                let most = limit(schema, "maxProperties").unwrap_or((LARGEST - 2) / (values.shortest + 6));
                let map = Type::map(Type::String, values.is.clone());
                Some(Self { most, parts: Some(Arc::new(values)), ..Self::plain(map, 2) })
            }
            "object" => Some(Self::object(name, schema, is_root)),
            "string" => Some(Self::text(schema)),
            "boolean" => Some(Self::plain(Type::Bool, 4)),
            "number" => Some(Self::plain(Type::Double, 1)),
            "integer" => Some(Self::plain(Type::Int, 1)),
            _ => None,
        }
    }

    fn plain(is: Type, shortest: u64) -> Self {
        Self { is, most: 0, shortest, parts: None, list: ListKind::Plain }
    }

    /// A key of a map.
    pub(crate) fn key() -> Self {
        Self::plain(Type::String, 2)
    }

    fn text(schema: &Value) -> Self {
        let most = limit(schema, "maxLength");
        let of = |is, shortest, most| Self { most, ..Self::plain(is, shortest) };
        match schema["format"].as_str().unwrap_or_default() {
            "byte" => of(Type::Bytes, 2, most.unwrap_or(LARGEST - 2)),
            "duration" => of(Type::Duration, 3, 32),
            "date" => of(Type::Timestamp, 12, 12),
            "date-time" => of(Type::Timestamp, 21, 32),
            _ => {
                let choices = schema["enum"].as_array().filter(|choices| !choices.is_empty());
                let longest =
                    choices.map(|all| all.iter().filter_map(Value::as_str).map(str::len).max().unwrap_or(0));
                let longest = longest.and_then(|length| u64::try_from(length).ok());
                let most = most.map(|most| most.saturating_mul(4)).or(longest);
                of(Type::String, 2, most.unwrap_or(LARGEST - 2))
            }
        }
    }

    fn object(name: &str, schema: &Value, is_root: bool) -> Self {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_required = |name: &str| required.iter().any(|required| required == name);
        let text = json!({"type": "string"});
        let metadata = json!({"type": "object", "properties": {"name": text, "generateName": text}});
        let implied = [("kind", &text), ("apiVersion", &text), ("metadata", &metadata)];
        let implied = implied.into_iter().filter(|_| is_root);
        let declared = schema["properties"].as_object().into_iter().flatten();
        let declared = declared.map(|(name, schema)| (name.as_str(), schema));
        let properties: BTreeMap<&str, &Value> = declared.chain(implied).collect();
        let mut shortest = 2;
        let mut fields = BTreeMap::new();
        for (property, schema) in properties {
            let escaped = escape(property);
            let path = format!("{name}.{}", escaped.as_deref().unwrap_or(property));
            let Some(declared) = part(&path, schema) else { continue };
            if is_required(property) && schema.get("default").is_none() {
                shortest += u64::try_from(property.len()).unwrap_or(0) + declared.shortest + 4;
            }
            // Words that mean nothing behind a dot can also be written as they are.
            let is_plain = !matches!(property, "true" | "false" | "null" | "in");
            if RESERVED.contains(&property) && is_plain {
                let declared = declared.clone();
                fields.insert(property.to_owned(), Field { name: property.to_owned(), declared });
            }
            if let Some(escaped) = escaped {
                fields.insert(escaped, Field { name: property.to_owned(), declared });
            }
        }
        let object = Object { name: name.to_owned(), fields };
        Self::plain(Type::Object(Arc::new(object)), shortest)
    }

    /// A declared field, by the name that expressions have for it.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        match &self.is {
            Type::Object(object) => object.fields.get(name),
            _ => None,
        }
    }

    /// Returns how many values of this type fit into one object, if nothing else bounds their number. Upstream multiplies
    /// the cost of a rule by it.
    pub fn max_occurrences(&self) -> u64 {
        LARGEST / (self.shortest + 1)
    }
}

fn part(name: &str, schema: &Value) -> Option<DeclType> {
    DeclType::named(name, schema, schema["x-kubernetes-embedded-resource"] == true)
}

/// A limit that a schema sets; nothing is shorter than empty.
fn limit(schema: &Value, field: &str) -> Option<u64> {
    schema[field].as_i64().map(|limit| u64::try_from(limit).unwrap_or(0))
}

fn kind(schema: &Value) -> ListKind {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            ListKind::Map(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => ListKind::Plain,
    }
}

/// The name that expressions have for a field; `None` if there cannot be one.
fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c)) {
        return None;
    }
    let escaped = name.replace("__", "__underscores__");
    Some(escaped.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_names_that_expressions_can_have() {
        for (field, name) in [
            ("plain", "plain"),
            ("namespace", "__namespace__"),
            ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
            ("a__b", "a__underscores__b"),
        ] {
            assert_eq!(escape(field).as_deref(), Some(name));
        }
        assert_eq!(escape("1a"), None);
        assert_eq!(escape("a b"), None);
    }

    #[test]
    fn what_has_no_type_is_not_to_be_seen() {
        let schema = json!({"type": "object", "properties": {
            "seen": {"type": "string", "maxLength": 3},
            "free": {"x-kubernetes-preserve-unknown-fields": true},
            "list": {"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": true}},
        }});
        let declared = DeclType::from_schema(&schema, true).expect("an object");
        assert_eq!(declared.field("seen").map(|field| field.declared.most), Some(12));
        assert!(declared.field("free").is_none() && declared.field("list").is_none());
        assert!(declared.field("metadata").is_some_and(|field| field.declared.field("name").is_some()));
    }
}
