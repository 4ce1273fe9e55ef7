//! Server-side apply: the managers of fields, and their conflicts.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::{applied, config_map};
use crate::site::{APPLY, MERGE, Site};
use http::Method;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(applying_creates)
            .rule("Applying what is not there creates it, with 201.")
            .source("kubernetes/test/integration/apiserver/apply"),
        case(applying_again_updates)
            .rule("Applying again answers 200.")
            .source("kubernetes/test/integration/apiserver/apply"),
        case(applying_the_same_changes_nothing)
            .rule("Applying the same changes nothing, not even the version.")
            .source("kubernetes/test/integration/apiserver/apply: TestNoOpUpdateSameResourceVersion"),
        case(an_entry_has_its_parts)
            .rule(
                "An entry of managedFields has manager, operation, apiVersion, time, the fields' form and \
                 the fields.",
            )
            .source("Server-Side Apply: field management"),
        case(a_manager_is_required)
            .rule("Without a manager, an apply is refused.")
            .source("Server-Side Apply: managers"),
        case(a_dropped_field_is_removed)
            .rule("A field that is no longer applied is removed, if nobody else has it.")
            .source("Server-Side Apply: merge strategy"),
        case(a_shared_field_stays)
            .rule("A field that is no longer applied stays while another one applies it.")
            .source("Server-Side Apply: merge strategy"),
        case(the_same_value_is_shared)
            .rule("Two may own the same value of a field.")
            .source("Server-Side Apply: sharing ownership"),
        case(another_value_is_a_conflict)
            .rule("Another value of somebody's field is a conflict, which names the manager and the field.")
            .source("Server-Side Apply: conflicts"),
        case(conflicts_are_counted)
            .rule("Several conflicts are counted and all named.")
            .source("Server-Side Apply: conflicts"),
        case(force_takes_over)
            .rule("force=true takes the field over.")
            .source("Server-Side Apply: conflicts"),
        case(force_belongs_to_apply)
            .rule("force belongs to apply patches.")
            .source("apimachinery: ValidatePatchOptions"),
        case(an_update_owns_what_it_changed)
            .rule(
                "A field that was updated by others is theirs: an apply of another value conflicts with the \
                 updater.",
            )
            .source("Server-Side Apply: managers"),
        case(a_creation_is_managed)
            .rule("A creation by POST is managed as an update, under the fieldManager that it names.")
            .source("Server-Side Apply: managers"),
        case(the_user_agent_names_the_manager)
            .rule("Without a fieldManager, an update's manager is the beginning of the User-Agent.")
            .source("Server-Side Apply: managers"),
        case(a_managers_name_is_short)
            .rule("A manager's name has at most 128 characters.")
            .source("apimachinery: ValidateFieldManager"),
        case(a_managers_name_is_printable)
            .rule("A manager's name is printable.")
            .source("apimachinery: ValidateFieldManager"),
    ]
}

/// Applies as `manager`.
pub(super) async fn apply(site: &Site, manager: &str, path: &str, body: Value) -> Result<Answer, Mismatch> {
    site.patch(APPLY, &format!("{path}?fieldManager={manager}"), body).await
}

/// Applies the data of a ConfigMap `a` as `manager`.
pub(super) async fn apply_data(site: &Site, manager: &str, data: Value) -> Result<Answer, Mismatch> {
    apply(site, manager, "configmaps/a", map(data)).await
}

/// A ConfigMap to apply.
pub(super) fn map(data: Value) -> Value {
    applied("v1", "ConfigMap", json!({"data": data}))
}

/// The entry of a manager.
pub(super) fn entry<'a>(answer: &'a Answer, manager: &str, operation: &str) -> Option<&'a Value> {
    let entries = answer.list("/metadata/managedFields").iter();
    let mut named = entries.filter(|entry| entry["manager"] == manager && entry["operation"] == operation);
    named.next()
}

/// Whether a manager's entry has a field.
pub(super) fn manages(answer: &Answer, manager: &str, field: &str) -> bool {
    entry(answer, manager, "Apply").is_some_and(|entry| entry["fieldsV1"].pointer(field).is_some())
}

async fn applying_creates(site: Site) -> Outcome {
    let made = apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?.is("/data/x", "1")?;
    let managed = manages(&made, "one", "/f:data/f:x");
    made.check(managed, "the manager one with f:data f:x")?;
    Ok(())
}

async fn applying_again_updates(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    apply_data(&site, "one", json!({"x": "2"})).await?.code(200)?.is("/data/x", "2")?;
    Ok(())
}

