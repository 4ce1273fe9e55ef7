//! Quotas: what upstream's admission counts before an object is made. How much there is, and what is allowed, stands in a
//! quota's status, which upstream's controller manager writes; where nobody does, nothing is refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trimtab_quantity::Quantity;

use crate::{
    api::{
        object,
        status::{Result, Status},
        subresource::Subresource,
    },
    registry::{Context, Kind, quantity, strategy::Usage},
    store::{Draft, Stored},
};

const QUOTAS: &str = "resourcequotas";
/// The scope of Pods that end by themselves.
const TERMINATING: &str = "Terminating";
/// The resources that every container must declare where a quota limits them.
const TOLD: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// Amounts by their names in a quota.
type Amounts = BTreeMap<String, Quantity>;

/// A write that may increase the usage of a quota.
#[derive(Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) subresource: Option<Subresource>,
    pub(crate) object: &'a Value,
    /// The object before the write.
    pub(crate) old: Option<&'a Value>,
    pub(crate) dry_run: bool,
}

impl Write<'_> {
    /// Returns whether upstream counts anew at such a write.
    fn is_counted(&self) -> bool {
        let Some(old) = self.old else { return self.subresource.is_none() && self.kind.plural != QUOTAS };
        match (self.kind.strategy.usage, self.subresource) {
            (Usage::Pod, None) => {
                let ends = |pod: &Value| is_in(pod, TERMINATING, "Exists", &Value::Null);
                ends(old) != ends(self.object)
            }
            (Usage::Pod, Some(Subresource::Resize)) | (Usage::Service | Usage::Claim, None) => true,
            _ => false,
        }
    }
}

/// Books what a write takes with every quota of its namespace, or refuses it: 403.
pub(crate) fn charge(context: &Context, write: &Write<'_>) -> Result<()> {
    let namespace = object::namespace(write.object);
    if namespace.is_empty() || !write.is_counted() {
        return Ok(());
    }
    let quotas = context.store.list(QUOTAS, namespace, None, None, usize::MAX, |_| true);
    let quotas = quotas.map_or_else(|_| Vec::new(), |page| page.items);
    if quotas.is_empty() {
        return Ok(());
    }
    let whole = amounts(write.kind, write.object);
    let more = write.old.map(|old| added(&whole, amounts(write.kind, old)));
    for mut quota in quotas {
        // Who was not in the quota's scope before takes all of it.
        let was_in = |old: &Value| covers(&quota.value()["spec"], write.kind, old);
        let wanted = more.as_ref().filter(|_| write.old.is_some_and(was_in)).unwrap_or(&whole);
        // Somebody may count at the same time: then again, from what they have counted.
        while let Some(charged) = charged(write.kind, write.object, wanted, &quota)? {
            if write.dry_run {
                break;
            }
            let draft = Draft::managed(charged, quota.managers());
            match context.store.put(QUOTAS, &quota.key, Some(quota.version), draft) {
                Ok(_) => break,
                Err(_) => match context.store.get(QUOTAS, &quota.key) {
                    Some(newer) => quota = newer,
                    None => break, // deleted: nothing to count against
                },
            }
        }
    }
    Ok(())
}

/// Returns the increase over the amounts before.
fn added(whole: &Amounts, mut before: Amounts) -> Amounts {
    let more = whole.iter().map(|(resource, amount)| {
        (resource.clone(), amount.clone() - before.remove(resource).unwrap_or_default())
    });
    more.collect()
}

/// Returns the usage of an object of every resource that can be limited.
fn amounts(kind: &Kind, object: &Value) -> Amounts {
    let one = Quantity::from(1);
    let mut amounts = Amounts::from([(format!("count/{}", kind.resource()), one.clone())]);
    if kind.strategy.counts_by_name {
        amounts.insert(kind.plural.clone(), one.clone());
    }
    match kind.strategy.usage {
        Usage::Count => {}
        Usage::Pod => of_pod(object, &mut amounts),
        Usage::Service => {
            let kind = object["spec"]["type"].as_str().unwrap_or_default();
            let ports = object["spec"]["ports"].as_array().map_or(0, Vec::len);
            if matches!(kind, "NodePort" | "LoadBalancer")
                && object["spec"]["allocateLoadBalancerNodePorts"] != false
            {
                let ports = i64::try_from(ports).unwrap_or(i64::MAX);
                amounts.insert("services.nodeports".to_owned(), ports.into());
            }
            if kind == "LoadBalancer" {
                amounts.insert("services.loadbalancers".to_owned(), one);
            }
        }
        Usage::Claim => {
            let storage = quantity::or_zero(&object["spec"]["resources"]["requests"]["storage"]);
            amounts.insert("requests.storage".to_owned(), storage.clone());
            if let Some(class) = object["spec"]["storageClassName"].as_str() {
                let of_class = format!("{class}.storageclass.storage.k8s.io");
                amounts.insert(format!("{of_class}/requests.storage"), storage);
                amounts.insert(format!("{of_class}/persistentvolumeclaims"), one);
            }
        }
    }
    amounts
}

