//! Server-side apply: who manages what.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::{applied, config_map, workload};
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
        case(an_applied_object_says_its_kind)
            .rule("What is applied must say apiVersion and kind.")
            .source("Server-Side Apply: serialization"),
        case(an_applied_object_has_no_managed_fields)
            .rule("What is applied has no managedFields.")
            .source("fieldmanager: Apply"),
        case(the_names_agree)
            .rule("A name that differs from the path's is refused.")
            .source("registry/rest: BeforeUpdate"),
        case(unknown_fields_are_refused)
            .rule("Unknown fields are refused.")
            .source("kubernetes/test/integration/apiserver/apply"),
        case(list_items_are_owned_one_by_one)
            .rule("Items of an associative list are owned one by one.")
            .source("Server-Side Apply: merge strategy"),
        case(a_dropped_item_is_removed)
            .rule("An item that its only owner no longer applies goes.")
            .source("Server-Side Apply: merge strategy"),
        case(members_of_a_set_are_owned)
            .rule("A set's members are owned one by one.")
            .source("Server-Side Apply: merge strategy"),
        case(an_atomic_list_has_one_owner)
            .rule("An atomic list has one owner: another value is a conflict at the list.")
            .source("Server-Side Apply: merge strategy"),
        case(an_atomic_map_is_replaced)
            .rule("A selector is atomic: it is replaced, never merged.")
            .source("Server-Side Apply: merge strategy"),
        case(defaults_are_not_owned)
            .rule("Defaults are not owned by whoever applied.")
            .source("Server-Side Apply: defaulting"),
        case(a_subresource_has_its_own_entry)
            .rule("Whoever applies to the status owns it there, under the subresource.")
            .source("KEP-2885"),
        case(managed_fields_can_be_cleared)
            .rule("Clearing managedFields by a patch forgets all managers.")
            .source("Server-Side Apply: clearing managedFields"),
        case(an_apply_may_be_yaml).rule("An apply may be YAML.").source("Server-Side Apply: serialization"),
        case(a_version_is_a_precondition)
            .rule("A version in what is applied is a precondition.")
            .source("Server-Side Apply: conflicts"),
        case(the_last_applied_annotation_is_kept)
            .rule("A kubectl client-side apply hands its fields over to a server-side one.")
            .source("csaupgrade; kubectl apply --server-side"),
    ]
}

/// Applies as `manager`.
async fn apply(site: &Site, manager: &str, path: &str, body: Value) -> Result<Answer, Mismatch> {
    site.patch(APPLY, &format!("{path}?fieldManager={manager}"), body).await
}

/// Applies the data of a ConfigMap `a` as `manager`.
async fn apply_data(site: &Site, manager: &str, data: Value) -> Result<Answer, Mismatch> {
    apply(site, manager, "configmaps/a", map(data)).await
}

/// A ConfigMap to apply.
fn map(data: Value) -> Value {
    applied("v1", "ConfigMap", json!({"data": data}))
}

/// The entry of a manager.
fn entry<'a>(answer: &'a Answer, manager: &str, operation: &str) -> Option<&'a Value> {
    let entries = answer.list("/metadata/managedFields").iter();
    let mut named = entries.filter(|entry| entry["manager"] == manager && entry["operation"] == operation);
    named.next()
}

/// Whether a manager's entry has a field.
fn manages(answer: &Answer, manager: &str, field: &str) -> bool {
    entry(answer, manager, "Apply").is_some_and(|entry| entry["fieldsV1"].pointer(field).is_some())
}

/// A Deployment to apply.
fn deployment(container: Value) -> Value {
    let template = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}});
    let selector = json!({"matchLabels": {"app": "a"}});
    let spec = json!({"replicas": 0, "selector": selector, "template": template});
    applied("apps/v1", "Deployment", json!({"spec": spec}))
}

/// The containers of a Deployment, to apply without its other fields.
fn only_containers(containers: Value) -> Value {
    applied("apps/v1", "Deployment", json!({"spec": {"template": {"spec": {"containers": containers}}}}))
}

fn main() -> Value {
    json!({"name": "main", "image": "app:1"})
}

