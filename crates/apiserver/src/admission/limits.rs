//! `LimitRanger`: what the `LimitRange`s of a namespace give its Pods and claims, and what they forbid them.

use std::{cmp::Ordering, sync::Arc};

use serde_json::{Value, json};

use crate::{
    api::{
        object,
        status::{Result, Status},
    },
    registry::{Context, Kind, quantity},
    store::Stored,
};

/// The annotation that lists the fields that were set.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// The ranges of a namespace.
fn ranges(context: &Context, namespace: &str) -> Vec<Arc<Stored>> {
    let ranges = context.store.list("limitranges", namespace, None, None, usize::MAX, |_| true);
    ranges.map_or_else(|_| Vec::new(), |page| page.items)
}

/// The items of ranges that are about `what`.
fn items(ranges: &[Arc<Stored>], what: &str) -> Vec<Value> {
    let items = ranges.iter().filter_map(|range| range.value()["spec"]["limits"].as_array().cloned());
    items.flatten().filter(|item| item["type"] == what).collect()
}

/// Sets the default resources of a new Pod's containers, and refuses resources beyond the limits.
pub(crate) fn of_pod(context: &Context, kind: &Kind, pod: &mut Value) -> Result<()> {
    let ranges = ranges(context, object::namespace(pod));
    let (of_containers, of_pods) = (items(&ranges, "Container"), items(&ranges, "Pod"));
    if of_containers.is_empty() && of_pods.is_empty() {
        return Ok(());
    }
    fill(&of_containers, pod);
    let mut broken = Vec::new();
    for part in ["containers", "initContainers"] {
        for container in pod["spec"][part].as_array().into_iter().flatten() {
            of_containers
                .iter()
                .for_each(|item| check(item, "Container", &container["resources"], &mut broken));
        }
    }
    let whole = sums(&pod["spec"]["containers"]);
    of_pods.iter().for_each(|item| check(item, "Pod", &whole, &mut broken));
    refuse(kind, pod, &broken)
}

/// Refuses a claim with a request beyond the limits.
pub(crate) fn of_claim(context: &Context, kind: &Kind, claim: &Value) -> Result<()> {
    let (mut broken, ranges) = (Vec::new(), ranges(context, object::namespace(claim)));
    let wanted = json!({"requests": claim["spec"]["resources"]["requests"], "limits": claim["spec"]["resources"]["requests"]});
    for item in items(&ranges, "PersistentVolumeClaim") {
        check(&item, "PersistentVolumeClaim", &wanted, &mut broken);
    }
    refuse(kind, claim, &broken)
}

fn refuse(kind: &Kind, object: &Value, broken: &[String]) -> Result<()> {
    match broken {
        [] => Ok(()),
        [one] => Err(Status::forbidden(kind, object::name(object), one)),
        many => Err(Status::forbidden(kind, object::name(object), &format!("[{}]", many.join(", ")))),
    }
}

/// Fills in the defaults of the containers.
fn fill(items: &[Value], pod: &mut Value) {
    let mut told = Vec::new();
    for (part, called) in [("containers", "container"), ("initContainers", "init container")] {
        for container in pod["spec"][part].as_array_mut().into_iter().flatten() {
            for (defaults, field, word) in
                [("defaultRequest", "requests", "request"), ("default", "limits", "limit")]
            {
                let mut set = Vec::new();
                for (resource, amount) in items.iter().filter_map(|item| item[defaults].as_object()).flatten()
                {
                    if container["resources"][field].get(resource).is_none() {
                        container["resources"][field][resource.as_str()] = amount.clone();
                        set.push(resource.as_str());
                    }
                }
                set.sort_unstable();
                if !set.is_empty() {
                    let name = container["name"].as_str().unwrap_or_default();
                    told.push(format!("{} {word} for {called} {name}", set.join(", ")));
                }
            }
        }
    }
    if !told.is_empty() {
        let metadata = object::metadata_mut(pod);
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        annotations[ANNOTATION] = format!("LimitRanger plugin set: {}", told.join("; ")).into();
    }
}

/// The sum of the requests of a Pod's containers.
fn sums(containers: &Value) -> Value {
    let mut whole = json!({"requests": {}, "limits": {}});
    for field in ["requests", "limits"] {
        for container in containers.as_array().into_iter().flatten() {
            for (resource, amount) in container["resources"][field].as_object().into_iter().flatten() {
                let sum = quantity::or_zero(&whole[field][resource]) + quantity::or_zero(amount);
                whole[field][resource.as_str()] = sum.to_string().into();
            }
        }
    }
    whole
}

/// Adds what `item` has against the resources of a `what`.
fn check(item: &Value, what: &str, resources: &Value, broken: &mut Vec<String>) {
    let (requests, limits) = (&resources["requests"], &resources["limits"]);
    let bounds = |field: &str| item[field].as_object().into_iter().flatten();
    let shown = |amount: &Value| amount.as_str().unwrap_or_default().to_owned();
    for (resource, least) in bounds("min") {
        let usage = || format!("minimum {resource} usage per {what} is {}", shown(least));
        let (request, limit) = (&requests[resource], &limits[resource]);
        if request.is_null() {
            broken.push(format!("{}.  No request is specified", usage()));
        } else if quantity::compare(request, least) == Some(Ordering::Less) {
            broken.push(format!("{}, but request is {}", usage(), shown(request)));
        } else if quantity::compare(limit, least) == Some(Ordering::Less) {
            broken.push(format!("{}, but limit is {}", usage(), shown(limit)));
        }
    }
    for (resource, most) in bounds("max") {
        let usage = || format!("maximum {resource} usage per {what} is {}", shown(most));
        let (request, limit) = (&requests[resource], &limits[resource]);
        if limit.is_null() {
            broken.push(format!("{}.  No limit is specified", usage()));
        } else if quantity::compare(limit, most) == Some(Ordering::Greater) {
            broken.push(format!("{}, but limit is {}", usage(), shown(limit)));
        } else if quantity::compare(request, most) == Some(Ordering::Greater) {
            broken.push(format!("{}, but request is {}", usage(), shown(request)));
        }
    }
}