/// Returns the requests of a Pod: the sum of its containers, or its largest init container.
fn of_pod(pod: &Value, amounts: &mut Amounts) {
    for (field, prefix) in [("requests", "requests."), ("limits", "limits.")] {
        let mut whole = Amounts::new();
        let resources = |part: &str| {
            let containers = pod["spec"][part].as_array().into_iter().flatten();
            containers.filter_map(|one| one["resources"][field].as_object()).flatten()
        };
        for (resource, amount) in resources("containers") {
            *whole.entry(resource.clone()).or_default() += quantity::or_zero(amount);
        }
        for (resource, amount) in resources("initContainers") {
            let whole = whole.entry(resource.clone()).or_default();
            *whole = quantity::or_zero(amount).max(std::mem::take(whole));
        }
        for (resource, amount) in whole {
            if field == "requests" && matches!(resource.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                amounts.insert(resource.clone(), amount.clone());
            }
            amounts.insert(format!("{prefix}{resource}"), amount);
        }
    }
}

/// The quota with the object booked, if it limits anything of it.
fn charged(kind: &Kind, object: &Value, wanted: &Amounts, quota: &Stored) -> Result<Option<Value>> {
    let quota = quota.value();
    if !covers(&quota["spec"], kind, object) {
        return Ok(None);
    }
    let refused = |because: String| Err(Status::forbidden(kind, object::name(object), &because));
    let name = object::name(&quota);
    let hard = quota["status"]["hard"].as_object().cloned().unwrap_or_default();
    if let Some(untold) = untold(kind, object, hard.keys()) {
        return refused(format!("failed quota: {name}: must specify {untold}"));
    }
    let limited =
        wanted.iter().filter(|(resource, amount)| hard.contains_key(*resource) && amount.signum() > 0);
    let limited: Vec<(&String, &Quantity)> = limited.collect();
    if limited.is_empty() {
        return Ok(None);
    }
    let mut charged = Value::clone(&quota);
    if !charged["status"]["used"].is_object() {
        charged["status"]["used"] = json!({}); // `status` is an object: it holds `hard`
    }
    let mut exceeded = Vec::new();
    for (resource, wanted) in limited {
        let used = quantity::or_zero(&quota["status"]["used"][resource]);
        let sum = used.clone() + wanted.clone();
        let most = quantity::or_zero(&hard[resource]);
        charged["status"]["used"][resource.as_str()] = sum.to_string().into();
        if sum > most {
            exceeded.push((resource, [wanted.clone(), used, most].map(|amount| amount.to_string())));
        }
    }
    if exceeded.is_empty() {
        return Ok(Some(charged));
    }
    let column = |position: usize| {
        let column = exceeded.iter().map(|(resource, amounts)| format!("{resource}={}", amounts[position]));
        column.collect::<Vec<_>>().join(",")
    };
    let [requested, used, limited] = [0, 1, 2].map(column);
    refused(format!("exceeded quota: {name}, requested: {requested}, used: {used}, limited: {limited}"))
}

/// Returns the resources that containers leave out although a quota limits them: `cpu for: main`.
fn untold<'a>(kind: &Kind, pod: &Value, limited: impl Iterator<Item = &'a String>) -> Option<String> {
    if kind.strategy.usage != Usage::Pod {
        return None;
    }
    let missing = limited.filter(|resource| TOLD.contains(&resource.as_str())).filter_map(|resource| {
        let (field, bare) = resource.split_once('.').unwrap_or(("requests", resource));
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let silent = containers.filter(|one| one["resources"][field].get(bare).is_none());
        let silent: Vec<&str> = silent.filter_map(|one| one["name"].as_str()).collect();
        (!silent.is_empty()).then(|| format!("{resource} for: {}", silent.join(",")))
    });
    let missing: Vec<String> = missing.collect();
    (!missing.is_empty()).then(|| missing.join("; "))
}

/// Whether a quota is about an object: one with scopes is about such Pods only.
fn covers(spec: &Value, kind: &Kind, object: &Value) -> bool {
    let scopes = spec["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut wanted: Vec<(&str, &str, &Value)> = scopes.map(|scope| (scope, "Exists", &Value::Null)).collect();
    for rule in spec["scopeSelector"]["matchExpressions"].as_array().into_iter().flatten() {
        let text = |field: &str| rule[field].as_str().unwrap_or_default();
        wanted.push((text("scopeName"), text("operator"), &rule["values"]));
    }
    let is_pod = kind.strategy.usage == Usage::Pod;
    wanted.is_empty()
        || is_pod
            && wanted.into_iter().all(|(scope, operator, values)| is_in(object, scope, operator, values))
}

fn is_in(pod: &Value, scope: &str, operator: &str, values: &Value) -> bool {
    let ends = || pod["spec"]["activeDeadlineSeconds"].is_number();
    let is_best_effort = || crate::registry::qos_class(pod) == "BestEffort";
    match scope {
        TERMINATING => ends(),
        "NotTerminating" => !ends(),
        "BestEffort" => is_best_effort(),
        "NotBestEffort" => !is_best_effort(),
        "PriorityClass" => {
            let class = pod["spec"]["priorityClassName"].as_str().unwrap_or_default();
            let is_listed = values.as_array().into_iter().flatten().any(|value| value == class);
            match operator {
                "In" => is_listed,
                "NotIn" => !is_listed,
                "DoesNotExist" => class.is_empty(),
                _ => !class.is_empty(),
            }
        }
        _ => false,
    }
}