fn side() -> Value {
    json!({"name": "side", "image": "side:1"})
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

async fn an_applied_object_says_its_kind(site: Site) -> Outcome {
    apply(&site, "one", "configmaps/a", json!({"metadata": {"name": "a"}}))
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn an_applied_object_has_no_managed_fields(site: Site) -> Outcome {
    let mut body = map(json!({}));
    body["metadata"]["managedFields"] = json!([{
        "manager": "x", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {},
    }]);
    apply(&site, "one", "configmaps/a", body)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "metadata.managedFields must be nil")?;
    Ok(())
}

async fn the_names_agree(site: Site) -> Outcome {
    let body = applied("v1", "ConfigMap", json!({"metadata": {"name": "b"}, "data": {}}));
    apply(&site, "one", "configmaps/a", body).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn unknown_fields_are_refused(site: Site) -> Outcome {
    let mut body = map(json!({}));
    body["colour"] = json!("blue");
    let answer = apply(&site, "one", "configmaps/a", body).await?;
    let refused = answer.status >= 400;
    answer.mentions("/message", ".colour: field not declared in schema")?.check(refused, "a refusal")?;
    Ok(())
}

async fn list_items_are_owned_one_by_one(site: Site) -> Outcome {
    apply(&site, "one", "apps/v1/deployments/a", deployment(main())).await?.code(201)?;
    let added = only_containers(json!([side()]));
    let after = apply(&site, "two", "apps/v1/deployments/a", added).await?.code(200)?;
    let two = after.list("/spec/template/spec/containers").len() == 2;
    let image = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"side\"}/f:image";
    let owned = manages(&after, "two", image);
    after.check(two && owned, "two containers, and the second with two")?;
    Ok(())
}

async fn a_dropped_item_is_removed(site: Site) -> Outcome {
    apply(&site, "one", "apps/v1/deployments/a", deployment(main())).await?.code(201)?;
    let added = only_containers(json!([side()]));
    apply(&site, "two", "apps/v1/deployments/a", added).await?.code(200)?;
    let nothing = applied("apps/v1", "Deployment", json!({}));
    let after = apply(&site, "two", "apps/v1/deployments/a", nothing).await?.code(200)?;
    let one =
        after.list("/spec/template/spec/containers").len() == 1 && entry(&after, "two", "Apply").is_none();
    after.check(one, "one container, and two manages nothing")?;
    Ok(())
}

async fn members_of_a_set_are_owned(site: Site) -> Outcome {
    let with = |finalizer: &str| {
        applied("v1", "ConfigMap", json!({"metadata": {"name": "a", "finalizers": [finalizer]}}))
    };
    apply(&site, "one", "configmaps/a", with("example.com/a")).await?.code(201)?;
    let after = apply(&site, "two", "configmaps/a", with("example.com/b")).await?.code(200)?;
    let both = after.list("/metadata/finalizers").len() == 2
        && manages(&after, "two", "/f:metadata/f:finalizers/v:\"example.com~1b\"");
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    after.check(both, "both finalizers, the second with two")?;
    Ok(())
}

async fn an_atomic_list_has_one_owner(site: Site) -> Outcome {
    let with = |args: Value| deployment(json!({"name": "main", "image": "app:1", "args": args}));
    apply(&site, "one", "apps/v1/deployments/a", with(json!(["a"]))).await?.code(201)?;
    apply(&site, "two", "apps/v1/deployments/a", with(json!(["b"])))
        .await?
        .refused(409, "Conflict")?
        .cause("FieldManagerConflict", ".spec.template.spec.containers[name=\"main\"].args")?;
    Ok(())
}

async fn an_atomic_map_is_replaced(site: Site) -> Outcome {
    let with =
        |labels: Value| applied("v1", "Service", json!({"spec": {"clusterIP": "None", "selector": labels}}));
    apply(&site, "one", "services/a", with(json!({"a": "1"}))).await?.code(201)?;
    apply(&site, "one", "services/a", with(json!({"b": "2"})))
        .await?
        .code(200)?
        .is("/spec/selector", json!({"b": "2"}))?;
    Ok(())
}

async fn defaults_are_not_owned(site: Site) -> Outcome {
    let made = apply(&site, "one", "apps/v1/deployments/a", deployment(main())).await?.code(201)?;
    let owned = manages(&made, "one", "/f:spec/f:strategy");
    made.has("/spec/strategy/type")?.check(!owned, "no manager of the strategy")?;
    Ok(())
}

async fn a_subresource_has_its_own_entry(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let body = applied("apps/v1", "Deployment", json!({"status": {"observedGeneration": 7}}));
    let after = apply(&site, "one", "apps/v1/deployments/a/status", body)
        .await?
        .code(200)?
        .is("/status/observedGeneration", 7)?;
    let owned = entry(&after, "one", "Apply").is_some_and(|entry| entry["subresource"] == "status");
    after.check(owned, "an entry for the subresource status")?;
    Ok(())
}

async fn managed_fields_can_be_cleared(site: Site) -> Outcome {
    apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    let after =
        site.patch(MERGE, "configmaps/a", json!({"metadata": {"managedFields": [{}]}})).await?.code(200)?;
    let none = entry(&after, "one", "Apply").is_none();
    after.check(none, "no entry of one")?;
    Ok(())
}

async fn an_apply_may_be_yaml(site: Site) -> Outcome {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: \"1\"\n";
    site.call(Method::PATCH, "configmaps/a?fieldManager=one")
        .body(APPLY, yaml)
        .send()
        .await?
        .code(201)?
        .is("/data/x", "1")?;
    Ok(())
}

async fn a_version_is_a_precondition(site: Site) -> Outcome {
    let made = apply_data(&site, "one", json!({"x": "1"})).await?.code(201)?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"y": "2"}})).await?.code(200)?;
    let mut body = map(json!({"x": "2"}));
    body["metadata"]["resourceVersion"] = json!(made.version());
    apply(&site, "one", "configmaps/a", body).await?.refused(409, "Conflict")?;
    Ok(())
}

async fn the_last_applied_annotation_is_kept(site: Site) -> Outcome {
    let mut body = map(json!({"x": "1"}));
    body["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    site.create("configmaps?fieldManager=kubectl-client-side-apply", body).await?;
    let after = apply_data(&site, "kubectl", json!({"x": "1"})).await?.code(200)?;
    let both = manages(&after, "kubectl", "/f:data/f:x");
    after
        .has("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")?
        .check(both, "kubectl at x")?;
    Ok(())
}
