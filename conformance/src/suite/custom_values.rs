//! Custom resources: pruning, defaulting and validation by their schemas.

use super::definition::Definition;
use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(unknown_fields_are_pruned).rule("Unknown fields are dropped.").source("KEP-709: pruning"),
        case(unknown_fields_are_validated)
            .rule("Unknown fields are warned of, and refused under Strict.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(unknown_fields_are_preserved)
            .rule("x-kubernetes-preserve-unknown-fields keeps them.")
            .source("KEP-709: pruning"),
        case(defaults_are_filled_in)
            .rule("Defaults fill what is missing, on creation and on reading.")
            .source("KEP-575: defaulting"),
        case(nulls_are_defaulted)
            .rule("A null is pruned before defaulting, where the field is not nullable.")
            .source("KEP-575: defaulting and nullable"),
        case(a_default_is_valid).rule("A default must fit its schema.").source("KEP-575: defaulting"),
        case(types).rule("A wrong type.").source("kube-openapi validation: type"),
        case(bounds).rule("A number out of bounds.").source("kube-openapi validation: minimum, maximum"),
        case(lengths)
            .rule("A text that is too long is told as such.")
            .source("kube-openapi validation: maxLength"),
        case(patterns)
            .rule("A text that does not match its pattern.")
            .source("kube-openapi validation: pattern"),
        case(enumerations)
            .rule("A value that is none of an enumeration.")
            .source("kube-openapi validation: enum"),
        case(items).rule("A list with too many items.").source("kube-openapi validation: maxItems"),
        case(formats).rule("A text that is not in its format.").source("kube-openapi validation: format"),
        case(requirements).rule("A required field.").source("kube-openapi validation: required"),
        case(all_violations_are_told)
            .rule("Several violations are all told.")
            .source("API conventions: causes"),
        case(patches_are_validated)
            .rule("A patch is validated, too.")
            .source("customresource strategy: ValidateUpdate"),
        case(int_or_string)
            .rule("x-kubernetes-int-or-string takes both.")
            .source("KEP-1111: x-kubernetes-int-or-string"),
        case(sets_have_no_duplicates)
            .rule("Items of a set differ.")
            .source("KEP-555: x-kubernetes-list-type"),
        case(map_lists_have_no_duplicates)
            .rule("Items of a map list differ in their keys.")
            .source("KEP-555: x-kubernetes-list-type"),
        case(maps_are_typed)
            .rule("additionalProperties types the values of a map.")
            .source("KEP-1111: structural schemas"),
        case(embedded_resources)
            .rule("An embedded resource needs apiVersion and kind, and keeps its metadata.")
            .source("KEP-1111: x-kubernetes-embedded-resource"),
        case(rules_in_cel).rule("A rule in CEL is evaluated.").source("KEP-2876: x-kubernetes-validations"),
        case(metadata_is_validated)
            .rule("Metadata is validated as everywhere.")
            .source("apimachinery: ValidateObjectMeta"),
    ]
}

/// Refused for `spec.x`, which has this schema, with this value; `valid` is taken.
async fn refuses(
    site: &Site,
    schema: Value,
    invalid: Value,
    reason: &str,
    valid: Value,
) -> Result<(), Mismatch> {
    let widgets = Definition::new(site).spec(json!({"x": schema})).make(site).await?;
    widgets.post(site, "a", json!({"spec": {"x": invalid}}), "").await?.invalid(reason, "spec.x")?;
    widgets.create(site, "a", json!({"spec": {"x": valid}})).await?;
    Ok(())
}

async fn unknown_fields_are_pruned(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets
        .create(&site, "a", json!({"spec": {"colour": "blue", "size": 3}, "other": 1}))
        .await?
        .is("/spec", json!({"colour": "blue"}))?
        .lacks("/other")?;
    Ok(())
}

