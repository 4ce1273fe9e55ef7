//! Quotas on the number of objects: what upstream's admission counts before an object is made. What a Pod asks for (`cpu`,
//! `memory`) is not added up. How many there are, and what is allowed, stands in a quota's status, which upstream's
//! controller manager writes; where nobody does, nothing is refused.

use serde_json::{Value, json};

use crate::{
    core::Core,
    http::status::{Result, Status},
    kinds::{Kind, quantity},
    object,
    storage::{Draft, Stored},
};

const QUOTAS: &str = "resourcequotas";
/// The kinds that a quota may also name without `count/`.
const BY_NAME: [&str; 7] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
];

/// Counts one more object of `kind` against every quota of its namespace, or refuses it: 403.
pub(super) fn charge(core: &Core, kind: &Kind, namespace: &str, name: &str) -> Result<()> {
    if namespace.is_empty() || kind.plural == QUOTAS {
        return Ok(());
    }
    let quotas = core.store.list(QUOTAS, namespace, None, None, usize::MAX, |_| true);
    let quotas = quotas.map_or_else(|_| Vec::new(), |page| page.items);
    for quota in quotas {
        let mut quota = quota;
        // Somebody may count at the same time: then again, from what they have counted.
        while let Some(charged) = charged(kind, name, &quota)? {
            let draft = Draft::managed(charged, quota.managers());
            match core.store.put(QUOTAS, &quota.key, Some(quota.version), draft) {
                Ok(_) => break,
                Err(_) => match core.store.get(QUOTAS, &quota.key) {
                    Some(newer) => quota = newer,
                    None => break, // deleted: nothing to count against
                },
            }
        }
    }
    Ok(())
}

/// The quota with one object more, if it counts them.
fn charged(kind: &Kind, name: &str, quota: &Stored) -> Result<Option<Value>> {
    let counted = [format!("count/{}", kind.resource()), kind.plural.clone()];
    let quota = quota.value();
    let number = |field: &str, counted: &str| match &quota["status"][field][counted] {
        Value::String(number) => quantity::whole(number),
        number => number.as_i64(),
    };
    let mut charged = None;
    for counted in counted.iter().filter(|name| name.contains('/') || BY_NAME.contains(&name.as_str())) {
        let Some(limit) = number("hard", counted) else { continue };
        let used = number("used", counted).unwrap_or(0);
        if used >= limit {
            let quota = object::name(&quota);
            let because = format!(
                "exceeded quota: {quota}, requested: {counted}=1, used: {counted}={used}, limited: {counted}={limit}"
            );
            return Err(Status::forbidden(kind, name, &because));
        }
        let charged = charged.get_or_insert_with(|| Value::clone(&quota));
        if !charged["status"]["used"].is_object() {
            charged["status"]["used"] = json!({}); // `status` is one: it holds `hard`
        }
        charged["status"]["used"][counted.as_str()] = quantity::of(used + 1).into();
    }
    Ok(charged)
}
