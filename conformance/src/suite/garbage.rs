//! The garbage collector.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, extended, finalized, owner, workload};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(in_the_background)
            .rule("In the background: the owner goes at once, its dependents soon.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(in_the_foreground)
            .rule("In the foreground: the owner waits, with a finalizer, until those who block it are gone.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(orphaned)
            .rule("Orphaned: dependents stay, without the reference.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(orphaned_by_the_older_word)
            .rule("orphanDependents is the older word for it.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(a_living_owner_keeps_a_dependent)
            .rule("A dependent with a second owner that lives stays, without the reference to the first.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(an_owner_is_its_uid)
            .rule("An owner counts by its uid, not its name.")
            .source("garbagecollector: attemptToDeleteItem"),
        case(an_owner_that_never_was)
            .rule("A dependent of an owner that never was goes.")
            .source("garbagecollector: attemptToDeleteItem"),
        case(a_chain_goes)
            .rule("A chain of owners goes as a whole.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(a_circle_goes)
            .rule("A circle of owners blocks nobody: all of it goes.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go: dependency circle"),
        case(a_kept_dependent_does_not_block)
            .rule("In the foreground, a dependent that another owner keeps does not block.")
            .source("kubernetes/test/e2e/apimachinery/garbage_collector.go"),
        case(who_does_not_block_is_not_waited_for)
            .rule("In the foreground, a dependent that does not block is not waited for.")
            .source("Garbage collection: foreground cascading deletion"),
        case(the_default_is_the_background)
            .rule("The Pods of a ReplicaSet go with it by default: the policy of apps/v1 is Background.")
            .source("registry/apps/replicaset: DefaultGarbageCollectionPolicy"),
        case(an_owner_in_another_namespace_does_not_count)
            .rule("An owner in another namespace does not count: its dependents go.")
            .source("Garbage collection: cross-namespace owners"),
        case(a_cluster_scoped_owner)
            .rule("A cluster-scoped owner keeps and takes namespaced dependents.")
            .source("Garbage collection: owner references"),
        case(a_reference_is_complete)
            .rule("Owner references name version, kind, name and uid.")
            .source("apimachinery: ValidateOwnerReferences"),
        case(one_controller_at_most)
            .rule("There is one controller at most.")
            .source("apimachinery: ValidateOwnerReferences"),
        case(an_event_owns_nothing)
            .rule("Events own nothing: a reference to one is refused.")
            .source("apimachinery: ValidateOwnerReferences"),
    ]
}

/// A Secret that belongs to config maps.
async fn dependent(site: &Site, name: &str, owners: &[Value]) -> Result<Answer, Mismatch> {
    site.create("secrets", json!({"metadata": {"name": name, "ownerReferences": owners}})).await
}

/// A Secret `a` that belongs to a ConfigMap and has a finalizer.
async fn held_dependent(site: &Site, owner: Value) -> Result<Answer, Mismatch> {
    let mut body = finalized("a");
    body["metadata"]["ownerReferences"] = json!([owner]);
    site.create("secrets", body).await
}

/// A reference to a ConfigMap.
fn map(made: &Answer, block: bool) -> Value {
    owner("v1", "ConfigMap", &made.json, block)
}

/// A reference to a ConfigMap with a uid that no object has.
fn unknown(name: &str) -> Value {
    let uid = "11111111-2222-3333-4444-555555555555";
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid})
}

async fn in_the_background(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("owner")).await?;
    dependent(&site, "a", &[map(&made, false)]).await?;
    site.delete_with("configmaps/owner", json!({"propagationPolicy": "Background"})).await?.code(200)?;
    site.get("configmaps/owner").await?.code(404)?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn in_the_foreground(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("owner")).await?;
    held_dependent(&site, map(&made, true)).await?;
    site.delete_with("configmaps/owner", json!({"propagationPolicy": "Foreground"}))
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["foregroundDeletion"]))?
        .has("/metadata/deletionTimestamp")?;
    let marked = |answer: &Answer| answer.json.pointer("/metadata/deletionTimestamp").is_some();
    site.eventually("secrets/a", marked, "a deletion time").await?;
    site.get("configmaps/owner").await?.code(200)?;
    site.patch(MERGE, "secrets/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    site.until_gone("configmaps/owner").await?;
    Ok(())
}

async fn orphaned(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("owner")).await?;
    dependent(&site, "a", &[map(&made, true)]).await?;
    site.delete_with("configmaps/owner", json!({"propagationPolicy": "Orphan"})).await?.code(200)?;
    site.until_gone("configmaps/owner").await?;
    site.get("secrets/a").await?.code(200)?.lacks("/metadata/ownerReferences")?;
    Ok(())
}

async fn orphaned_by_the_older_word(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("owner")).await?;
    dependent(&site, "a", &[map(&made, true)]).await?;
    site.delete_with("configmaps/owner", json!({"orphanDependents": true})).await?.code(200)?;
    site.until_gone("configmaps/owner").await?;
    site.get("secrets/a").await?.code(200)?.lacks("/metadata/ownerReferences")?;
    Ok(())
}

async fn a_living_owner_keeps_a_dependent(site: Site) -> Outcome {
    let first = site.create("configmaps", config_map("first")).await?;
    let second = site.create("configmaps", config_map("second")).await?;
    dependent(&site, "a", &[map(&first, false), map(&second, false)]).await?;
    site.delete_with("configmaps/first", json!({"propagationPolicy": "Background"})).await?.code(200)?;
    let only = |answer: &Answer| answer.list("/metadata/ownerReferences").len() == 1;
    site.eventually("secrets/a", only, "one owner")
        .await?
        .is("/metadata/ownerReferences/0/name", "second")?;
    Ok(())
}

