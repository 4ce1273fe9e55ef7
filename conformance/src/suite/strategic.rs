//! Strategic merge patches: lists by their merge keys, and directives.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, pod, workload};
use crate::site::{MERGE, STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(containers_merge_by_name)
            .rule("Containers are merged by name.")
            .source("strategic-merge-patch.md: merge keys"),
        case(an_item_is_deleted)
            .rule("`$patch: delete` removes an item of a list.")
            .source("strategic-merge-patch.md: delete directive"),
        case(a_list_is_replaced)
            .rule("`$patch: replace` replaces a whole list.")
            .source("strategic-merge-patch.md: replace directive"),
        case(an_object_is_replaced)
            .rule("`$patch: replace` in an object replaces the object.")
            .source("strategic-merge-patch.md: replace directive"),
        case(null_removes)
            .rule("null removes a key, as in a merge patch.")
            .source("strategic-merge-patch.md: basic patch format"),
        case(a_set_is_added_to)
            .rule("Finalizers are a set: a patch adds to them.")
            .source("strategic-merge-patch.md: list of primitives"),
        case(a_set_is_taken_from)
            .rule("`$deleteFromPrimitiveList` removes from a set.")
            .source("strategic-merge-patch.md: deleteFromPrimitiveList"),
        case(a_list_is_ordered)
            .rule("`$setElementOrder` orders a list by its merge keys.")
            .source("strategic-merge-patch.md: setElementOrder"),
        case(keys_are_retained)
            .rule(
                "`$retainKeys` keeps the keys that it names and drops the others: how a strategy changes its \
                 type.",
            )
            .source("strategic-merge-patch.md: retainKeys"),
        case(variables_merge_by_name)
            .rule("Environment variables are merged by name within their container.")
            .source("strategic-merge-patch.md: merge keys"),
        case(ports_merge_by_port)
            .rule("A container's ports are merged by port.")
            .source("strategic-merge-patch.md: merge keys"),
        case(an_atomic_list_is_replaced)
            .rule("A list without a merge key is replaced.")
            .source("strategic-merge-patch.md: atomic lists"),
        case(conditions_merge_by_type)
            .rule("A status' conditions are merged by type.")
            .source("strategic-merge-patch.md: merge keys"),
        case(owners_merge_by_uid)
            .rule("Owner references are merged by uid.")
            .source("strategic-merge-patch.md: merge keys"),
        case(an_unknown_directive_is_refused)
            .rule("A directive that nobody knows is refused.")
            .source("strategic-merge-patch.md: directives"),
        case(an_item_needs_its_key)
            .rule("An item of a merged list without its key is refused.")
            .source("strategic-merge-patch.md: merge keys"),
        case(volumes_change_their_source)
            .rule("Volumes are merged by name, and their sources by retained keys.")
            .source("strategic-merge-patch.md: retainKeys"),
    ]
}

/// A Deployment's template with these containers.
fn containers(containers: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

const CONTAINERS: &str = "/spec/template/spec/containers";

async fn containers_merge_by_name(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = containers(json!([{"name": "main", "image": "app:2"}, {"name": "side", "image": "side:1"}]));
    let answer = site.patch(STRATEGIC, "apps/v1/deployments/a", patch).await?.code(200)?;
    let names: Vec<_> = answer.list(CONTAINERS).iter().filter_map(|one| one["name"].as_str()).collect();
    let both = names.len() == 2 && names.contains(&"main") && names.contains(&"side");
    answer.check(both, "both containers")?;
    Ok(())
}

async fn an_item_is_deleted(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["containers"] =
        json!([{"name": "main", "image": "app:1"}, {"name": "side", "image": "side:1"}]);
    site.create("apps/v1/deployments", made).await?;
    let patch = containers(json!([{"name": "side", "$patch": "delete"}]));
    let answer = site
        .patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .is(&format!("{CONTAINERS}/0/name"), "main")?;
    answer.clone().check(answer.list(CONTAINERS).len() == 1, "one container")?;
    Ok(())
}

async fn a_list_is_replaced(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = containers(json!([{"name": "new", "image": "new:1"}, {"$patch": "replace"}]));
    let answer = site
        .patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .is(&format!("{CONTAINERS}/0/name"), "new")?;
    answer.clone().check(answer.list(CONTAINERS).len() == 1, "one container")?;
    Ok(())
}

async fn an_object_is_replaced(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(STRATEGIC, "configmaps/a", json!({"data": {"$patch": "replace", "other": "x"}}))
        .await?
        .code(200)?
        .is("/data", json!({"other": "x"}))?;
    Ok(())
}

async fn null_removes(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(STRATEGIC, "configmaps/a", json!({"data": {"key": null, "more": "yes"}}))
        .await?
        .code(200)?
        .is("/data", json!({"more": "yes"}))?;
    Ok(())
}

async fn a_set_is_added_to(site: Site) -> Outcome {
    site.create("configmaps", json!({"metadata": {"name": "a", "finalizers": ["example.com/a"]}})).await?;
    site.patch(STRATEGIC, "configmaps/a", json!({"metadata": {"finalizers": ["example.com/b"]}}))
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["example.com/b", "example.com/a"]))
        .or(site
            .get("configmaps/a")
            .await?
            .is("/metadata/finalizers", json!(["example.com/a", "example.com/b"])))?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn a_set_is_taken_from(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["example.com/a", "example.com/b"]}});
    site.create("configmaps", body).await?;
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}});
    site.patch(STRATEGIC, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["example.com/b"]))?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn a_list_is_ordered(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["containers"] =
        json!([{"name": "x", "image": "x:1"}, {"name": "y", "image": "y:1"}]);
    site.create("apps/v1/deployments", made).await?;
    let patch = json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [
        {"name": "y"},
        {"name": "x"},
    ]}}}});
    site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .is(&format!("{CONTAINERS}/0/name"), "y")?
        .is(&format!("{CONTAINERS}/1/name"), "x")?;
    Ok(())
}

