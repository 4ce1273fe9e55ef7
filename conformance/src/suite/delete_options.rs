//! Options of deletions: preconditions and propagation; collections.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, finalized, workload};
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(the_uid_is_a_precondition)
            .rule("The uid as a precondition: another one is a conflict.")
            .source("registry/rest: Preconditions"),
        case(preconditions_stand_in_the_url)
            .rule("Both preconditions may stand in the URL, of a collection, too.")
            .source("apimachinery/meta/v1: Convert_url_Values_To_v1_DeleteOptions"),
        case(the_version_is_a_precondition)
            .rule("The version as a precondition: another one is a conflict.")
            .source("registry/rest: Preconditions"),
        case(one_way_to_propagate)
            .rule("propagationPolicy and orphanDependents exclude each other.")
            .source("apimachinery: ValidateDeleteOptions"),
        case(an_unknown_propagation_is_refused)
            .rule("A propagation that nobody knows is refused.")
            .source("apimachinery: ValidateDeleteOptions"),
        case(a_collection_is_deleted)
            .rule("A collection can be deleted, all of it or what a selector picks.")
            .source("API concepts: deletecollection"),
        case(a_deleted_collection_respects_finalizers)
            .rule("A deleted collection leaves what has finalizers, marked.")
            .source("API concepts: deletecollection"),
        case(options_may_say_their_kind)
            .rule("Options may come in the body with their kind, in any group's version that has them.")
            .source("apimachinery: DeleteOptions"),
        case(options_of_another_kind_are_refused)
            .rule("The options of a deletion are looked at: what is no DeleteOptions is refused.")
            .source("apiserver: DeleteResource"),
        case(what_is_being_deleted_can_change)
            .rule("An object that is being deleted can still be changed.")
            .source("Finalizers"),
        case(each_step_is_an_event)
            .rule("Each step of a deletion is an event: MODIFIED when it is marked, DELETED when it is gone.")
            .source("KEP-2340"),
    ]
}

async fn the_uid_is_a_precondition(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.delete_with("configmaps/a", json!({"preconditions": {"uid": "other"}}))
        .await?
        .refused(409, "Conflict")?
        .mentions("/message", "the UID in the precondition (other) does not match the UID in record")?;
    site.delete_with("configmaps/a", json!({"preconditions": {"uid": made.at("/metadata/uid")}}))
        .await?
        .code(200)?;
    Ok(())
}

async fn preconditions_stand_in_the_url(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    for query in ["uid=other", "resourceVersion=1"] {
        site.delete(&format!("configmaps/a?{query}")).await?.refused(409, "Conflict")?;
        site.delete(&format!("configmaps?fieldSelector=metadata.name%3Da&{query}"))
            .await?
            .refused(409, "Conflict")?;
    }
    let version = made.text("/metadata/resourceVersion").to_owned();
    site.delete(&format!("configmaps/a?resourceVersion={version}")).await?.code(200)?;
    Ok(())
}

async fn the_version_is_a_precondition(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.delete_with("configmaps/a", json!({"preconditions": {"resourceVersion": "1"}}))
        .await?
        .refused(409, "Conflict")?
        .mentions(
            "/message",
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record",
        )?;
    site.delete_with("configmaps/a", json!({"preconditions": {"resourceVersion": made.version()}}))
        .await?
        .code(200)?;
    Ok(())
}

async fn one_way_to_propagate(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.delete_with("configmaps/a", json!({"propagationPolicy": "Background", "orphanDependents": true}))
        .await?
        .invalid("FieldValueInvalid", "propagationPolicy")?;
    Ok(())
}

async fn an_unknown_propagation_is_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.delete_with("configmaps/a", json!({"propagationPolicy": "Sideways"}))
        .await?
        .invalid("FieldValueNotSupported", "propagationPolicy")?;
    Ok(())
}

async fn a_collection_is_deleted(site: Site) -> Outcome {
    for (name, label) in [("a", "x"), ("b", "y"), ("c", "x")] {
        site.create("secrets", json!({"metadata": {"name": name, "labels": {"l": label}}})).await?;
    }
    site.delete("secrets?labelSelector=l%3Dx").await?.code(200)?.is("/kind", "SecretList")?;
    site.get("secrets").await?.names(&["b"])?;
    site.delete("secrets").await?.code(200)?;
    site.get("secrets").await?.names(&[])?;
    Ok(())
}

async fn a_deleted_collection_respects_finalizers(site: Site) -> Outcome {
    site.create("secrets", finalized("a")).await?;
    site.secrets(&["b"]).await?;
    site.delete("secrets").await?.code(200)?;
    site.get("secrets").await?.names(&["a"])?.has("/items/0/metadata/deletionTimestamp")?;
    site.patch(MERGE, "secrets/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn options_may_say_their_kind(site: Site) -> Outcome {
    site.create("apps/v1/replicasets", workload("a", 0)).await?;
    let options =
        json!({"apiVersion": "apps/v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    site.delete_with("apps/v1/replicasets/a", options).await?.code(200)?;
    Ok(())
}

async fn options_of_another_kind_are_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let options = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    site.delete_with("configmaps/a", options).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn what_is_being_deleted_can_change(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"x": "y"}})).await?.code(200)?.is("/data/x", "y")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn each_step_is_an_event(site: Site) -> Outcome {
    let made = site.create("configmaps", finalized("a")).await?;
    let mut events = site.watch_after(made.version(), "configmaps?fieldSelector=metadata.name%3Da").await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    let marked = events.expect_of("MODIFIED", "a").await?;
    events.check(marked.object["metadata"]["deletionTimestamp"].is_string(), "a deletion time", &marked)?;
    events.expect_of("DELETED", "a").await?;
    Ok(())
}
