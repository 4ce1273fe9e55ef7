//! Custom resources: pruning, defaulting and validation by their schemas.

use super::definition::Definition;
use crate::answer::Mismatch;
use crate::case::cases;
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

/// Refused for `spec.x`, which has this schema, with this value; `valid` is taken.
async fn refuses(
    site: &Site,
    schema: Value,
    invalid: Value,
    reason: &str,
    valid: Value,
) -> Result<(), Mismatch> {
    let widgets = Definition::new(site)
        .field("spec", json!({"type": "object", "properties": {"x": schema}}))
        .make(site)
        .await?;
    widgets
        .post(site, "a", json!({"spec": {"x": invalid}}), "")
        .await?
        .refused(422, "Invalid")?
        .cause(reason, "spec.x")?;
    widgets.create(site, "a", json!({"spec": {"x": valid}})).await?;
    Ok(())
}

cases! {
    /// Unknown fields are dropped.
    #[source("KEP-709: pruning")]
    async fn unknown_fields_are_pruned(site) {
        let widgets = Definition::new(&site).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"colour": "blue", "size": 3}, "other": 1})).await?
            .is("/spec", json!({"colour": "blue"}))?.lacks("/other")?;
    }

    /// Unknown fields are warned of, and refused under Strict.
    #[source("kubernetes/test/e2e/apimachinery/field_validation.go")]
    async fn unknown_fields_are_validated(site) {
        let widgets = Definition::new(&site).make(&site).await?;
        let body = json!({"spec": {"colour": "blue", "size": 3}});
        widgets.post(&site, "a", body.clone(), "?fieldValidation=Strict").await?.refused(400, "BadRequest")?
            .mentions("/message", "unknown field \"spec.size\"")?;
        widgets.post(&site, "a", body, "?fieldValidation=Warn").await?.code(201)?.warns("unknown field \\\"spec.size\\\"")?;
    }

    /// x-kubernetes-preserve-unknown-fields keeps them.
    #[source("KEP-709: pruning")]
    async fn unknown_fields_are_preserved(site) {
        let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let widgets = Definition::new(&site).field("spec", free).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"any": {"thing": [1, "two", null]}}})).await?
            .is("/spec/any", json!({"thing": [1, "two", null]}))?;
    }

    /// Defaults fill what is missing, on creation and on reading.
    #[source("KEP-575: defaulting")]
    async fn defaults_are_filled_in(site) {
        let spec = json!({"type": "object", "default": {}, "properties": {"x": {"type": "string", "default": "blue"}, "y": {"type": "integer", "default": 3}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"y": 4}})).await?.is("/spec", json!({"x": "blue", "y": 4}))?;
        widgets.create(&site, "b", json!({})).await?.is("/spec", json!({"x": "blue", "y": 3}))?;
    }

    /// A null is pruned before defaulting, where the field is not nullable.
    #[source("KEP-575: defaulting and nullable")]
    async fn nulls_are_defaulted(site) {
        let spec = json!({"type": "object", "properties": {"x": {"type": "string", "default": "blue"}, "n": {"type": "string", "nullable": true, "default": "red"}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"x": null, "n": null}})).await?.is("/spec/x", "blue")?.is("/spec/n", Value::Null)?;
    }

    /// A default must fit its schema.
    #[source("KEP-575: defaulting")]
    async fn a_default_is_valid(site) {
        let body = Definition::new(&site).field("spec", json!({"type": "object", "properties": {"x": {"type": "string", "default": 3}}})).body();
        site.post(Definition::PATH, body).await?.refused(422, "Invalid")?;
    }

    /// A wrong type.
    #[source("kube-openapi validation: type")]
    async fn types(site) {
        refuses(&site, json!({"type": "integer"}), json!("three"), "FieldValueTypeInvalid", json!(3)).await?;
    }

    /// A number out of bounds.
    #[source("kube-openapi validation: minimum, maximum")]
    async fn bounds(site) {
        refuses(&site, json!({"type": "integer", "minimum": 1, "maximum": 5}), json!(0), "FieldValueInvalid", json!(5)).await?;
    }

    /// A text that is too long is told as such.
    #[source("kube-openapi validation: maxLength")]
    async fn lengths(site) {
        refuses(&site, json!({"type": "string", "maxLength": 3}), json!("four"), "FieldValueTooLong", json!("abc")).await?;
    }

    /// A text that does not match its pattern.
    #[source("kube-openapi validation: pattern")]
    async fn patterns(site) {
        refuses(&site, json!({"type": "string", "pattern": "^[a-z]+$"}), json!("A1"), "FieldValueInvalid", json!("abc")).await?;
    }

    /// A value that is none of an enumeration.
    #[source("kube-openapi validation: enum")]
    async fn enumerations(site) {
        refuses(&site, json!({"type": "string", "enum": ["a", "b"]}), json!("c"), "FieldValueNotSupported", json!("b")).await?;
    }

    /// A list with too many items.
    #[source("kube-openapi validation: maxItems")]
    async fn items(site) {
        let list = json!({"type": "array", "maxItems": 2, "items": {"type": "integer"}});
        refuses(&site, list, json!([1, 2, 3]), "FieldValueTooMany", json!([1, 2])).await?;
    }

    /// A text that is not in its format.
    #[source("kube-openapi validation: format")]
    async fn formats(site) {
        refuses(&site, json!({"type": "string", "format": "date-time"}), json!("today"), "FieldValueTypeInvalid", json!("2020-01-02T03:04:05Z")).await?;
    }

    /// A required field.
    #[source("kube-openapi validation: required")]
    async fn requirements(site) {
        let spec = json!({"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.post(&site, "a", json!({"spec": {}}), "").await?.refused(422, "Invalid")?.cause("FieldValueRequired", "spec.x")?;
    }

    /// Several violations are all told.
    #[source("API conventions: causes")]
    async fn all_violations_are_told(site) {
        let spec = json!({"type": "object", "required": ["z"], "properties": {"x": {"type": "integer"}, "y": {"type": "string", "maxLength": 1}, "z": {"type": "string"}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.post(&site, "a", json!({"spec": {"x": "a", "y": "ab"}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueTypeInvalid", "spec.x")?.cause("FieldValueTooLong", "spec.y")?.cause("FieldValueRequired", "spec.z")?;
    }

    /// A patch is validated, too.
    #[source("customresource strategy: ValidateUpdate")]
    async fn patches_are_validated(site) {
        let spec = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?;
        site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": "one"}})).await?.refused(422, "Invalid")?
            .cause("FieldValueTypeInvalid", "spec.x")?;
    }

    /// x-kubernetes-int-or-string takes both.
    #[source("KEP-1111: x-kubernetes-int-or-string")]
    async fn int_or_string(site) {
        let spec = json!({"type": "object", "properties": {"x": {"x-kubernetes-int-or-string": true}}});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?.is("/spec/x", 1)?;
        widgets.create(&site, "b", json!({"spec": {"x": "10%"}})).await?.is("/spec/x", "10%")?;
        widgets.post(&site, "c", json!({"spec": {"x": []}}), "").await?.refused(422, "Invalid")?;
    }

    /// Items of a set differ.
    #[source("KEP-555: x-kubernetes-list-type")]
    async fn sets_have_no_duplicates(site) {
        let list = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
        let widgets = Definition::new(&site).field("spec", json!({"type": "object", "properties": {"x": list}})).make(&site).await?;
        widgets.post(&site, "a", json!({"spec": {"x": ["a", "a"]}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueDuplicate", "spec.x[1]")?;
    }

    /// Items of a map list differ in their keys.
    #[source("KEP-555: x-kubernetes-list-type")]
    async fn map_lists_have_no_duplicates(site) {
        let items = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}});
        let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": items});
        let widgets = Definition::new(&site).field("spec", json!({"type": "object", "properties": {"x": list}})).make(&site).await?;
        widgets.post(&site, "a", json!({"spec": {"x": [{"k": "a"}, {"k": "a"}]}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueDuplicate", "spec.x[1]")?;
    }

    /// additionalProperties types the values of a map.
    #[source("KEP-1111: structural schemas")]
    async fn maps_are_typed(site) {
        let map = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        let widgets = Definition::new(&site).field("spec", json!({"type": "object", "properties": {"x": map}})).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"x": {"any": 1, "name": 2}}})).await?.is("/spec/x", json!({"any": 1, "name": 2}))?;
        widgets.post(&site, "b", json!({"spec": {"x": {"any": "one"}}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueTypeInvalid", "spec.x.any")?;
    }

    /// An embedded resource needs apiVersion and kind, and keeps its metadata.
    #[source("KEP-1111: x-kubernetes-embedded-resource")]
    async fn embedded_resources(site) {
        let embedded = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        let widgets = Definition::new(&site).field("spec", json!({"type": "object", "properties": {"x": embedded}})).make(&site).await?;
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}});
        widgets.create(&site, "a", json!({"spec": {"x": pod.clone()}})).await?.is("/spec/x", pod)?;
        widgets.post(&site, "b", json!({"spec": {"x": {"metadata": {"name": "p"}}}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueRequired", "spec.x.apiVersion")?;
    }

    /// A rule in CEL is evaluated.
    #[source("KEP-2876: x-kubernetes-validations")]
    async fn rules_in_cel(site) {
        let spec = json!({"type": "object", "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.min <= self.max", "message": "min is at most max"}]});
        let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
        widgets.create(&site, "a", json!({"spec": {"min": 1, "max": 2}})).await?;
        widgets.post(&site, "b", json!({"spec": {"min": 3, "max": 2}}), "").await?.refused(422, "Invalid")?
            .cause("FieldValueInvalid", "spec")?.mentions("/message", "min is at most max")?;
    }

    /// Metadata is validated as everywhere.
    #[source("apimachinery: ValidateObjectMeta")]
    async fn metadata_is_validated(site) {
        let widgets = Definition::new(&site).make(&site).await?;
        widgets.post(&site, "A", json!({}), "").await?.refused(422, "Invalid")?.cause("FieldValueInvalid", "metadata.name")?;
        let labels = json!({"metadata": {"name": "a", "labels": {"x": "a b"}}});
        widgets.post(&site, "a", labels, "").await?.refused(422, "Invalid")?.cause("FieldValueInvalid", "metadata.labels")?;
    }
}
