//! Metadata that upstream refuses or keeps, and never repairs.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(deletions_are_not_written)
            .rule("A deletion does not begin by writing that it has begun.")
            .source("apimachinery: ValidateObjectMetaAccessorUpdate"),
        case(a_deletion_that_has_begun_stays)
            .rule("A deletion that has begun is repeated by nobody and stays.")
            .source("apimachinery: ValidateObjectMetaAccessorUpdate"),
        case(a_generation_stays_where_nobody_counts)
            .rule("A generation stays with kinds whose strategy sets none.")
            .source("rest.BeforeCreate"),
        case(the_version_of_a_new_object)
            .rule("The version of a new object is found out when it is stored, after all else.")
            .source("storage/etcd3: Create"),
        case(the_version_zero_is_none)
            .rule("The version 0 is none: kinds that want one refuse it.")
            .source("rest.BeforeUpdate"),
        case(protected_groups_are_approved)
            .rule(
                "An object of Kubernetes' own groups needs an approval that is a URL or says that it is \
                 none.",
            )
            .source("apihelpers.GetAPIApprovalState"),
    ]
}

async fn deletions_are_not_written(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({})).await?;
    for path in ["configmaps/a".to_owned(), widgets.object("a")] {
        site.patch(MERGE, &path, json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}))
            .await?
            .invalid("FieldValueInvalid", "metadata.deletionTimestamp")?;
        site.patch(MERGE, &path, json!({"metadata": {"deletionGracePeriodSeconds": 5}}))
            .await?
            .invalid("FieldValueInvalid", "metadata.deletionGracePeriodSeconds")?;
        site.patch(MERGE, &path, json!({"metadata": {"generation": 9, "selfLink": "x", "uid": ""}}))
            .await?
            .code(200)?;
    }
    site.put("configmaps/a", json!({"metadata": {"name": "a", "deletionTimestamp": "2020-01-01T00:00:00Z"}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.deletionTimestamp")?;
    Ok(())
}

async fn a_deletion_that_has_begun_stays(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["example.com/a"]}});
    site.create("configmaps", body).await?;
    site.delete("configmaps/a").await?.code(200)?;
    let object = json!({"metadata": {"name": "a", "finalizers": ["example.com/a"]}, "data": {"a": "b"}});
    site.put("configmaps/a", object)
        .await?
        .code(200)?
        .has("/metadata/deletionTimestamp")?
        .is("/metadata/deletionGracePeriodSeconds", 0)?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn a_generation_stays_where_nobody_counts(site: Site) -> Outcome {
    for kind in ["configmaps", "secrets", "serviceaccounts"] {
        site.create(kind, json!({"metadata": {"name": "a", "generation": 5}}))
            .await?
            .is("/metadata/generation", 5)?;
    }
    let widgets = Definition::new(&site).make(&site).await?;
    widgets
        .post(&site, "a", json!({"metadata": {"name": "a", "generation": 5}}), "")
        .await?
        .code(201)?
        .is("/metadata/generation", 1)?;
    Ok(())
}

async fn the_version_of_a_new_object(site: Site) -> Outcome {
    let body = |name: &str, version: &str| json!({"metadata": {"name": name, "resourceVersion": version}});
    site.post("configmaps", body("a", "5"))
        .await?
        .code(500)?
        .is("/message", "resourceVersion should not be set on objects to be created")?;
    site.post("configmaps?dryRun=All", body("a", "5")).await?.code(201)?;
    site.post("configmaps", body("A", "5")).await?.invalid("FieldValueInvalid", "metadata.name")?;
    site.post("configmaps", body("b", "0")).await?.code(201)?;
    site.post("configmaps", body("c", "abc")).await?.code(201)?;
    Ok(())
}

async fn the_version_zero_is_none(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({})).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"metadata": {"resourceVersion": "0"}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.resourceVersion")?;
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"resourceVersion": "0"}})).await?.code(200)?;
    Ok(())
}

async fn protected_groups_are_approved(site: Site) -> Outcome {
    let group = format!("{}.k8s.io", site.namespace());
    let body = |annotation: &str| {
        let mut body = Definition::new(&site).body();
        body["spec"]["group"] = json!(group);
        body["metadata"] = json!({
            "name": format!("widgets.{group}"), "annotations": {"api-approved.kubernetes.io": annotation},
        });
        body
    };
    let path = format!("{}?dryRun=All", Definition::PATH);
    for (annotation, code) in
        [("https://example.com/1", 201), ("unapproved, as yet", 201), ("yes", 422), ("", 422)]
    {
        site.post(&path, body(annotation)).await?.code(code)?;
    }
    Ok(())
}
