//! Deletions: what is answered, grace periods, finalizers and preconditions.

use crate::case::{Case, Outcome, case};
use crate::objects::{bound_pod, config_map, finalized, headless_service, pod, workload};
use crate::site::{JSON, MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_deletion_answers_a_status)
            .rule("A deletion that is done at once answers a Status with the object's name and uid.")
            .source("API concepts: deletion"),
        case(a_deletion_needs_its_object)
            .rule("A deletion of what is not there is 404.")
            .source("API concepts: deletion"),
        case(some_kinds_answer_the_object)
            .rule("A Service is answered as an object even when it is gone.")
            .source("registry/core/service: ReturnDeletedObject"),
        case(finalizers_keep_an_object)
            .rule("With finalizers, an object stays, marked with a time and a grace of 0, and is answered.")
            .source("Finalizers"),
        case(the_last_finalizer_removes)
            .rule("The last finalizer takes the object with it.")
            .source("Finalizers"),
        case(a_second_deletion_changes_nothing)
            .rule("A second deletion of what waits for finalizers changes nothing.")
            .source("registry/rest: BeforeDelete"),
        case(no_new_finalizers_in_deletion)
            .rule("New finalizers are refused while an object is being deleted.")
            .source("apimachinery: ValidateObjectMetaUpdate"),
        case(the_deletion_time_is_the_servers)
            .rule("The deletion time cannot be written.")
            .source("registry/rest: BeforeUpdate"),
        case(a_name_is_taken_until_the_end)
            .rule("A name that waits for finalizers is taken: creating it again is refused.")
            .source("registry/rest: Create"),
        case(a_pod_goes_gracefully)
            .rule(
                "A Pod on a node goes after its grace period: until then it is there, with the time of its \
                 end.",
            )
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_pod_on_no_node_goes_at_once)
            .rule("A Pod on no node goes at once.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_pod_that_has_ended_goes_at_once)
            .rule("A Pod that has ended goes at once.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_graceful_deletion_is_a_generation)
            .rule("The beginning of a graceful deletion is a generation.")
            .source("registry/rest: BeforeDelete"),
        case(a_pod_names_its_grace)
            .rule("A Pod's own grace period holds when the deletion names none.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_deletion_names_the_grace)
            .rule("A deletion may name the grace period, as a parameter or in its options.")
            .source("API concepts: deletion"),
        case(grace_only_shrinks)
            .rule("A grace period can be shortened and never lengthened.")
            .source("registry/rest: BeforeDelete"),
        case(a_negative_grace_is_one_second)
            .rule("A negative grace period means 1 second.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(finalizers_outlast_grace)
            .rule("Finalizers outlast the grace period.")
            .source("registry/rest: BeforeDelete"),
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

async fn a_deletion_answers_a_status(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.delete("configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "Status")?
        .is("/status", "Success")?
        .is("/details/name", "a")?
        .is("/details/kind", "configmaps")?
        .is("/details/uid", made.text("/metadata/uid"))?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_deletion_needs_its_object(site: Site) -> Outcome {
    site.delete("configmaps/none").await?.refused(404, "NotFound")?;
    Ok(())
}

async fn some_kinds_answer_the_object(site: Site) -> Outcome {
    site.create("services", headless_service("a")).await?;
    let gone = site.delete("services/a").await?.code(200)?;
    let known = gone.json["kind"] == "Service" || gone.json["kind"] == "Status";
    gone.check(known, "a Service")?;
    Ok(())
}

async fn finalizers_keep_an_object(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "ConfigMap")?
        .has("/metadata/deletionTimestamp")?
        .is("/metadata/deletionGracePeriodSeconds", 0)?;
    site.get("configmaps/a").await?.code(200)?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn the_last_finalizer_removes(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["example.com/a", "example.com/b"]}});
    site.create("configmaps", body).await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/metadata/finalizers/0"}]))
        .await?
        .code(200)?;
    site.get("configmaps/a").await?.code(200)?.is("/metadata/finalizers", json!(["example.com/b"]))?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/metadata/finalizers"}]))
        .await?
        .code(200)?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_second_deletion_changes_nothing(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    let first = site.delete("configmaps/a").await?.code(200)?;
    site.delete("configmaps/a").await?.code(200)?.is("/metadata/resourceVersion", first.version())?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn no_new_finalizers_in_deletion(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    let patch = json!({"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}});
    site.patch(MERGE, "configmaps/a", patch).await?.invalid("FieldValueForbidden", "metadata.finalizers")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn the_deletion_time_is_the_servers(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!({"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}});
    let answer = site.patch(MERGE, "configmaps/a", patch).await?;
    let kept = answer.status == 422 || answer.json.pointer("/metadata/deletionTimestamp").is_none();
    answer.check(kept, "no deletion time")?;
    Ok(())
}

async fn a_name_is_taken_until_the_end(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.post("configmaps", config_map("a"))
        .await?
        .refused(409, "AlreadyExists")?
        .mentions("/message", "object is being deleted: configmaps \"a\" already exists")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn a_pod_goes_gracefully(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a")
        .await?
        .code(200)?
        .is("/kind", "Pod")?
        .has("/metadata/deletionTimestamp")?
        .is("/metadata/deletionGracePeriodSeconds", 30)?;
    site.get("pods/a").await?.code(200)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_pod_on_no_node_goes_at_once(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.delete("pods/a").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_pod_that_has_ended_goes_at_once(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Succeeded"}})).await?.code(200)?;
    site.delete("pods/a").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_graceful_deletion_is_a_generation(site: Site) -> Outcome {
    let made = site.create("pods", bound_pod("a")).await?;
    let before = made.at("/metadata/generation").as_i64().unwrap_or_default();
    site.delete("pods/a").await?.is("/metadata/generation", before + 1)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_pod_names_its_grace(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["spec"]["terminationGracePeriodSeconds"] = json!(7);
    site.create("pods", made).await?;
    site.delete("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 7)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_deletion_names_the_grace(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete_with("pods/a", json!({"gracePeriodSeconds": 20}))
        .await?
        .is("/metadata/deletionGracePeriodSeconds", 20)?;
    site.delete("pods/a?gracePeriodSeconds=10").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn grace_only_shrinks(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a?gracePeriodSeconds=10").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=20").await?.code(200)?;
    site.get("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_negative_grace_is_one_second(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a?gracePeriodSeconds=-1").await?.is("/metadata/deletionGracePeriodSeconds", 1)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn finalizers_outlast_grace(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["finalizers"] = json!(["example.com/hold"]);
    site.create("pods", made).await?;
    site.delete("pods/a?gracePeriodSeconds=0")
        .await?
        .code(200)?
        .is("/metadata/deletionGracePeriodSeconds", 0)?;
    site.get("pods/a").await?.code(200)?;
    site.patch(MERGE, "pods/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
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
    let mut events = site
        .watch(&format!(
            "configmaps?watch=true&resourceVersion={}&fieldSelector=metadata.name%3Da",
            made.version()
        ))
        .await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    let marked = events.expect_of("MODIFIED", "a").await?;
    events.check(marked.object["metadata"]["deletionTimestamp"].is_string(), "a deletion time", &marked)?;
    events.expect_of("DELETED", "a").await?;
    Ok(())
}