async fn unknown_fields_are_validated(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let body = json!({"spec": {"colour": "blue", "size": 3}});
    widgets
        .post(&site, "a", body.clone(), "?fieldValidation=Strict")
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"spec.size\"")?;
    widgets
        .post(&site, "a", body, "?fieldValidation=Warn")
        .await?
        .code(201)?
        .warns("unknown field \\\"spec.size\\\"")?;
    Ok(())
}

async fn unknown_fields_are_preserved(site: Site) -> Outcome {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let widgets = Definition::new(&site).field("spec", free).make(&site).await?;
    widgets
        .create(&site, "a", json!({"spec": {"any": {"thing": [1, "two", null]}}}))
        .await?
        .is("/spec/any", json!({"thing": [1, "two", null]}))?;
    Ok(())
}

async fn defaults_are_filled_in(site: Site) -> Outcome {
    let spec = json!({"type": "object", "default": {}, "properties": {
        "x": {"type": "string", "default": "blue"},
        "y": {"type": "integer", "default": 3},
    }});
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"y": 4}})).await?.is("/spec", json!({"x": "blue", "y": 4}))?;
    widgets.create(&site, "b", json!({})).await?.is("/spec", json!({"x": "blue", "y": 3}))?;
    Ok(())
}

async fn nulls_are_defaulted(site: Site) -> Outcome {
    let fields = json!({
        "x": {"type": "string", "default": "blue"},
        "n": {"type": "string", "nullable": true, "default": "red"},
    });
    let widgets = Definition::new(&site).spec(fields).make(&site).await?;
    widgets
        .create(&site, "a", json!({"spec": {"x": null, "n": null}}))
        .await?
        .is("/spec/x", "blue")?
        .is("/spec/n", Value::Null)?;
    Ok(())
}

async fn a_default_is_valid(site: Site) -> Outcome {
    let body = Definition::new(&site).spec(json!({"x": {"type": "string", "default": 3}})).body();
    site.post(Definition::PATH, body).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn types(site: Site) -> Outcome {
    refuses(&site, json!({"type": "integer"}), json!("three"), "FieldValueTypeInvalid", json!(3)).await?;
    Ok(())
}

async fn bounds(site: Site) -> Outcome {
    let schema = json!({"type": "integer", "minimum": 1, "maximum": 5});
    refuses(&site, schema, json!(0), "FieldValueInvalid", json!(5)).await?;
    Ok(())
}

async fn lengths(site: Site) -> Outcome {
    let schema = json!({"type": "string", "maxLength": 3});
    refuses(&site, schema, json!("four"), "FieldValueTooLong", json!("abc")).await?;
    Ok(())
}

async fn patterns(site: Site) -> Outcome {
    let schema = json!({"type": "string", "pattern": "^[a-z]+$"});
    refuses(&site, schema, json!("A1"), "FieldValueInvalid", json!("abc")).await?;
    Ok(())
}

async fn enumerations(site: Site) -> Outcome {
    let schema = json!({"type": "string", "enum": ["a", "b"]});
    refuses(&site, schema, json!("c"), "FieldValueNotSupported", json!("b")).await?;
    Ok(())
}

async fn items(site: Site) -> Outcome {
    let list = json!({"type": "array", "maxItems": 2, "items": {"type": "integer"}});
    refuses(&site, list, json!([1, 2, 3]), "FieldValueTooMany", json!([1, 2])).await?;
    Ok(())
}

async fn formats(site: Site) -> Outcome {
    let schema = json!({"type": "string", "format": "date-time"});
    refuses(&site, schema, json!("today"), "FieldValueTypeInvalid", json!("2020-01-02T03:04:05Z")).await?;
    Ok(())
}

async fn requirements(site: Site) -> Outcome {
    let spec = json!({"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}});
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets.post(&site, "a", json!({"spec": {}}), "").await?.invalid("FieldValueRequired", "spec.x")?;
    Ok(())
}

async fn all_violations_are_told(site: Site) -> Outcome {
    let spec = json!({"type": "object", "required": ["z"], "properties": {
        "x": {"type": "integer"},
        "y": {"type": "string", "maxLength": 1},
        "z": {"type": "string"},
    }});
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": "a", "y": "ab"}}), "")
        .await?
        .invalid("FieldValueTypeInvalid", "spec.x")?
        .cause("FieldValueTooLong", "spec.y")?
        .cause("FieldValueRequired", "spec.z")?;
    Ok(())
}

async fn patches_are_validated(site: Site) -> Outcome {
    let widgets = Definition::new(&site).spec(json!({"x": {"type": "integer"}})).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": "one"}}))
        .await?
        .invalid("FieldValueTypeInvalid", "spec.x")?;
    Ok(())
}

async fn int_or_string(site: Site) -> Outcome {
    let fields = json!({"x": {"x-kubernetes-int-or-string": true}});
    let widgets = Definition::new(&site).spec(fields).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?.is("/spec/x", 1)?;
    widgets.create(&site, "b", json!({"spec": {"x": "10%"}})).await?.is("/spec/x", "10%")?;
    widgets.post(&site, "c", json!({"spec": {"x": []}}), "").await?.refused(422, "Invalid")?;
    Ok(())
}

async fn sets_have_no_duplicates(site: Site) -> Outcome {
    let list = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    let widgets = Definition::new(&site).spec(json!({"x": list})).make(&site).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": ["a", "a"]}}), "")
        .await?
        .invalid("FieldValueDuplicate", "spec.x[1]")?;
    Ok(())
}

async fn map_lists_have_no_duplicates(site: Site) -> Outcome {
    let items = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}});
    let list = json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "items": items,
    });
    let widgets = Definition::new(&site).spec(json!({"x": list})).make(&site).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": [{"k": "a"}, {"k": "a"}]}}), "")
        .await?
        .invalid("FieldValueDuplicate", "spec.x[1]")?;
    Ok(())
}

