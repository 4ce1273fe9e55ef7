//! Validation of CustomResourceDefinitions: upstream's checks, with its messages and in its order.

use std::collections::BTreeSet;

use serde_json::Value;
use trimtab_schema::StructuralSchema;

use super::{columns, text, versions};
use crate::api::{names, status::Cause};

const SIMPLE_PATH: &str = "must be a simple json path starting with .";

/// The types of printer columns.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// Returns the errors of a definition, completed or not.
pub(crate) fn validate(definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let [group, plural] = ["/spec/group", "/spec/names/plural"].map(|pointer| text(definition, pointer));
    if text(definition, "/metadata/name") != format!("{plural}.{group}") {
        let because = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &definition["metadata"]["name"], because));
    }
    approval(definition, group, &mut causes);
    match group {
        "" => causes.push(Cause::required("spec.group", "")),
        _ if !names::is_subdomain(group) => {
            causes.push(Cause::invalid("spec.group", &group.into(), names::SUBDOMAIN_RULE));
        }
        _ if !group.contains('.') => {
            let because = "should be a domain with at least one dot";
            causes.push(Cause::invalid("spec.group", &group.into(), because));
        }
        _ => {}
    }
    match text(definition, "/spec/scope") {
        "Cluster" | "Namespaced" => {}
        "" => causes.push(Cause::required("spec.scope", "")),
        other => causes.push(Cause::not_supported("spec.scope", &other.into(), &["Cluster", "Namespaced"])),
    }
    if definition["spec"]["preserveUnknownFields"] == true {
        let because = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                       spec.versions[*].schema instead";
        causes.push(Cause::invalid("spec.preserveUnknownFields", &true.into(), because));
    }
    if definition["spec"]["preserveUnknownFields"] == true && versions(definition).any(has_default) {
        let because = "must be false in order to use defaults in the schema";
        causes.push(Cause::invalid("spec.preserveUnknownFields", &true.into(), because));
    }
    let places = Places::of(definition);
    for (index, version) in versions(definition).enumerate() {
        if !version.pointer("/schema/openAPIV3Schema").is_some_and(Value::is_object) {
            // Upstream asks for each version's own.
            causes.push(Cause::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        }
    }
    for (index, version) in versions(definition).enumerate() {
        if !names::is_label(text(version, "/name")) {
            causes.push(Cause::invalid(
                format!("spec.versions[{index}].name"),
                &text(version, "/name").into(),
                names::DNS_1035_RULE,
            ));
        }
        validate_version(&places, index, version, &mut causes);
    }
    let called: BTreeSet<&str> = versions(definition).map(|version| text(version, "/name")).collect();
    if called.len() < versions(definition).count() {
        let because = "must contain unique version names";
        causes.push(Cause::invalid("spec.versions", &definition["spec"]["versions"], because));
    }
    if versions(definition).filter(|version| version["storage"] == true).count() != 1 {
        let because = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &definition["spec"]["versions"], because));
    }
    // The first version stands in upstream's own form of a definition once more.
    let first = versions(definition).next().map_or("", |version| text(version, "/name"));
    if !first.is_empty() && !names::is_label(first) {
        causes.push(Cause::invalid("spec.version", &first.into(), names::DNS_1035_RULE));
    }
    validate_names(&definition["spec"]["names"], &mut causes);
    validate_conversion(&definition["spec"]["conversion"], &mut causes);
    if !versions(definition).any(|version| version["storage"] == true) {
        let because = "must have at least one stored version";
        causes.push(Cause::invalid("status.storedVersions", &Value::Null, because));
    }
    causes
}

/// Returns whether the schema of a version has a default.
fn has_default(version: &Value) -> bool {
    fn within(schema: &Value) -> bool {
        let parts = schema["properties"].as_object().into_iter().flat_map(|properties| properties.values());
        schema.is_object()
            && (schema.get("default").is_some_and(|default| !default.is_null())
                || parts.chain([&schema["items"], &schema["additionalProperties"]]).any(within))
    }
    within(&version["schema"]["openAPIV3Schema"])
}

/// The fields that a definition cannot change once its kind is served.
pub(crate) fn validate_change(old: &Value, new: &Value) -> Vec<Cause> {
    let fixed: &[&str] = if super::is_established(old) {
        &["scope", "group", "names/kind", "names/plural"]
    } else {
        &["group", "names/plural"]
    };
    let fixed = fixed.iter().filter_map(|field| {
        let after = new["spec"].pointer(&format!("/{field}"))?;
        let changed = old["spec"].pointer(&format!("/{field}")) != Some(after);
        let field = format!("spec.{}", field.replace('/', "."));
        changed.then(|| Cause::invalid(field, after, "field is immutable"))
    });
    fixed.collect()
}