async fn an_owner_is_its_uid(site: Site) -> Outcome {
    site.create("configmaps", config_map("owner")).await?;
    let reference = extended(unknown("owner"), json!({"blockOwnerDeletion": false}));
    dependent(&site, "a", &[reference]).await?;
    site.until_gone("secrets/a").await?;
    site.get("configmaps/owner").await?.code(200)?;
    Ok(())
}

async fn an_owner_that_never_was(site: Site) -> Outcome {
    dependent(&site, "a", &[unknown("none")]).await?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn a_chain_goes(site: Site) -> Outcome {
    let first = site.create("configmaps", config_map("first")).await?;
    let body = json!({"metadata": {"name": "second", "ownerReferences": [map(&first, false)]}});
    let second = site.create("configmaps", body).await?;
    dependent(&site, "third", &[map(&second, false)]).await?;
    site.delete_with("configmaps/first", json!({"propagationPolicy": "Background"})).await?.code(200)?;
    site.until_gone("secrets/third").await?;
    site.until_gone("configmaps/second").await?;
    Ok(())
}

async fn a_circle_goes(site: Site) -> Outcome {
    let mut made = Vec::new();
    for name in ["a", "b", "c"] {
        made.push(site.create("configmaps", config_map(name)).await?);
    }
    for (name, owner) in [("a", 2), ("b", 0), ("c", 1)] {
        let references = json!({"metadata": {"ownerReferences": [map(&made[owner], true)]}});
        site.patch(MERGE, &format!("configmaps/{name}"), references).await?.code(200)?;
    }
    site.delete_with("configmaps/a", json!({"propagationPolicy": "Foreground"})).await?.code(200)?;
    for name in ["a", "b", "c"] {
        site.until_gone(&format!("configmaps/{name}")).await?;
    }
    Ok(())
}

async fn a_kept_dependent_does_not_block(site: Site) -> Outcome {
    let first = site.create("configmaps", config_map("first")).await?;
    let second = site.create("configmaps", config_map("second")).await?;
    dependent(&site, "a", &[map(&first, true), map(&second, false)]).await?;
    site.delete_with("configmaps/first", json!({"propagationPolicy": "Foreground"})).await?.code(200)?;
    site.until_gone("configmaps/first").await?;
    site.get("secrets/a").await?.code(200)?;
    Ok(())
}

async fn who_does_not_block_is_not_waited_for(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("owner")).await?;
    held_dependent(&site, map(&made, false)).await?;
    site.delete_with("configmaps/owner", json!({"propagationPolicy": "Foreground"})).await?.code(200)?;
    site.until_gone("configmaps/owner").await?;
    site.patch(MERGE, "secrets/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn the_default_is_the_background(site: Site) -> Outcome {
    let set = site.create("apps/v1/replicasets", workload("set", 0)).await?;
    dependent(&site, "a", &[owner("apps/v1", "ReplicaSet", &set.json, true)]).await?;
    site.delete("apps/v1/replicasets/set").await?.code(200)?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn an_owner_in_another_namespace_does_not_count(site: Site) -> Outcome {
    let elsewhere = site.unique("other");
    site.create_global("/api/v1/namespaces", json!({"metadata": {"name": elsewhere}})).await?;
    let made =
        site.create(&format!("/api/v1/namespaces/{elsewhere}/configmaps"), config_map("owner")).await?;
    dependent(&site, "a", &[map(&made, false)]).await?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn a_cluster_scoped_owner(site: Site) -> Outcome {
    let name = site.unique("node");
    let node = site.create("/api/v1/nodes", json!({"metadata": {"name": name}})).await?;
    dependent(&site, "a", &[owner("v1", "Node", &node.json, false)]).await?;
    site.delete(&format!("/api/v1/nodes/{name}")).await?.code(200)?;
    site.until_gone("secrets/a").await?;
    Ok(())
}

async fn a_reference_is_complete(site: Site) -> Outcome {
    let empty = json!({"apiVersion": "", "kind": "", "name": "", "uid": ""});
    let body = json!({"metadata": {"name": "a", "ownerReferences": [empty]}});
    site.post("secrets", body)
        .await?
        .invalid("FieldValueInvalid", "metadata.ownerReferences.kind")?
        .cause("FieldValueInvalid", "metadata.ownerReferences.name")?
        .cause("FieldValueInvalid", "metadata.ownerReferences.uid")?;
    Ok(())
}

async fn one_controller_at_most(site: Site) -> Outcome {
    let reference = |name: &str| {
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": name});
        extended(set, json!({"controller": true}))
    };
    let body = json!({"metadata": {"name": "a", "ownerReferences": [reference("x"), reference("y")]}});
    site.post("secrets", body)
        .await?
        .invalid("FieldValueInvalid", "metadata.ownerReferences")?
        .mentions("/message", "Only one reference can have Controller set to true")?;
    Ok(())
}

async fn an_event_owns_nothing(site: Site) -> Outcome {
    let reference = json!({"apiVersion": "v1", "kind": "Event", "name": "x", "uid": "x"});
    site.post("secrets", json!({"metadata": {"name": "a", "ownerReferences": [reference]}}))
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "is disallowed from being an owner")?;
    Ok(())
}
