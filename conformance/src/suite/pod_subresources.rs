//! Subresources of Pods: bindings, evictions and ephemeral containers; tokens; unknown subresources.

use crate::case::{Case, Outcome, case};
use crate::objects::{bound_pod, extended, pod};
use crate::site::{JSON, MERGE, STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_binding_schedules)
            .rule("A binding puts a Pod on a node, with the condition PodScheduled.")
            .source("registry/core/pod: BindingREST"),
        case(a_pod_is_bound_once).rule("A Pod is bound once.").source("registry/core/pod: BindingREST"),
        case(a_binding_has_a_target)
            .rule("A binding's target has a name; that it has none is told with 500 of all codes.")
            .source("validation: ValidatePodBinding"),
        case(an_eviction_deletes)
            .rule("An eviction without a budget in the way deletes the Pod.")
            .source("KEP-85"),
        case(a_budget_refuses).rule("A budget without room refuses with 429, and says why.").source("KEP-85"),
        case(a_budget_counts).rule("A budget with room lets the Pod go, and counts it.").source("KEP-85"),
        case(an_eviction_says_so)
            .rule("An evicted Pod has the condition DisruptionTarget, unless the eviction is a dry run.")
            .source("kubernetes/pkg/registry/core/pod/storage: addConditionAndDeletePod"),
        case(an_eviction_has_options).rule("An eviction may name grace and preconditions.").source("KEP-85"),
        case(an_eviction_needs_its_pod).rule("An eviction of no Pod is 404.").source("KEP-85"),
        case(ephemeral_containers)
            .rule("A container is added to a Pod by /ephemeralcontainers.")
            .source("KEP-277"),
        case(an_unknown_subresource)
            .rule("A subresource that nobody knows is 404.")
            .source("API concepts: 404"),
        case(a_token_is_made).rule("A ServiceAccount's token is made by its subresource.").source("KEP-1205"),
        case(a_status_takes_json_patches)
            .rule("A JSON patch of /status works on the whole object.")
            .source("apiserver: patch handler"),
        case(subresources_of_nothing)
            .rule("The subresources of what is not there are 404.")
            .source("API concepts: 404"),
    ]
}

/// A budget for Pods with the label `app`.
fn budget(min_available: u32) -> Value {
    let selector = json!({"matchLabels": {"app": "a"}});
    json!({"metadata": {"name": "b"}, "spec": {"minAvailable": min_available, "selector": selector}})
}

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})
}