async fn maps_are_typed(site: Site) -> Outcome {
    let map = json!({"type": "object", "additionalProperties": {"type": "integer"}});
    let widgets = Definition::new(&site).spec(json!({"x": map})).make(&site).await?;
    widgets
        .create(&site, "a", json!({"spec": {"x": {"any": 1, "name": 2}}}))
        .await?
        .is("/spec/x", json!({"any": 1, "name": 2}))?;
    widgets
        .post(&site, "b", json!({"spec": {"x": {"any": "one"}}}), "")
        .await?
        .invalid("FieldValueTypeInvalid", "spec.x.any")?;
    Ok(())
}

async fn embedded_resources(site: Site) -> Outcome {
    let embedded = json!({
        "type": "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
    });
    let widgets = Definition::new(&site).spec(json!({"x": embedded})).make(&site).await?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}});
    widgets.create(&site, "a", json!({"spec": {"x": pod.clone()}})).await?.is("/spec/x", pod)?;
    widgets
        .post(&site, "b", json!({"spec": {"x": {"metadata": {"name": "p"}}}}), "")
        .await?
        .invalid("FieldValueRequired", "spec.x.apiVersion")?;
    Ok(())
}

async fn rules_in_cel(site: Site) -> Outcome {
    let spec = json!({
        "type": "object",
        "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.min <= self.max", "message": "min is at most max"}],
    });
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"min": 1, "max": 2}})).await?;
    widgets
        .post(&site, "b", json!({"spec": {"min": 3, "max": 2}}), "")
        .await?
        .invalid("FieldValueInvalid", "spec")?
        .mentions("/message", "min is at most max")?;
    Ok(())
}

async fn metadata_is_validated(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.post(&site, "A", json!({}), "").await?.invalid("FieldValueInvalid", "metadata.name")?;
    let labels = json!({"metadata": {"name": "a", "labels": {"x": "a b"}}});
    widgets.post(&site, "a", labels, "").await?.invalid("FieldValueInvalid", "metadata.labels")?;
    Ok(())
}
