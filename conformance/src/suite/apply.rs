//! Server-side apply: the applied object, its lists and maps, subresources and versions.

use super::managers::{apply, apply_data, entry, manages, map};
use crate::case::{Case, Outcome, case};
use crate::objects::{applied, workload};
use crate::site::{APPLY, MERGE, Site};
use http::Method;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
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
