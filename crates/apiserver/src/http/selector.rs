//! [`LabelSelector`] and [`FieldSelector`]: which objects a list or a watch is about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::status::{Result, Status};
use crate::{kinds::Kind, object};

/// Requirements on labels, all of which must hold; none of them selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(BTreeSet<String>),
    /// Also holds if the label is absent.
    NotIn(BTreeSet<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        split_outside_parentheses(text)
            .filter(|part| !part.trim().is_empty())
            .map(|part| Requirement::parse(part.trim()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| {
                Status::bad_request(format!(
                    "unable to parse requirement: invalid label selector {text:?}"
                ))
            })
    }

    /// The selector in an object's `spec.selector`: a `LabelSelector`, or a map of labels. `None` if it
    /// is malformed.
    pub(crate) fn from_json(selector: &Value) -> Option<Self> {
        let mut requirements = Vec::new();
        let is_label_selector =
            selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
        let labels = if is_label_selector {
            selector.get("matchLabels")
        } else {
            Some(selector)
        };
        for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
            let values = BTreeSet::from([value.as_str()?.to_owned()]);
            requirements.push(Requirement {
                key: key.clone(),
                operator: Operator::In(values),
            });
        }
        for expression in selector
            .get("matchExpressions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let values = expression
                .get("values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let values: BTreeSet<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
            let operator = match expression.get("operator")?.as_str()? {
                "In" if !values.is_empty() => Operator::In(values),
                "NotIn" if !values.is_empty() => Operator::NotIn(values),
                "Exists" if values.is_empty() => Operator::Exists,
                "DoesNotExist" if values.is_empty() => Operator::DoesNotExist,
                _ => return None,
            };
            requirements.push(Requirement {
                key: expression.get("key")?.as_str()?.to_owned(),
                operator,
            });
        }
        Some(Self(requirements))
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels of `object` fulfil every requirement.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.matches_labels(|key| object::label(object, key))
    }

    /// Whether the labels that `label` looks up fulfil every requirement.
    pub(crate) fn matches_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.holds(label(&requirement.key)))
    }
}

impl std::fmt::Display for LabelSelector {
    /// As `/scale` writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
        for (position, Requirement { key, operator }) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match operator {
                Operator::Exists => write!(f, "{comma}{key}"),
                Operator::DoesNotExist => write!(f, "{comma}!{key}"),
                Operator::In(values) if values.len() == 1 => write!(f, "{comma}{key}={}", list(values)),
                Operator::In(values) => write!(f, "{comma}{key} in ({})", list(values)),
                Operator::NotIn(values) => write!(f, "{comma}{key} notin ({})", list(values)),
                Operator::GreaterThan(bound) => write!(f, "{comma}{key}>{bound}"),
                Operator::LessThan(bound) => write!(f, "{comma}{key}<{bound}"),
            }?;
        }
        Ok(())
    }
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix('!') {
            return Self::new(key, Operator::DoesNotExist);
        }
        if let Some((head, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            let values = values
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect::<BTreeSet<_>>();
            if !values.iter().all(|value| is_value(value)) {
                return None;
            }
            let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
            return match operator {
                "in" => Self::new(key, Operator::In(values)),
                "notin" => Self::new(key, Operator::NotIn(values)),
                _ => None,
            };
        }
        let one = |value: &str| is_value(value.trim()).then(|| BTreeSet::from([value.trim().to_owned()]));
        if let Some((key, value)) = text.split_once("!=") {
            return Self::new(key, Operator::NotIn(one(value)?));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Self::new(key, Operator::In(one(value)?));
        }
        if let Some((key, value)) = text.split_once('>') {
            return Self::new(key, Operator::GreaterThan(value.trim().parse().ok()?));
        }
        if let Some((key, value)) = text.split_once('<') {
            return Self::new(key, Operator::LessThan(value.trim().parse().ok()?));
        }
        Self::new(text, Operator::Exists)
    }

    fn new(key: &str, operator: Operator) -> Option<Self> {
        let key = key.trim();
        is_qualified_name(key).then(|| Self {
            key: key.to_owned(),
            operator,
        })
    }

    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label?.parse::<i64>().ok();
        match &self.operator {
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::In(values) => label.is_some_and(|label| values.contains(label)),
            Operator::NotIn(values) => label.is_none_or(|label| !values.contains(label)),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Splits at commas that are not within parentheses.
fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    })
}

/// Whether `key` can be a label's or an annotation's name: `[dns/]name`.
pub(crate) fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key
        .rsplit_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(crate::kinds::names::is_subdomain) && !name.is_empty() && is_value(name)
}

/// Whether `value` can be a label's value.
pub(crate) fn is_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    value.len() <= 63
        && value.chars().all(inner)
        && value.starts_with(edge) == value.ends_with(edge)
        && (value.is_empty() || value.starts_with(edge))
}

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
            requirements.push(FieldRequirement {
                field: field.to_owned(),
                value: unescape(value),
                equal,
            });
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
        match self
            .0
            .iter()
            .find(|requirement| !is_selectable(kind, &requirement.field))
        {
            None => Ok(()),
            Some(unknown) => Err(Status::bad_request(format!(
                "field label not supported: {}",
                unknown.field
            ))),
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
    let more: &[&str] = match (kind.group.as_str(), kind.kind.as_str()) {
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
        ("apps", "ReplicaSet") | ("", "ReplicationController") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        _ => &[],
    };
    matches!(field, "metadata.name" | "metadata.namespace") || more.contains(&field)
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
        plain.push(if character == '\\' {
            characters.next().unwrap_or('\\')
        } else {
            character
        });
    }
    plain
}