async fn a_binding_schedules(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    let body = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "somewhere"}});
    site.post("pods/a/binding", body).await?.code(201)?.is("/kind", "Status")?.is("/status", "Success")?;
    let bound = site.get("pods/a").await?.is("/spec/nodeName", "somewhere")?;
    let scheduled = bound
        .list("/status/conditions")
        .iter()
        .any(|one| one["type"] == "PodScheduled" && one["status"] == "True");
    bound.check(scheduled, "the condition PodScheduled")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_pod_is_bound_once(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    let body = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "elsewhere"}});
    site.post("pods/a/binding", body)
        .await?
        .refused(409, "Conflict")?
        .mentions("/message", "pod a is already assigned to node \"nowhere\"")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_binding_has_a_target(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.post("pods/a/binding", json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": ""}}))
        .await?
        .code(500)?
        .is("/message", "target.name: Required value")?;
    Ok(())
}

async fn an_eviction_deletes(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.post("pods/a/eviction", eviction("a"))
        .await?
        .code(201)?
        .is("/kind", "Status")?
        .is("/status", "Success")?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_budget_refuses(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["labels"] = json!({"app": "a"});
    site.create("pods", made).await?;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    site.patch(MERGE, "pods/a/status", ready).await?.code(200)?;
    site.create("policy/v1/poddisruptionbudgets", budget(1)).await?;
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1,
        "expectedPods": 1,
    }});
    site.patch(MERGE, "policy/v1/poddisruptionbudgets/b/status", status).await?.code(200)?;
    site.post("pods/a/eviction", eviction("a"))
        .await?
        .refused(429, "TooManyRequests")?
        .is("/message", "Cannot evict pod as it would violate the pod's disruption budget.")?
        .is("/details/causes/0/reason", "DisruptionBudget")?;
    site.get("pods/a").await?.code(200)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_budget_counts(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["labels"] = json!({"app": "a"});
    site.create("pods", made).await?;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    site.patch(MERGE, "pods/a/status", ready).await?.code(200)?;
    site.create("policy/v1/poddisruptionbudgets", budget(0)).await?;
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 1, "desiredHealthy": 0,
        "expectedPods": 1,
    }});
    site.patch(MERGE, "policy/v1/poddisruptionbudgets/b/status", status).await?.code(200)?;
    site.post("pods/a/eviction", eviction("a")).await?.code(201)?;
    site.get("policy/v1/poddisruptionbudgets/b")
        .await?
        .is("/status/disruptionsAllowed", 0)?
        .has("/status/disruptedPods/a")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn an_eviction_says_so(site: Site) -> Outcome {
    let made = site.create("pods", bound_pod("a")).await?;
    for (path, options) in
        [("pods/a/eviction?dryRun=All", json!({})), ("pods/a/eviction", json!({"dryRun": ["All"]}))]
    {
        site.post(path, extended(eviction("a"), json!({"deleteOptions": options}))).await?.code(201)?;
        site.get("pods/a").await?.is("/metadata/resourceVersion", made.version())?;
    }
    let at = |version: &str| {
        let options = json!({"preconditions": {"resourceVersion": version}});
        extended(eviction("a"), json!({"deleteOptions": options}))
    };
    site.post("pods/a/eviction", at("1")).await?.refused(409, "Conflict")?;
    site.post("pods/a/eviction", at(made.version())).await?.code(201)?;
    let evicted = site.get("pods/a").await?.has("/metadata/deletionTimestamp")?;
    let mut conditions = evicted.list("/status/conditions").iter();
    let found = conditions.find(|condition| condition["type"] == "DisruptionTarget");
    let mut condition = found.cloned().unwrap_or_default();
    let has_time = condition["lastTransitionTime"].take().is_string();
    let is_right = condition
        == json!({
            "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": null,
        });
    evicted.check(has_time && is_right, "the condition of an eviction")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn an_eviction_has_options(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    let mut body = eviction("a");
    body["deleteOptions"] = json!({"gracePeriodSeconds": 9});
    site.post("pods/a/eviction", body).await?.code(201)?;
    site.get("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 9)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn an_eviction_needs_its_pod(site: Site) -> Outcome {
    site.post("pods/none/eviction", eviction("none")).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn ephemeral_containers(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    let patch = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "debug:1"}]}});
    site.patch(STRATEGIC, "pods/a/ephemeralcontainers", patch.clone())
        .await?
        .code(200)?
        .is("/spec/ephemeralContainers/0/name", "debug")?;
    site.patch(MERGE, "pods/a", json!({"spec": {"ephemeralContainers": null}}))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn an_unknown_subresource(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.get("pods/a/nonsense").await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_token_is_made(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": 600},
    });
    let made = site
        .post("serviceaccounts/a/token", body)
        .await?
        .code(201)?
        .is("/kind", "TokenRequest")?
        .has("/status/expirationTimestamp")?;
    let jwt = made.text("/status/token").split('.').count() == 3;
    made.check(jwt, "a token of three parts")?;
    Ok(())
}

async fn a_status_takes_json_patches(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.patch(JSON, "pods/a/status", json!([{"op": "replace", "path": "/status/phase", "value": "Failed"}]))
        .await?
        .code(200)?
        .is("/status/phase", "Failed")?;
    Ok(())
}

async fn subresources_of_nothing(site: Site) -> Outcome {
    site.get("apps/v1/deployments/none/scale").await?.refused(404, "NotFound")?;
    site.get("apps/v1/deployments/none/status").await?.refused(404, "NotFound")?;
    Ok(())
}
