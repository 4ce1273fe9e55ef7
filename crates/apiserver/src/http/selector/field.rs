//! [`FieldSelector`]: which values an object's fields must have.

use serde_json::Value;

use crate::{
    http::status::{Result, Status},
    kinds::Kind,
};

/// Requirements on fields, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector(Vec<FieldRequirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    field: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Parses `a=b,c==d,e!=f`, where a backslash takes the meaning from the next character.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let malformed =
            || Status::bad_request(format!("invalid selector: '{text}'; can't understand '{text}'"));
        let mut requirements = Vec::new();
        for part in split_unescaped(text).into_iter().filter(|part| !part.is_empty()) {
            let (field, value, equal) = match part.split_once("!=") {
                Some((field, value)) => (field, value, false),
                None => {
                    let pair = part.split_once("==").or_else(|| part.split_once('='));
                    let (field, value) = pair.ok_or_else(malformed)?;
                    (field, value, true)
                }
            };
            requirements.push(FieldRequirement { field: field.to_owned(), value: unescape(value), equal });
        }
        Ok(Self(requirements))
    }

    /// The one object with that name.
    pub(crate) fn named(name: &str) -> Self {
        Self(vec![FieldRequirement {
            field: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        }])
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses fields by which this kind cannot be selected.
    pub(crate) fn check(&self, kind: &Kind) -> Result<()> {
        match self.0.iter().find(|requirement| !is_selectable(kind, &requirement.field)) {
            None => Ok(()),
            Some(FieldRequirement { field, .. }) => Err(Status::bad_request(match kind.kind.as_str() {
                "Job" => format!("field label {field:?} not supported for Job"),
                _ if more_fields(kind).is_empty() && kind.schema.is_none() => format!(
                    "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                ),
                _ => format!("field label not supported: {field}"),
            })),
        }
    }

    /// Whether the fields of `object` fulfil every requirement; an absent field is empty.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|requirement| (field(object, &requirement.field) == requirement.value) == requirement.equal)
    }
}

fn is_selectable(kind: &Kind, field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
        || more_fields(kind).contains(&field)
        || kind.selectable_fields.iter().any(|known| known == field)
}

/// The fields of a built-in kind's own by which it can be selected.
fn more_fields(kind: &Kind) -> &'static [&'static str] {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("" | "events.k8s.io", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "reason",
            "reportingComponent",
            "reportingController",
            "source",
            "type",
        ],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Secret") => &["type"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("", "ReplicationController") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        ("certificates.k8s.io", _) => &["spec.signerName"],
        ("resource.k8s.io", "ResourceSlice") => &["spec.driver", "spec.nodeName"],
        _ => &[],
    }
}

fn field(object: &Value, path: &str) -> String {
    let path = match path {
        "source" => "source.component",
        "spec.unschedulable" | "spec.hostNetwork" if object.pointer(&pointer(path)).is_none() => {
            return "false".to_owned();
        }
        path => path,
    };
    match object.pointer(&pointer(path)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(value: &str) -> String {
    let mut characters = value.chars();
    let mut plain = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(selector: &str) -> bool {
        let pod = json!({
            "metadata": {"name": "a,b"},
            "spec": {"nodeName": "n"},
            "status": {"phase": "Running"},
        });
        FieldSelector::parse(selector).expect(selector).matches(&pod)
    }

    #[test]
    fn fields_are_compared_as_text_and_absent_ones_are_empty() {
        assert!(matches("spec.nodeName=n,status.phase!=Pending"));
        assert!(matches("status.podIP="));
        assert!(matches("spec.hostNetwork=false"));
        assert!(matches("metadata.name=a\\,b"));
        assert!(!matches("spec.nodeName==m"));
        assert!(matches(""));
        assert!(FieldSelector::parse("nonsense").is_err());
    }
}
