//! Eviction: a deletion of a Pod that its disruption budget has to allow.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    core::Core,
    decode,
    delete::{self, DeleteOptions},
    request::Request,
};
use crate::{
    api::{
        object,
        selector::LabelSelector,
        status::{Cause, Result, Status},
    },
    registry::Kind,
    store::{Draft, Stored},
    wire::body::{self, ResponseBody},
};

/// Deletes a Pod if its disruption budget has room for that, and counts it there.
pub(super) fn evict(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let eviction = decode::other_in(request, "policy", &["v1", "v1beta1"], "Eviction")?;
    if object::name(&eviction) != request.route.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
    let mut options = DeleteOptions::of_eviction(request, &options)?;
    let kind = request.kind();
    let pod = core.registry.store.get(&kind.resource(), &request.key());
    let pod = pod.ok_or_else(|| Status::not_found(kind, &request.route.name))?.value();
    if disrupts(&pod) {
        spend(core, request, &pod, &options)?;
    }
    if !options.is_dry_run() {
        let version = announce(core, request, &options)?;
        options.follow(version);
    }
    delete::evict(core, request, &options)?;
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(body::value(StatusCode::CREATED, &done))
}

/// Returns whether the eviction of the Pod is a disruption: the Pod has started, and neither ended nor been deleted.
fn disrupts(pod: &Value) -> bool {
    let phase = pod["status"]["phase"].as_str().unwrap_or_default();
    !object::is_being_deleted(pod) && !matches!(phase, "Pending" | "Succeeded" | "Failed")
}

/// Writes the condition that says why the Pod ends, and returns the version of the Pod that has it.
fn announce(core: &Core, request: &Request, options: &DeleteOptions) -> Result<u64> {
    let (kind, store) = (request.kind(), &core.registry.store);
    let (resource, key) = (kind.resource(), request.key());
    // Again from the start if somebody else has changed the Pod.
    loop {
        let current = store.get(&resource, &key).ok_or_else(|| Status::not_found(kind, key.name()))?;
        let pod = current.value();
        delete::check_preconditions(kind, &pod, options)?;
        let disrupted = disrupted(&pod, &core.registry.clock.text());
        if disrupted == *pod {
            return Ok(current.version);
        }
        let draft = Draft::managed(disrupted, current.managers());
        if let Ok(stored) = store.put(&resource, &key, Some(current.version), draft) {
            core.after_commit(kind, &stored);
            return Ok(stored.version);
        }
    }
}

/// Returns the Pod with the condition of its eviction. The time stays if the Pod was disrupted before.
fn disrupted(pod: &Value, now: &Value) -> Value {
    const TYPE: &str = "DisruptionTarget";
    let mut condition = json!({
        "type": TYPE, "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
        "lastProbeTime": null, "lastTransitionTime": now,
    });
    let mut pod = pod.clone();
    let conditions = pod["status"]["conditions"].as_array_mut();
    match conditions.into_iter().flatten().find(|known| known["type"] == TYPE) {
        Some(known) => {
            if known["status"] == "True" {
                condition["lastTransitionTime"] = known["lastTransitionTime"].take();
            }
            *known = condition;
        }
        None => object::set_condition(&mut pod["status"], condition),
    }
    pod
}

/// Takes one disruption from the budget of the Pod, if it has one.
fn spend(core: &Core, request: &Request, pod: &Value, options: &DeleteOptions) -> Result<()> {
    let kind = core.registry.kinds.get("policy", "v1", "poddisruptionbudgets").expect("a built-in kind");
    // Again from the start if somebody else has changed the budget.
    loop {
        let Some(budget) = budget(core, request, &kind, pod)? else { return Ok(()) };
        let value = budget.value();
        if !is_ready(pod) && may_go_unready(&value) {
            return Ok(());
        }
        let spent = spent(&value, object::name(pod), &core.registry.clock.text())?;
        if options.is_dry_run() {
            return Ok(());
        }
        let draft = Draft::managed(spent, budget.managers());
        if let Ok(stored) =
            core.registry.store.put(&kind.resource(), &budget.key, Some(budget.version), draft)
        {
            core.after_commit(&kind, &stored);
            return Ok(());
        }
    }
}

/// Returns the disruption budget that selects the Pod.
fn budget(
    core: &Core,
    request: &Request,
    kind: &Kind,
    pod: &Value,
) -> Result<Option<std::sync::Arc<Stored>>> {
    let label = |key: &str| pod["metadata"]["labels"].get(key)?.as_str();
    let speaks_of_it = |stored: &Stored| {
        let selector = &stored.value()["spec"]["selector"];
        selector.is_object()
            && LabelSelector::from_json(selector).is_some_and(|selector| selector.matches_labels(label))
    };
    let namespace = &request.route.namespace;
    let found = core.registry.store.list(&kind.resource(), namespace, None, None, 2, speaks_of_it);
    let found = found.map_err(|expired| Status::too_old(expired.seen, expired.oldest))?;
    if found.items.len() > 1 {
        return Err(Status::internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    Ok(found.items.into_iter().next())
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// Whether the budget lets Pods go that are not ready, without counting them.
fn may_go_unready(budget: &Value) -> bool {
    let number = |field: &str| budget["status"][field].as_i64().unwrap_or(0);
    budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        || number("desiredHealthy") > 0 && number("currentHealthy") >= number("desiredHealthy")
}

/// The budget after the Pod of this name has gone at the time `now`.
fn spent(budget: &Value, pod: &str, now: &Value) -> Result<Value> {
    let (name, status) = (object::name(budget), &budget["status"]);
    let number = |field: &str| status[field].as_i64().unwrap_or(0);
    let refusal = |because: String| {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        let cause = Cause::new("DisruptionBudget", "", because);
        Status::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).causes(&[cause])
    };
    if number("observedGeneration") < budget["metadata"]["generation"].as_i64().unwrap_or(0) {
        let because = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refusal(because).retry_after(10));
    }
    let left = number("disruptionsAllowed") - 1;
    if left < 0 {
        let (needed, present) = (number("desiredHealthy"), number("currentHealthy"));
        return Err(refusal(format!(
            "The disruption budget {name} needs {needed} healthy pods and has {present} currently"
        )));
    }
    let mut spent = budget.clone();
    let status = &mut spent["status"];
    status["disruptionsAllowed"] = left.into();
    status["disruptedPods"][pod] = now.clone();
    if left == 0 {
        let condition = json!({
            "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": "",
            "observedGeneration": number("observedGeneration"), "lastTransitionTime": now,
        });
        object::set_condition(status, condition);
    }
    Ok(spent)
}