async fn keys_are_retained(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?.has("/spec/strategy/rollingUpdate")?;
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .is("/spec/strategy", json!({"type": "Recreate"}))?;
    Ok(())
}

async fn variables_merge_by_name(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "1"}]);
    site.create("apps/v1/deployments", made).await?;
    let patch = containers(
        json!([{"name": "main", "env": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]}]),
    );
    let answer = site.patch(STRATEGIC, "apps/v1/deployments/a", patch).await?.code(200)?;
    let env = answer.list(&format!("{CONTAINERS}/0/env"));
    let merged = env.len() == 2 && env.iter().any(|one| one["name"] == "A" && one["value"] == "2");
    answer.check(merged, "A changed and B added")?;
    Ok(())
}

async fn ports_merge_by_port(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    site.create("apps/v1/deployments", made).await?;
    let patch = containers(
        json!([{"name": "main", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}]),
    );
    let answer = site.patch(STRATEGIC, "apps/v1/deployments/a", patch).await?.code(200)?;
    let two = answer.list(&format!("{CONTAINERS}/0/ports")).len() == 2;
    answer.check(two, "two ports")?;
    Ok(())
}

async fn an_atomic_list_is_replaced(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["a", "b"]);
    site.create("apps/v1/deployments", made).await?;
    let patch = containers(json!([{"name": "main", "args": ["c"]}]));
    site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .is(&format!("{CONTAINERS}/0/args"), json!(["c"]))?;
    Ok(())
}

async fn conditions_merge_by_type(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    for kind in ["Ready", "example.com/x"] {
        let patch = json!({"status": {"conditions": [{"type": kind, "status": "True"}]}});
        site.patch(STRATEGIC, "pods/a/status", patch).await?.code(200)?;
    }
    let answer = site.get("pods/a").await?;
    let two = answer.list("/status/conditions").len() == 2;
    answer.check(two, "two conditions")?;
    Ok(())
}

async fn owners_merge_by_uid(site: Site) -> Outcome {
    let (one, two) = (
        site.create("configmaps", config_map("one")).await?,
        site.create("configmaps", config_map("two")).await?,
    );
    let owner = |owner: &Value| crate::objects::owner("v1", "ConfigMap", owner, false);
    site.create("configmaps", json!({"metadata": {"name": "a", "ownerReferences": [owner(&one.json)]}}))
        .await?;
    let dropped = json!({"uid": one.at("/metadata/uid"), "$patch": "delete"});
    let patch = json!({"metadata": {"ownerReferences": [dropped, owner(&two.json)]}});
    let answer = site
        .patch(STRATEGIC, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/metadata/ownerReferences/0/name", "two")?;
    answer.clone().check(answer.list("/metadata/ownerReferences").len() == 1, "one owner")?;
    Ok(())
}

async fn an_unknown_directive_is_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let answer = site.patch(STRATEGIC, "configmaps/a", json!({"data": {"$patch": "double"}})).await?;
    let refused = answer.status >= 400;
    answer.check(refused, "a refusal")?;
    Ok(())
}

async fn an_item_needs_its_key(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let answer =
        site.patch(STRATEGIC, "apps/v1/deployments/a", containers(json!([{"image": "app:2"}]))).await?;
    let refused = answer.status >= 400;
    answer.mentions("/message", "does not contain declared merge key: name")?.check(refused, "a refusal")?;
    Ok(())
}

async fn volumes_change_their_source(site: Site) -> Outcome {
    let mut made = workload("a", 0);
    made["spec"]["template"]["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    site.create("apps/v1/deployments", made).await?;
    let patch = json!({"spec": {"template": {"spec": {"volumes": [{
        "name": "v",
        "$retainKeys": ["name", "configMap"],
        "configMap": {"name": "c"},
    }]}}}});
    site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
        .await?
        .code(200)?
        .lacks("/spec/template/spec/volumes/0/emptyDir")?
        .is("/spec/template/spec/volumes/0/configMap/name", "c")?;
    Ok(())
}
