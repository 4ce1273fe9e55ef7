//! Pruning and defaulting by CustomResourceDefinitions.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::objects::applied;
use crate::site::{APPLY, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_list_keeps_the_fields_of_its_items)
            .rule(
                "A list that keeps unknown fields keeps those of its items, and none of what is declared in \
                 them.",
            )
            .source("apiextensions: structural pruning, skipPrune"),
        case(what_is_applied_is_pruned)
            .rule("An applied configuration is pruned, too, even in places for which there are no types.")
            .source("apiextensions: unstructuredSchemaCoercer.apply"),
        case(defaults_take_the_place_of_null)
            .rule(
                "Defaults take the place of nulls that are not allowed; without one, such a null is left \
                 out.",
            )
            .source("apiextensions: structuraldefaulting"),
        case(null_is_not_there)
            .rule("A required field is not there if it is null, even if it may be anything.")
            .source("apiextensions: PruneNonNullableNullsWithoutDefaults"),
        case(a_status_has_its_defaults)
            .rule("A status has its defaults from the beginning, although nobody sets it.")
            .source("apiextensions: unstructuredDefaulter"),
        case(formats_of_strings)
            .rule("Formats of strings are those of go-openapi's registry.")
            .source("kube-openapi: validation/strfmt"),
    ]
}

async fn a_list_keeps_the_fields_of_its_items(site: Site) -> Outcome {
    let list = json!({"type": "array", "x-kubernetes-preserve-unknown-fields": true, "items": {
        "type": "object", "properties": {"a": {"type": "string"}, "o": {"type": "object"}},
    }});
    let widgets = Definition::new(&site).spec(json!({"list": list})).make(&site).await?;
    let sent = json!([{"a": "b", "u": 1, "o": {"z": 1}}, {"q": [{"w": 1}]}]);
    widgets
        .create(&site, "a", json!({"spec": {"list": sent}}))
        .await?
        .is("/spec/list", json!([{"a": "b", "u": 1, "o": {}}, {"q": [{"w": 1}]}]))?
        .warns("unknown field \\\"spec.list[0].o.z\\\"")?;
    Ok(())
}

async fn what_is_applied_is_pruned(site: Site) -> Outcome {
    let fields = json!({
        "bare": {"type": "array", "items": {"type": "object"}},
        "map": {"type": "object", "additionalProperties": true},
    });
    let widgets = Definition::new(&site).spec(fields).make(&site).await?;
    let spec = json!({"bare": [{"u": 1, "w": {"z": 1}}], "map": {"a": {"b": 1}, "c": 1}});
    let body = applied(&widgets.api_version, "Widget", json!({"spec": spec}));
    site.patch(APPLY, &format!("{}?fieldManager=a", widgets.object("a")), body)
        .await?
        .code(201)?
        .is("/spec", json!({"bare": [{}], "map": {"a": {}, "c": 1}}))?;
    Ok(())
}

async fn defaults_take_the_place_of_null(site: Site) -> Outcome {
    let fields = json!({
        "map": {"type": "object", "additionalProperties": {
            "type": "object", "properties": {"d": {"type": "integer", "default": 5}}, "default": {"d": 9},
        }},
        "list": {"type": "array", "items": {"type": "string", "default": "x"}},
        "texts": {"type": "object", "additionalProperties": {"type": "string"}},
        "nullable": {"type": "string", "nullable": true, "default": "q"},
        "text": {"type": "string", "default": "q"},
        "any": {"x-kubernetes-preserve-unknown-fields": true},
    });
    let widgets = Definition::new(&site).spec(fields).make(&site).await?;
    let sent = json!({
        "map": {"a": null, "b": {}, "c": {"d": null}}, "list": [null, "a"], "texts": {"a": null},
        "nullable": null, "text": null, "any": null,
    });
    let stored = json!({
        "map": {"a": {"d": 9}, "b": {"d": 5}, "c": {"d": 5}}, "list": ["x", "a"], "texts": {},
        "nullable": null, "text": "q",
    });
    widgets.create(&site, "a", json!({"spec": sent})).await?.is("/spec", stored)?;
    Ok(())
}

async fn null_is_not_there(site: Site) -> Outcome {
    let spec = json!({"type": "object", "required": ["any"], "properties": {
        "any": {"x-kubernetes-preserve-unknown-fields": true},
    }});
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets
        .post(&site, "a", json!({"spec": {"any": null}}), "")
        .await?
        .invalid("FieldValueRequired", "spec.any")?;
    widgets
        .create(&site, "a", json!({"spec": {"any": {"a": null}}}))
        .await?
        .is("/spec/any", json!({"a": null}))?;
    Ok(())
}

async fn a_status_has_its_defaults(site: Site) -> Outcome {
    let status = json!({"type": "object", "default": {"observedGeneration": -1}, "properties": {
        "observedGeneration": {"type": "integer"}, "phase": {"type": "string", "default": "New"},
    }});
    let widgets = Definition::new(&site)
        .field("status", status)
        .version(json!({"subresources": {"status": {}}}))
        .make(&site)
        .await?;
    widgets
        .create(&site, "a", json!({"status": {"phase": "Old"}}))
        .await?
        .is("/status", json!({"observedGeneration": -1, "phase": "New"}))?;
    site.get(&widgets.object("a")).await?.is("/status/observedGeneration", -1)?;
    Ok(())
}

async fn formats_of_strings(site: Site) -> Outcome {
    let formats = [
        ("cidr", "010.0.0.0/8", "10.0.0.0"),
        ("mac", "00-00-5e-00-53-01", "00:00:5e"),
        ("uuid", "123E4567e89b12d3a456426614174000", "123"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("duration", "3 days", "1"),
        ("isbn", "978-0321751041", "0321751044"),
        ("creditcard", "4111-1111-1111-1111", "4111111111111112"),
        ("ssn", "111-22-3333", "111223333"),
        ("hexcolor", "#fff", "#ffff"),
        ("rgbcolor", "rgb( 1 , 2 , 3 )", "rgb(256,0,0)"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
        ("k8s-short-name", "a-b", "A"),
        ("k8s-long-name", "a.b", "a..b"),
        ("hostname", "a-b.cd", "a_b"),
        ("byte", "YQ==", "YQ"),
        ("email", "Name <a@b.c>", "a@"),
        ("uri", "/a/b", "a/b"),
        ("ipv4", "01.2.3.4", "1.2.3"),
        ("ipv6", "::ffff:1.2.3.4", "1.2.3.4"),
        ("date", "2020-02-29", "2021-02-29"),
        ("datetime", "2020-01-01t00:00:00z", "2020-01-01T24:00:00Z"),
    ];
    let fields: serde_json::Map<_, _> = formats
        .iter()
        .map(|(format, ..)| ((*format).to_owned(), json!({"type": "string", "format": format})))
        .collect();
    let widgets = Definition::new(&site).spec(json!(fields)).make(&site).await?;
    for (format, valid, invalid) in formats {
        widgets.post(&site, "a", json!({"spec": {format: valid}}), "?dryRun=All").await?.code(201)?;
        widgets
            .post(&site, "a", json!({"spec": {format: invalid}}), "?dryRun=All")
            .await?
            .invalid("FieldValueTypeInvalid", &format!("spec.{format}"))?;
    }
    Ok(())
}