async fn applying_the_same_changes_nothing(site: Site) -> Outcome {
    let made = apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    apply_data(&site, "one", json!({"x": "1"}))
        .await?
        .code(200)?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn an_entry_has_its_parts(site: Site) -> Outcome {
    let made = apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    made.is("/metadata/managedFields/0/manager", "one")?
        .is("/metadata/managedFields/0/operation", "Apply")?
        .is("/metadata/managedFields/0/apiVersion", "v1")?
        .has("/metadata/managedFields/0/time")?
        .is("/metadata/managedFields/0/fieldsType", "FieldsV1")?
        .has("/metadata/managedFields/0/fieldsV1/f:data/f:x")?
        .lacks("/metadata/managedFields/0/subresource")?;
    Ok(())
}

async fn a_manager_is_required(site: Site) -> Outcome {
    site.patch(APPLY, "configmaps/a", map(json!({})))
        .await?
        .code(422)?
        .mentions("/message", "fieldManager")?;
    Ok(())
}

async fn a_dropped_field_is_removed(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1", "y": "2"})).await?.code(201)?;
    apply_data(&site, "one", json!({"x": "1"})).await?.code(200)?.is("/data", json!({"x": "1"}))?;
    Ok(())
}

async fn a_shared_field_stays(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1", "y": "2"})).await?.code(201)?;
    apply_data(&site, "two", json!({"y": "2"})).await?.code(200)?;
    let after = apply_data(&site, "one", json!({"x": "1"})).await?.code(200)?.is("/data/y", "2")?;
    let moved = manages(&after, "two", "/f:data/f:y") && !manages(&after, "one", "/f:data/f:y");
    after.check(moved, "y with two alone")?;
    Ok(())
}

async fn the_same_value_is_shared(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    let after = apply_data(&site, "two", json!({"x": "1"})).await?.code(200)?;
    let both = manages(&after, "one", "/f:data/f:x") && manages(&after, "two", "/f:data/f:x");
    after.check(both, "both managers at x")?;
    Ok(())
}

async fn another_value_is_a_conflict(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    apply_data(&site, "two", json!({"x": "2"}))
        .await?
        .refused(409, "Conflict")?
        .cause("FieldManagerConflict", ".data.x")?
        .is("/message", "Apply failed with 1 conflict: conflict with \"one\": .data.x")?
        .is("/details/causes/0/message", "conflict with \"one\"")?;
    Ok(())
}

async fn conflicts_are_counted(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1", "y": "1"})).await?.code(201)?;
    apply_data(&site, "two", json!({"x": "2", "y": "2"}))
        .await?
        .refused(409, "Conflict")?
        .cause("FieldManagerConflict", ".data.x")?
        .cause("FieldManagerConflict", ".data.y")?
        .mentions(
            "/message",
            "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.x\n- .data.y",
        )?;
    Ok(())
}

async fn force_takes_over(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1", "y": "1"})).await?.code(201)?;
    let after = site
        .patch(APPLY, "configmaps/a?fieldManager=two&force=true", map(json!({"x": "2"})))
        .await?
        .code(200)?
        .is("/data", json!({"x": "2", "y": "1"}))?;
    let moved = manages(&after, "two", "/f:data/f:x")
        && !manages(&after, "one", "/f:data/f:x")
        && manages(&after, "one", "/f:data/f:y");
    after.check(moved, "x with two, y with one")?;
    Ok(())
}

async fn force_belongs_to_apply(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a?force=true", json!({"data": {"x": "y"}}))
        .await?
        .invalid("FieldValueForbidden", "force")?;
    Ok(())
}

async fn an_update_owns_what_it_changed(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    let after = site
        .patch(MERGE, "configmaps/a?fieldManager=updater", json!({"data": {"x": "2"}}))
        .await?
        .code(200)?;
    let updater = entry(&after, "updater", "Update")
        .is_some_and(|entry| entry["fieldsV1"]["f:data"].get("f:x").is_some());
    let moved = updater && !manages(&after, "one", "/f:data/f:x");
    after.check(moved, "x with updater alone")?;
    apply_data(&site, "one", json!({"x": "1"}))
        .await?
        .refused(409, "Conflict")?
        .mentions("/message", "conflict with \"updater\" using v1: .data.x")?;
    Ok(())
}

async fn a_creation_is_managed(site: Site) -> Outcome {
    let made = site.create("configmaps?fieldManager=maker", config_map("a")).await?;
    let managed = entry(&made, "maker", "Update")
        .is_some_and(|entry| entry["fieldsV1"]["f:data"].get("f:key").is_some());
    made.check(managed, "maker with f:data f:key")?;
    Ok(())
}

async fn the_user_agent_names_the_manager(site: Site) -> Outcome {
    let call = site
        .call(Method::POST, "configmaps")
        .json(&config_map("a"))
        .header("user-agent", "builder/v1.2 (linux)");
    let made = call.send().await?.code(201)?;
    let managed = entry(&made, "builder", "Update").is_some();
    made.check(managed, "the manager builder")?;
    Ok(())
}

async fn a_managers_name_is_short(site: Site) -> Outcome {
    apply_data(&site, &"m".repeat(129), json!({})).await?.invalid("FieldValueTooLong", "fieldManager")?;
    Ok(())
}

async fn a_managers_name_is_printable(site: Site) -> Outcome {
    apply_data(&site, "a%0Ab", json!({})).await?.invalid("FieldValueInvalid", "fieldManager")?;
    Ok(())
}