/// Groups of the project itself are for those who have its consent.
fn approval(definition: &Value, group: &str, causes: &mut Vec<Cause>) {
    let annotation = text(definition, "/metadata/annotations/api-approved.kubernetes.io");
    if !is_protected(group) {
        return;
    }
    let is_url = annotation
        .split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty() && !rest.starts_with('/'));
    if annotation.is_empty() {
        let because = "protected groups must have approval annotation \"api-approved.kubernetes.io\", see \
                       https://github.com/kubernetes/enhancements/pull/1111";
        causes.push(Cause::required("metadata.annotations[api-approved.kubernetes.io]", because));
    } else if !annotation.starts_with("unapproved") && !is_url {
        let because = "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a \
                       reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111";
        let field = "metadata.annotations[api-approved.kubernetes.io]";
        causes.push(Cause::invalid(field, &annotation.into(), because));
    }
}

/// Returns whether a group is one of Kubernetes' own.
pub(super) fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// The fields that refusals name: upstream moves parts that all versions share to the top level.
struct Places {
    shared: [bool; 4],
}

/// The parts, with what they are called at the top.
const PARTS: [(&str, &str); 4] = [
    ("schema", "spec.validation"),
    ("subresources", "spec.subresources"),
    ("additionalPrinterColumns", "spec.additionalPrinterColumns"),
    ("selectableFields", "spec.selectableFields"),
];

impl Places {
    fn of(definition: &Value) -> Self {
        let all: Vec<&Value> = versions(definition).collect();
        let shared = PARTS.map(|(part, _)| all.iter().all(|version| version.get(part) == all[0].get(part)));
        Self { shared }
    }

    /// The place of a part of a version; `None` if it was told for an earlier one.
    fn of_part(&self, part: &str, index: usize) -> Option<String> {
        let position = PARTS.iter().position(|(known, _)| *known == part)?;
        match (self.shared[position], index) {
            (true, 0) => Some(PARTS[position].1.to_owned()),
            (true, _) => None,
            (false, _) => Some(format!("spec.versions[{index}].{part}")),
        }
    }
}

fn validate_version(places: &Places, index: usize, version: &Value, causes: &mut Vec<Cause>) {
    validate_deprecation(index, version, causes);
    let schema = &version["schema"]["openAPIV3Schema"];
    if let (Some(place), true) = (places.of_part("schema", index), schema.is_object()) {
        causes.extend(StructuralSchema::check(schema, &format!("{place}.openAPIV3Schema")));
    }
    if let (Some(place), true) =
        (places.of_part("subresources", index), version["subresources"]["scale"].is_object())
    {
        validate_scale(&format!("{place}.scale"), &version["subresources"]["scale"], causes);
    }
    if let Some(place) = places.of_part("additionalPrinterColumns", index) {
        validate_columns(&place, version, causes);
    }
    if let Some(place) = places.of_part("selectableFields", index) {
        validate_selectable(&place, version, causes);
    }
}

fn validate_deprecation(index: usize, version: &Value, causes: &mut Vec<Cause>) {
    let Some(warning) = version["deprecationWarning"].as_str() else { return };
    let mut unfit = |because: &str| {
        let field = format!("spec.versions[{index}].deprecationWarning");
        causes.push(Cause::invalid(field, &warning.into(), because));
    };
    if version["deprecated"] != true {
        return unfit("can only be set for deprecated versions");
    }
    if warning.len() > 256 {
        unfit("must be <= 256 characters long");
    }
    if warning.is_empty() {
        unfit("must not be an empty string");
    }
    if let Some((place, _)) = warning.char_indices().find(|(_, letter)| letter.is_control()) {
        unfit(&format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {place}"
        ));
    }
}

fn validate_scale(place: &str, scale: &Value, causes: &mut Vec<Cause>) {
    for (field, root) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        let path = scale[field].as_str().unwrap_or_default();
        if path.is_empty() {
            causes.push(Cause::required(format!("{place}.{field}"), ""));
        } else if !path.starts_with('.') {
            causes.push(Cause::invalid(format!("{place}.{field}"), &scale[field], SIMPLE_PATH));
        } else if !path.strip_prefix(root).is_some_and(|rest| rest.starts_with('.')) {
            let because = format!("should be a json path under {root}");
            causes.push(Cause::invalid(format!("{place}.{field}"), &scale[field], because));
        }
    }
    let (selector, field) = (text(scale, "/labelSelectorPath"), format!("{place}.labelSelectorPath"));
    let because = match selector {
        "" => return,
        _ if !selector.starts_with('.') => SIMPLE_PATH,
        _ if [".spec.", ".status."].iter().any(|root| selector.starts_with(root)) => return,
        _ => "should be a json path under either .spec or .status",
    };
    causes.push(Cause::invalid(field, &selector.into(), because));
}

