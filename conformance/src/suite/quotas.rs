//! Quotas: the changes of objects that they count.

use crate::case::{Case, Outcome, case};
use crate::objects::{extended, pod};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_change_of_scope_is_charged)
            .rule("A change that brings a Pod into the scope of a quota is charged like a new Pod.")
            .source("apiserver: admission/plugin/resourcequota, Controller.checkRequest"),
        case(a_change_of_type_is_charged)
            .rule("A Service that gets ports of the nodes is charged for them.")
            .source("kubernetes/pkg/quota/v1/evaluator/core: serviceEvaluator.Usage"),
    ]
}

/// Creates a quota that allows nothing, with a status: no controller may write one.
async fn none_of(site: &Site, resource: &str, spec: Value) -> Outcome {
    let spec = extended(json!({"hard": {resource: "0"}}), spec);
    site.create("resourcequotas", json!({"metadata": {"name": "q"}, "spec": spec})).await?;
    let status = json!({"status": {"hard": {resource: "0"}, "used": {resource: "0"}}});
    site.patch(MERGE, "resourcequotas/q/status", status).await?.code(200)?;
    Ok(())
}

async fn a_change_of_scope_is_charged(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    none_of(&site, "pods", json!({"scopes": ["Terminating"]})).await?;
    let ending = |number: u32| {
        let mut pod = pod(&format!("ending-{number}"));
        pod["spec"]["activeDeadlineSeconds"] = json!(100);
        pod
    };
    // A kube-apiserver follows quotas in its own time.
    site.eventually_made("pods?dryRun=All", ending, |answer| answer.status == 403).await?;
    let change = json!({"spec": {"activeDeadlineSeconds": 100}});
    site.patch(MERGE, "pods/a", change)
        .await?
        .refused(403, "Forbidden")?
        .mentions("/message", "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")?;
    site.patch(MERGE, "pods/a", json!({"metadata": {"labels": {"a": "b"}}})).await?.code(200)?;
    Ok(())
}

async fn a_change_of_type_is_charged(site: Site) -> Outcome {
    let service = |name: &str, kind: &str| json!({"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80}]}});
    site.create("services", service("a", "ClusterIP")).await?;
    none_of(&site, "services.nodeports", json!({})).await?;
    let another = |number: u32| service(&format!("s-{number}"), "NodePort");
    site.eventually_made("services?dryRun=All", another, |answer| answer.status == 403).await?;
    let refused = site.patch(MERGE, "services/a", json!({"spec": {"type": "NodePort"}})).await?;
    refused.refused(403, "Forbidden")?.mentions("/message", "requested: services.nodeports=1")?;
    Ok(())
}
