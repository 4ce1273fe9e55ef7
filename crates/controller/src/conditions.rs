//! Conditions of a status: set, found, and written only when they change.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube_client::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::requests::{DEADLINE, RequestError, within};

/// Returns a condition: its type, its status, a reason in CamelCase and a message for people.
///
/// Its transition time is now; [`set_condition`] keeps the earlier time while the status stays the same. For a status of
/// `Unknown`, set the field `status`.
pub fn condition(type_: &str, status: bool, reason: &str, message: impl Into<String>) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: if status { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.into(),
        observed_generation: None,
        last_transition_time: Time(Timestamp::now()),
    }
}

/// Sets a condition, and returns whether anything has changed: upstream's `meta.SetStatusCondition`.
///
/// `generation` is the `metadata.generation` of the object that was judged; it becomes `observedGeneration`. The transition
/// time changes only with the status. Other conditions and their order stay.
///
/// ```
/// use trimtab_controller::{condition, set_condition};
///
/// let mut conditions = Vec::new();
/// assert!(set_condition(&mut conditions, Some(1), condition("Ready", false, "Starting", "0 of 3 Pods")));
/// assert!(!set_condition(&mut conditions, Some(1), condition("Ready", false, "Starting", "0 of 3 Pods")));
/// ```
pub fn set_condition(conditions: &mut Vec<Condition>, generation: Option<i64>, mut new: Condition) -> bool {
    new.observed_generation = generation.or(new.observed_generation);
    let Some(old) = conditions.iter_mut().find(|old| old.type_ == new.type_) else {
        conditions.push(new);
        return true;
    };
    if old.status == new.status {
        new.last_transition_time = old.last_transition_time.clone();
    }
    let has_changed = *old != new;
    *old = new;
    has_changed
}

/// Returns the condition of a type: upstream's `meta.FindStatusCondition`.
pub fn find_condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Returns whether the condition of a type exists and is true: upstream's `meta.IsStatusConditionTrue`.
pub fn is_condition_true(conditions: &[Condition], type_: &str) -> bool {
    find_condition(conditions, type_).is_some_and(|condition| condition.status == "True")
}

/// Removes the condition of a type, and returns whether it was there: upstream's `meta.RemoveStatusCondition`.
pub fn remove_condition(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    conditions.len() < before
}

/// Writes the status of `object` if `new` differs from `old`. Returns the object that the server has returned; `None` if
/// nothing was sent.
///
/// `old` is the status in `object`. The patch has only the fields that differ, and the UID and the resource version of
/// `object`: if another writer was faster, the server refuses it with a conflict, and no condition of the other is lost.
///
/// # Errors
///
/// The request failed. After a conflict (409), reconcile again: the cache will have the newer object.
///
/// # Cancel safety
///
/// A `patch_status` dropped before it completes may have written the status.
pub async fn patch_status<K, S>(
    api: &Api<K>,
    object: &K,
    old: Option<&S>,
    new: &S,
) -> Result<Option<K>, RequestError>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
    S: Serialize,
{
    let Some(body) = status_patch(object, old, new)? else { return Ok(None) };
    let name = object.meta().name.as_deref().unwrap_or_default();
    let (params, patch) = (PatchParams::default(), Patch::Merge(body));
    within(DEADLINE, api.patch_status(name, &params, &patch)).await.map(Some)
}

/// Returns the merge patch that changes the status of `object` from `old` to `new`; `None` if they are equal.
pub(crate) fn status_patch<K: Resource, S: Serialize>(
    object: &K,
    old: Option<&S>,
    new: &S,
) -> Result<Option<Value>, RequestError> {
    let text = |status: &S| {
        serde_json::to_value(status)
            .map_err(|error| RequestError::Client(kube_client::Error::SerdeError(error)))
    };
    let old = old.map(text).transpose()?.unwrap_or_else(|| json!({}));
    let metadata = object.meta();
    Ok(difference(&old, &text(new)?).map(|status| {
        json!({
            "metadata": {"uid": metadata.uid, "resourceVersion": metadata.resource_version},
            "status": status,
        })
    }))
}

/// Returns the merge patch (RFC 7396) that makes `new` of `old`; `None` if they are equal. An absent field and a `null` are
/// equal.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let removed =
        old.iter().filter(|(name, value)| !value.is_null() && new.get(*name).is_none_or(Value::is_null));
    let mut patch: Map<_, _> = removed.map(|(name, _)| (name.clone(), Value::Null)).collect();
    for (name, value) in new.iter().filter(|(_, value)| !value.is_null()) {
        let change = match old.get(name) {
            Some(before) => difference(before, value),
            None => Some(value.clone()),
        };
        patch.extend(change.map(|change| (name.clone(), change)));
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, condition: Condition) -> Condition {
        let time = Timestamp::from_second(second).expect("in range");
        Condition { last_transition_time: Time(time), ..condition }
    }

    /// apimachinery: `TestSetStatusCondition`.
    #[test]
    fn the_transition_time_changes_only_with_the_status() {
        let mut conditions = vec![at(1, condition("Other", true, "A", ""))];
        assert!(set_condition(
            &mut conditions,
            Some(1),
            at(10, condition("Ready", false, "Starting", "0 of 3"))
        ));
        assert!(set_condition(
            &mut conditions,
            Some(1),
            at(20, condition("Ready", false, "Starting", "1 of 3"))
        ));
        assert!(set_condition(
            &mut conditions,
            Some(2),
            at(30, condition("Ready", false, "Starting", "1 of 3"))
        ));
        assert!(!set_condition(
            &mut conditions,
            Some(2),
            at(40, condition("Ready", false, "Starting", "1 of 3"))
        ));
        let ready = find_condition(&conditions, "Ready").expect("set");
        assert_eq!((ready.last_transition_time.0.as_second(), ready.observed_generation), (10, Some(2)));
        assert!(set_condition(
            &mut conditions,
            Some(2),
            at(50, condition("Ready", true, "Started", "3 of 3"))
        ));
        assert_eq!(conditions[1].last_transition_time.0.as_second(), 50);
        assert!(is_condition_true(&conditions, "Ready") && conditions[0].type_ == "Other");
        assert!(remove_condition(&mut conditions, "Ready") && !remove_condition(&mut conditions, "Ready"));
    }

    #[test]
    fn a_patch_has_the_fields_that_differ() {
        for (old, new, patch) in [
            (json!({}), json!({}), None),
            (json!({"a": 1, "b": null}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 1, "b": null}), None),
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), Some(json!({"b": 3}))),
            (json!({"a": 1, "b": 2}), json!({"a": 1}), Some(json!({"b": null}))),
            (json!({"a": {"b": 1, "c": 1}}), json!({"a": {"b": 2, "c": 1}}), Some(json!({"a": {"b": 2}}))),
            (json!({"a": [1, 2]}), json!({"a": [1]}), Some(json!({"a": [1]}))),
        ] {
            assert_eq!(difference(&old, &new), patch, "{old} to {new}");
        }
    }
}
