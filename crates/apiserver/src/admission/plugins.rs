//! The admission plugins of a default kube-apiserver for new objects, as far as others rely on them:
//! `LimitRanger`, `Priority`, `RuntimeClass`, `StorageObjectInUseProtection`, `TaintNodesByCondition`,
//! `DefaultStorageClass`, `DefaultIngressClass`. What Pods tolerate is among their defaults.

use std::sync::Arc;

use serde_json::{Value, json};

use super::limits;
use crate::{
    api::{
        key::Key,
        object,
        status::{Result, Status},
    },
    registry::{Context, Kind, strategy::Plugin},
    store::Stored,
};

const CLASSES: &str = "priorityclasses.scheduling.k8s.io";

/// Changes a new object, or refuses it.
pub(crate) fn admit(context: &Context, kind: &Kind, object: &mut Value) -> Result<()> {
    for plugin in kind.strategy.plugins {
        match *plugin {
            Plugin::LimitPod => limits::of_pod(context, kind, object)?,
            Plugin::LimitClaim => limits::of_claim(context, kind, object)?,
            Plugin::Priority => prioritize(context, kind, object)?,
            Plugin::RuntimeClass => run_by_class(context, kind, object)?,
            Plugin::Protect(finalizer) => protect(object, finalizer),
            Plugin::DefaultClass { classes, annotation, field } => {
                choose_class(context, object, classes, annotation, field);
            }
            Plugin::TaintNode => taint(object),
        }
    }
    Ok(())
}

fn all(context: &Context, resource: &str, keep: impl Fn(&Stored) -> bool) -> Vec<Arc<Stored>> {
    let page = context.store.list(resource, "", None, None, usize::MAX, keep);
    page.map_or_else(|_| Vec::new(), |page| page.items)
}

/// Sets the priority of a Pod from its class, or from the global default.
fn prioritize(context: &Context, kind: &Kind, pod: &mut Value) -> Result<()> {
    let spec = &pod["spec"];
    let name = spec["priorityClassName"].as_str().unwrap_or_default();
    let class = if name.is_empty() {
        // Most servers have the two that come with it, and neither is everybody's.
        let classes = all(context, CLASSES, |class| class.has_text(r#""globalDefault":true"#));
        classes.into_iter().find(|class| class.value()["globalDefault"] == true)
    } else {
        let class = context.store.get(CLASSES, &Key::new("", name));
        Some(class.ok_or_else(|| {
            let because = format!("no PriorityClass with name {name} was found");
            Status::forbidden(kind, object::name(pod), &because)
        })?)
    };
    let class = class.map(|class| class.value());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (field, of_class, default, what) in [
        ("priority", "value", "0", "integer value of priority"),
        ("preemptionPolicy", "preemptionPolicy", "PreemptLowerPriority", "string value of PreemptionPolicy"),
    ] {
        let (sent, computed) = (&spec[field], class.as_ref().map(|class| &class[of_class]));
        // A default may have been sent or filled in.
        if !sent.is_null() && *sent != 0 && sent != "PreemptLowerPriority" && Some(sent) != computed {
            let because = format!(
                "the {what} ({}) must not be provided in pod spec; priority admission controller computed {} from the given \
                 PriorityClass name",
                text(sent),
                computed.map_or_else(|| default.to_owned(), text)
            );
            return Err(Status::forbidden(kind, object::name(pod), &because));
        }
    }
    if let Some(class) = class {
        let spec = &mut pod["spec"];
        spec["priorityClassName"] = class["metadata"]["name"].clone();
        spec["priority"] = class["value"].clone();
        spec["preemptionPolicy"] = class["preemptionPolicy"].clone();
    }
    Ok(())
}

/// Sets the overhead of a Pod from its runtime class.
fn run_by_class(context: &Context, kind: &Kind, pod: &mut Value) -> Result<()> {
    let Some(name) = pod["spec"]["runtimeClassName"].as_str().map(str::to_owned) else { return Ok(()) };
    let class = context.store.get("runtimeclasses.node.k8s.io", &Key::new("", &name));
    let class = class.ok_or_else(|| {
        let because = format!("pod rejected: RuntimeClass {name:?} not found");
        Status::forbidden(kind, object::name(pod), &because)
    })?;
    if let Some(overhead) = class.value()["overhead"].get("podFixed") {
        if pod["spec"]["overhead"].is_object() && pod["spec"]["overhead"] != *overhead {
            let because = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
            return Err(Status::forbidden(kind, object::name(pod), because));
        }
        pod["spec"]["overhead"] = overhead.clone();
    }
    Ok(())
}

/// Refuses a new object that is valid in itself.
pub(crate) fn validate(context: &Context, kind: &Kind, object: &Value) -> Result<()> {
    if !kind.strategy.plugins.iter().any(|plugin| matches!(plugin, Plugin::RuntimeClass)) {
        return Ok(());
    }
    let has_overhead = || {
        let name = object["spec"]["runtimeClassName"].as_str()?;
        let class = context.store.get("runtimeclasses.node.k8s.io", &Key::new("", name))?;
        class.value()["overhead"].get("podFixed").map(|_| ())
    };
    if object["spec"]["overhead"].is_object() && has_overhead().is_none() {
        let because = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
        return Err(Status::forbidden(kind, object::name(object), because));
    }
    Ok(())
}

/// Adds a finalizer that holds an object while it is in use.
fn protect(object: &mut Value, finalizer: &str) {
    if object::finalizers(object).any(|held| held == finalizer) {
        return;
    }
    let finalizers: Vec<Value> =
        object::finalizers(object).map(Value::from).chain([finalizer.into()]).collect();
    object::metadata_mut(object).insert("finalizers".to_owned(), finalizers.into());
}

/// Sets `field` of the spec to the newest class that is declared the default, if the object names none.
fn choose_class(context: &Context, object: &mut Value, resource: &str, annotation: &str, field: &str) {
    if object["spec"].get(field).is_some_and(|class| !class.is_null()) {
        return;
    }
    let classes = all(context, resource, |_| true);
    let defaults = classes.iter().map(|class| class.value());
    let defaults = defaults.filter(|class| class["metadata"]["annotations"][annotation] == "true");
    let newest = defaults.max_by_key(|class| object::text(class, "creationTimestamp").to_owned());
    if let Some(class) = newest {
        object["spec"][field] = object::name(&class).into();
    }
}

/// Taints a new Node as not ready.
fn taint(node: &mut Value) {
    let key = "node.kubernetes.io/not-ready";
    let taint = json!({"key": key, "effect": "NoSchedule"});
    if !node["spec"]["taints"].is_array() {
        node["spec"]["taints"] = json!([]);
    }
    if let Some(taints) = node["spec"]["taints"].as_array_mut()
        && !taints.iter().any(|taint| taint["key"] == key && taint["effect"] == "NoSchedule")
    {
        taints.push(taint);
    }
}