fn validate_columns(place: &str, version: &Value, causes: &mut Vec<Cause>) {
    for (index, column) in columns(version).enumerate() {
        let field = format!("{place}[{index}]");
        if text(column, "/name").is_empty() {
            causes.push(Cause::required(format!("{field}.name"), ""));
        }
        if text(column, "/type").is_empty() {
            let because = format!("must be one of {}", COLUMN_TYPES.join(","));
            causes.push(Cause::required(format!("{field}.type"), &because));
        } else if !COLUMN_TYPES.contains(&text(column, "/type")) {
            let because = format!("must be one of {}", COLUMN_TYPES.join(","));
            causes.push(Cause::invalid(format!("{field}.type"), &column["type"], because));
        }
        if text(column, "/jsonPath").is_empty() {
            causes.push(Cause::required(format!("{field}.JSONPath"), ""));
        } else if !text(column, "/jsonPath").starts_with('.') {
            causes.push(Cause::invalid(format!("{field}.JSONPath"), &column["jsonPath"], SIMPLE_PATH));
        }
    }
}

fn validate_selectable(place: &str, version: &Value, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (index, field) in version["selectableFields"].as_array().into_iter().flatten().enumerate() {
        let (path, place) = (text(field, "/jsonPath"), format!("{place}[{index}].jsonPath"));
        let schema = &version["schema"]["openAPIV3Schema"];
        let leaf = path.split('.').skip(1).try_fold(schema, |schema, name| schema["properties"].get(name));
        match leaf.map(|leaf| leaf["type"].as_str().unwrap_or_default()) {
            None => {
                let because = "is an invalid path: does not refer to a valid field";
                causes.push(Cause::invalid(place, &path.into(), because));
            }
            Some("string" | "boolean" | "integer") if !seen.insert(path) => {
                causes.push(Cause::new("FieldValueDuplicate", place, format!("Duplicate value: {path:?}")));
            }
            Some("string" | "boolean" | "integer") => {}
            Some(_) => {
                let because = "must point to a field of type string, boolean or integer. Enum string fields and \
                               strings with formats are allowed.";
                causes.push(Cause::invalid(place, &path.into(), because));
            }
        }
    }
}

fn validate_conversion(conversion: &Value, causes: &mut Vec<Cause>) {
    match text(conversion, "/strategy") {
        "Webhook" => {
            if conversion["webhook"].get("clientConfig").is_none() {
                let because = "required when strategy is set to Webhook";
                causes.push(Cause::required("spec.conversion.webhookClientConfig", because));
            }
            if conversion["webhook"]["conversionReviewVersions"].as_array().is_none_or(Vec::is_empty) {
                causes.push(Cause::required("spec.conversion.conversionReviewVersions", ""));
            }
        }
        "" | "None" => {
            if conversion["webhook"].get("clientConfig").is_some() {
                let because = "should not be set when strategy is not set to Webhook";
                causes.push(Cause::forbidden("spec.conversion.webhookClientConfig", because));
            }
            if conversion["webhook"]["conversionReviewVersions"].as_array().is_some_and(|all| !all.is_empty())
            {
                let because = "should not be set when strategy is not set to Webhook";
                causes.push(Cause::forbidden("spec.conversion.conversionReviewVersions", because));
            }
        }
        other => {
            let field = "spec.conversion.strategy";
            causes.push(Cause::not_supported(field, &other.into(), &["None", "Webhook"]));
        }
    }
}

fn validate_names(declared: &Value, causes: &mut Vec<Cause>) {
    for field in ["plural", "singular", "kind", "listKind"] {
        validate_name(field, &declared[field], causes);
    }
    for list in ["shortNames", "categories"] {
        for (index, name) in declared[list].as_array().into_iter().flatten().enumerate() {
            if !name.as_str().is_some_and(names::is_dns_1035) {
                causes.push(Cause::invalid(
                    format!("spec.names.{list}[{index}]"),
                    name,
                    names::DNS_1035_RULE,
                ));
            }
        }
    }
    if !text(declared, "/kind").is_empty() && declared["kind"] == declared["listKind"] {
        let because = "kind and listKind may not be the same";
        causes.push(Cause::invalid("spec.names.listKind", &declared["listKind"], because));
    }
}

fn validate_name(field: &str, name: &Value, causes: &mut Vec<Cause>) {
    let path = format!("spec.names.{field}");
    let mixed_case = matches!(field, "kind" | "listKind");
    match name.as_str().unwrap_or_default() {
        "" => causes.push(Cause::required(path, "")),
        name if mixed_case && !names::is_dns_1035(&name.to_lowercase()) => {
            let because =
                format!("may have mixed case, but should otherwise match: {}", names::DNS_1035_RULE);
            causes.push(Cause::invalid(path, &name.into(), because));
        }
        name if !mixed_case && !names::is_dns_1035(name) => {
            causes.push(Cause::invalid(path, &name.into(), names::DNS_1035_RULE));
        }
        _ => {}
    }
}
